/// A ZIP archive in memory; members are expanded when they are asked for.
package struct ZIPFile: Sendable {
    /// What messages call the archive.
    package let path: String
    private let bytes: [UInt8]
    private let directory: ZIPDirectory

    /// Reads the directory of an archive.
    ///
    /// - Throws: ``ArrayFileError`` naming the file: truncated, malformed, unsupported.
    package init(bytes: [UInt8], path: String) throws(ArrayFileError) {
        directory = try ZIPDirectory(of: bytes, path: path)
        self.bytes = bytes
        self.path = path
    }

    /// The names of the members, in file order.
    package var names: [String] { directory.members.map(\.name) }

    /// The content of a member, checked against its CRC-32; nil when there is no such member.
    package func contents(of name: String) throws(ArrayFileError) -> [UInt8]? {
        guard let member = directory.members.first(where: { $0.name == name }) else { return nil }
        return try directory.contents(of: member, in: bytes)
    }
}
