/// A whole file in memory, for readers that must hash and parse the same bytes.
package enum FileContents {
    /// Reads a regular file.
    ///
    /// - Throws: ``ArrayFileError`` naming the file: missing, not readable, or larger than any array we read.
    package static func read(_ path: String) throws(ArrayFileError) -> [UInt8] {
        try SystemFile.contents(of: path)
    }
}
