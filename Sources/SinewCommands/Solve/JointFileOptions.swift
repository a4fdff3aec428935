internal import ArgumentParser
internal import SinewFormats

/// What the caller knows better than a file of joints; every command that reads one has these.
struct JointFileOptions: ParsableArguments {
    @Option(name: .long, help: "The unit of the joints, m, cm or mm, when the file does not say.")
    var unit: String?

    @Option(name: .long, help: "The axis that points up, y, z, -y …, when the file does not say.")
    var upAxis: String?

    @Option(name: .long, help: "The skeleton of the joints, when the file does not say (sinew skeleton list).")
    var skeleton: String?

    @Option(name: .long, help: "What the file is, when its content does not tell.")
    var format: PoseFileFormatOption?

    @Option(name: .long, help: "The .asf file of an .amc file, when it does not lie beside it.")
    var rig: String?

    /// The first option that was given, for a command where it has no meaning.
    var given: String? {
        unit.map { _ in "--unit" } ?? upAxis.map { _ in "--up-axis" } ?? skeleton.map { _ in "--skeleton" }
            ?? format.map { _ in "--format" } ?? rig.map { _ in "--rig" }
    }

    /// - Throws: `ValidationError` for a name that is not known.
    func reading() throws -> PoseInput.Options {
        var options = PoseInput.Options(skeletonName: skeleton, format: format?.format, rigPath: rig)
        if let unit {
            guard let known = LengthUnit(named: unit) else {
                throw ValidationError("--unit '\(unit)' is not known; use m, cm or mm")
            }
            options.unit = known
        }
        if let upAxis {
            guard let known = UpAxis(named: upAxis) else {
                throw ValidationError("--up-axis '\(upAxis)' is not known; use y, z, -y, …")
            }
            options.upAxis = known
        }
        return options
    }
}
