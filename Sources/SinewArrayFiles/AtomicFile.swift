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

    /// Who may read a file that is written.
    package enum Readers: Sendable {
        /// Whoever the process's umask allows.
        case everybody
        /// The owner alone, from the first byte on.
        case owner
    }

    /// Replaces the file at `path` by its parts, one after the other.
    package static func write(
        parts: [[UInt8]], to path: String, for readers: Readers = .everybody
    ) throws(ArrayFileError) {
        _ = try publish(parts, at: path, for: readers) { (temporary) throws(ArrayFileError) in
            try SystemFile.rename(temporary, to: path)
            return true
        }
    }

    /// Writes a file that must not be there yet.
    ///
    /// - Returns: false when there is a file of this name, which stays as it is.
    package static func create(
        _ bytes: [UInt8], at path: String, for readers: Readers = .everybody
    ) throws(ArrayFileError) -> Bool {
        try publish([bytes], at: path, for: readers) { (temporary) throws(ArrayFileError) in
            let isNew = try SystemFile.link(temporary, as: path)
            SystemFile.remove(temporary)
            return isNew
        }
    }

    /// Writes a temporary file and lets `name` give it its name.
    private static func publish(
        _ parts: [[UInt8]], at path: String, for readers: Readers,
        name: (_ temporary: String) throws(ArrayFileError) -> Bool
    ) throws(ArrayFileError) -> Bool {
        let slash = path.lastIndex(of: "/")
        let last = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let prefix = slash.map { String(path[...$0]) } ?? ""
        guard !last.isEmpty else { throw ArrayFileError(.io, "cannot write \(path): it names a folder, not a file") }
        let number = counter.add(1, ordering: .relaxed).newValue
        let temporary = "\(prefix).\(last).\(SystemFile.processID)-\(number).partial"
        let permissions: UInt32 =
            switch readers {
            case .everybody: 0o666
            case .owner: 0o600
            }
        let isNamed: Bool
        do throws(ArrayFileError) {
            let file = try SystemFile(creating: temporary, permissions: permissions)
            for part in parts { try file.write(part) }
            try file.synchronize()
            isNamed = try name(temporary)
        } catch {
            SystemFile.remove(temporary)
            throw ArrayFileError(error.reason, "\(path) was not written: \(error.message)")
        }
        SystemFile.synchronizeFolder(prefix.isEmpty ? "." : prefix)
        return isNamed
    }

    /// Runs `body`, which reads a file and replaces it, while nobody else does so with a file of the same folder.
    ///
    /// - Throws: ``ArrayFileError`` when the folder does not exist or cannot be locked; whatever `body` throws.
    package static func whileNobodyElseChanges<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return try SystemFile.withLockedFolder(folder, body)
    }

    /// The whole of a file, for readers that parse it themselves.
    ///
    /// - Throws: ``ArrayFileError/Reason/missingFile``, ``ArrayFileError/Reason/unsupported`` above `bytesMax`,
    ///   ``ArrayFileError/Reason/io``.
    package static func read(_ path: String, bytesMax: Int) throws(ArrayFileError) -> [UInt8] {
        try SystemFile.contents(of: path, bytesMax: bytesMax)
    }
}
