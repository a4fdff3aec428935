internal import SinewArrayFiles
package import SinewBody

/// SMPL's own `.pkl` body files, read without Python (models.md §1.2).
package enum BodyPickle {
    /// SHA-256 of the v1.0.0 files, to recognise what a user holds. Files that were saved again differ and are as good.
    private static let known: [(digest: String, gender: Gender)] = [
        ("a583c1b98e4afc19042641f1bae5cd8a1f712a6724886291a7627ec07acd408d", .female),
        ("0e8c0bbbbc635dcb166ed29c303fb4bef16ea5f623e5a89263495a9e403575bd", .male),
        ("98e65c74ad9b998783132f00880d1025a8d64b158e040e6ef13a557e5098bc42", .neutral),
    ]

    /// What was read, and whether its bytes are those of a known release.
    package struct Found: Sendable {
        /// The body.
        package let body: BodyModel
        /// Whether the file is byte for byte one of the v1.0.0 releases.
        package let isKnownRelease: Bool
    }

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - path: the pickle; chumpy and scipy entries are read, anything that could run a program is refused.
    ///   - gender: which body it is; nil asks the hash and then the file's name.
    /// - Throws: ``BodyError`` naming the file, the array, and what to do.
    package static func read(_ path: String, gender: Gender?) throws(BodyError) -> Found {
        let document: PickleDocument
        let release: Gender?
        do throws(ArrayFileError) {
            let bytes = try FileContents.read(path)
            let digest = SHA256.hexDigest(of: bytes)
            release = known.first { $0.digest == digest }?.gender
            document = try Unpickler.document(bytes, name: path)
        } catch {
            throw BodyError(error.reason == .missingFile ? .missingFile : .unusableFile, error.message)
        }
        guard let entries = document.entries(document.root) else {
            throw BodyError(.unusableFile, "\(path) holds no dictionary; SMPL's body files are dictionaries of arrays")
        }
        let names = Set(entries.compactMap { document.text($0.key) })
        let arrays = SMPLLayoutArrays(path: path, names: names) { (name) throws(ArrayFileError) in
            guard let value = document.member(name, of: document.root) else {
                throw ArrayFileError(
                    .wrongShape, "\(path) has no array \"\(name)\"; it holds \(names.sorted().joined(separator: ", "))")
            }
            return try document.array(value, what: name)
        }
        return Found(
            body: try BodyModel(smplLayout: arrays, gender: gender ?? release), isKnownRelease: release != nil)
    }
}
