internal import Foundation

extension BodyModel {
    /// The open body that ships with the package (CC0): 13 380 vertices, ten shape directions, no pose blend shapes.
    ///
    /// - Throws: ``BodyError/Reason/missingFile`` when the package's resources are not where the executable is.
    public static func bundled(_ gender: Gender) throws(BodyError) -> BodyModel {
        let folders = bundledFolders
        let name = "\(gender.rawValue).safetensors"
        guard let folder = folders.first(where: { FileManager.default.fileExists(atPath: "\($0)/\(name)") }) else {
            throw BodyError(
                .missingFile,
                "the bundled body \(name) is in none of \(folders.joined(separator: ", ")); "
                    + "keep the folder \(bundleName) beside the executable")
        }
        return try BodyModel(safetensors: "\(folder)/\(name)")
    }

    private static let bundleName = "sinew_SinewBody.resources"

    /// Beside the executable, in the share folder of an installation, and in the source tree of a development build.
    ///
    /// The generated `Bundle.module` looks in the first and in the build folder only, and stops the process when both fail.
    private static var bundledFolders: [String] {
        let executable = Bundle.main.bundlePath
        let source = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return [
            "\(executable)/\(bundleName)/bodies", "\(executable)/../share/sinew/\(bundleName)/bodies",
            "/\(source)/Resources/bodies",
        ]
    }
}
