/// Reads the arrays of a numpy `.npz` archive, stored or deflated.
///
/// The file is read at once; an array is expanded when it is asked for. Members that are no `.npy` arrays are left out.
package struct NPZFile: Sendable {
    /// The path it was read from, for messages.
    package let path: String
    /// The names of the arrays, in file order, without `.npy`.
    package let names: [String]
    private let bytes: [UInt8]
    private let directory: ZIPDirectory

    /// Reads an archive and its directory.
    ///
    /// - Throws: ``ArrayFileError`` naming the file: missing, truncated, malformed, unsupported.
    package init(path: String) throws(ArrayFileError) {
        try self.init(bytes: SystemFile.contents(of: path), path: path)
    }

    /// Reads an archive that is already in memory; `path` is what messages call it.
    package init(bytes: [UInt8], path: String) throws(ArrayFileError) {
        directory = try ZIPDirectory(of: bytes, path: path)
        self.path = path
        self.bytes = bytes
        names = directory.members.map(\.name).filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    }

    /// Whether the archive holds the array.
    package func contains(_ name: String) -> Bool { names.contains(name) }

    /// Reads one array.
    ///
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` when there is no such array (the message lists those there are),
    ///   otherwise as ``init(path:)``.
    package func array(_ name: String) throws(ArrayFileError) -> NDArray {
        guard let member = directory.members.first(where: { $0.name == name + ".npy" }) else {
            let known = names.isEmpty ? "nothing" : names.joined(separator: ", ")
            throw ArrayFileError(.wrongShape, "\(path) has no array \"\(name)\"; it holds \(known)")
        }
        return try NPYFormat.decode(directory.contents(of: member, in: bytes), name: "\"\(name)\" in \(path)")
    }
}
