internal import Synchronization

/// Writes files that are either complete or absent.
///
/// The bytes go to a temporary file in the same folder, are flushed to the disk, and only then take the final name. A reader, a
/// crash or a full disk never sees half a file under that name.
package enum AtomicFile {
    private static let counter = Atomic<Int>(0)

    /// Replaces the file at `path`.
    ///
    /// - Throws: ``ArrayFileError/Reason/missingFile`` when the folder does not exist, ``ArrayFileError/Reason/io``
    ///   otherwise; the temporary file is removed.
    package static func write(_ bytes: [UInt8], to path: String) throws(ArrayFileError) {
        try write(parts: [bytes], to: path)
    }

    /// Replaces the file at `path` by its parts, one after the other.
    package static func write(parts: [[UInt8]], to path: String) throws(ArrayFileError) {
        let slash = path.lastIndex(of: "/")
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let prefix = slash.map { String(path[...$0]) } ?? ""
        guard !name.isEmpty else { throw ArrayFileError(.io, "cannot write \(path): it names a folder, not a file") }
        let number = counter.add(1, ordering: .relaxed).newValue
        let temporary = "\(prefix).\(name).\(SystemFile.processID)-\(number).partial"
        do throws(ArrayFileError) {
            let file = try SystemFile(creating: temporary)
            for part in parts { try file.write(part) }
            try file.synchronize()
            try SystemFile.rename(temporary, to: path)
        } catch {
            SystemFile.remove(temporary)
            throw ArrayFileError(error.reason, "\(path) was not written: \(error.message)")
        }
        SystemFile.synchronizeFolder(prefix.isEmpty ? "." : prefix)
    }

    /// The whole of a file, for readers that parse it themselves.
    ///
    /// - Throws: ``ArrayFileError/Reason/missingFile``, ``ArrayFileError/Reason/unsupported`` above `bytesMax`,
    ///   ``ArrayFileError/Reason/io``.
    package static func read(_ path: String, bytesMax: Int) throws(ArrayFileError) -> [UInt8] {
        try SystemFile.contents(of: path, bytesMax: bytesMax)
    }
}
