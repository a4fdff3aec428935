internal import SinewArrayFiles

/// The two files of one version of a model, read and checked against each other.
package struct ModelFiles: Sendable {
    /// What `model.json` says.
    package let description: ModelDescription
    private let weights: SafetensorsFile

    /// Reads `<folder>/model.json` and `<folder>/weights.safetensors`.
    ///
    /// The hash is taken over the very bytes that are parsed, before they are parsed.
    /// - Parameter precision: holds the weights in this precision instead of the one that `model.json` names.
    /// - Throws: ``ModelError/Reason/unusableFile`` when a file is missing or malformed or the hash differs.
    package init(folder: String, precision: ModelDescription.Precision? = nil) throws(ModelError) {
        var description = try Self.description(in: folder)
        if let precision { description.precision = precision }
        self.description = description
        let path = "\(folder)/weights.safetensors"
        let bytes = try Self.contents(of: path)
        let digest = SHA256.hexDigest(of: bytes)
        guard digest == description.weightsSHA256 else {
            throw ModelError(
                .unusableFile,
                "\(path) has the SHA-256 \(digest), but \(folder)/model.json says \(description.weightsSHA256): the weights "
                    + "were changed or not copied whole. Copy both files again, or export the model again "
                    + "(tools/train/README.md).")
        }
        do throws(ArrayFileError) { weights = try SafetensorsFile(bytes: bytes, path: path) } catch {
            throw ModelError(.unusableFile, error.message)
        }
    }

    /// Reads `<folder>/model.json` alone.
    package static func description(in folder: String) throws(ModelError) -> ModelDescription {
        let path = "\(folder)/model.json"
        return try ModelDescription(json: contents(of: path), path: path)
    }

    /// A reader over the weights, which insists that all of them are used.
    internal var reader: WeightsReader {
        WeightsReader(weights, model: "\(description.name)/\(description.version)")
    }

    private static func contents(of path: String) throws(ModelError) -> [UInt8] {
        do throws(ArrayFileError) { return try FileContents.read(path) } catch {
            throw ModelError(.unusableFile, "a model cannot be read: \(error.message)")
        }
    }
}
