internal import ArgumentParser
internal import SinewFormats

/// ``PoseFileFormat`` as an option's value.
struct PoseFileFormatOption: ExpressibleByArgument {
    let format: PoseFileFormat

    init?(argument: String) {
        guard let format = PoseFileFormat(rawValue: argument.lowercased()) else { return nil }
        self.format = format
    }

    static var allValueStrings: [String] { PoseFileFormat.allCases.map(\.rawValue) }
}
