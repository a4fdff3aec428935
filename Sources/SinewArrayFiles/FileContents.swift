/// A whole file in memory, for readers that must hash and parse the same bytes.
package enum FileContents {
    /// Reads a regular file.
    ///
    /// - Throws: ``ArrayFileError`` naming the file: missing, not readable, or larger than any array we read.
    package static func read(_ path: String) throws(ArrayFileError) -> [UInt8] {
        try SystemFile.contents(of: path)
    }

    /// Reads standard input to its end.
    ///
    /// - Throws: ``ArrayFileError``; ``ArrayFileError/Reason/unsupported`` for more than `bytesMax` bytes.
    package static func readStandardInput(bytesMax: Int) throws(ArrayFileError) -> [UInt8] {
        let stream = try SystemFile(reading: "/dev/stdin")
        var bytes: [UInt8] = []
        while true {
            let part = try stream.read(upTo: 1 << 20)
            if part.isEmpty { return bytes }
            bytes += part
            guard bytes.count <= bytesMax else {
                throw ArrayFileError(.unsupported, "standard input has more than \(bytesMax) bytes; split it")
            }
        }
    }
}
