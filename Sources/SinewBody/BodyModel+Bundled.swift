internal import Foundation
internal import SinewArrayFiles

extension BodyModel {
    /// The open body that ships with the package (CC0): 13 380 vertices, ten shape directions, no pose blend shapes.
    ///
    /// - Throws: ``BodyError/Reason/missingFile`` when the package's resources are not where the executable is.
    public static func bundled(_ gender: Gender) throws(BodyError) -> BodyModel {
        let folders = BundledResource.places(of: "bodies", target: "SinewBody")
        let name = "\(gender.rawValue).safetensors"
        guard let folder = folders.first(where: { FileManager.default.fileExists(atPath: "\($0)/\(name)") }) else {
            throw BodyError(
                .missingFile,
                "the bundled body \(name) is in none of \(folders.joined(separator: ", ")); "
                    + "keep the folder \(BundledResource.bundleName(of: "SinewBody")) beside the executable")
        }
        return try BodyModel(safetensors: "\(folder)/\(name)")
    }
}
