internal import Glibc

/// Owns one file descriptor: opened once, closed once.
///
/// All calls to the operating system's file interface are in this file; pointers never leave the call they are made for.
struct SystemFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Opens an existing file to read.
    init(reading path: String) throws(ArrayFileError) {
        descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        let code = errno
        guard descriptor >= 0 else { throw Self.error(code, "cannot open \(path)") }
    }

    /// Creates a file that must not exist yet.
    ///
    /// - Parameter permissions: who may read and write it; the process's umask takes some away.
    init(creating path: String, permissions: UInt32 = 0o666) throws(ArrayFileError) {
        descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(permissions))
        self.path = path
        let code = errno
        guard descriptor >= 0 else { throw Self.error(code, "cannot create \(path)") }
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

    /// The size in bytes of a regular file.
    ///
    /// - Throws: ``ArrayFileError/Reason/io`` for folders, devices and pipes, whose size is not known beforehand.
    func byteCount() throws(ArrayFileError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.error(errno, "cannot look at \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ArrayFileError(.io, "\(path) is not a regular file; give the path of a file")
        }
        return Int(status.st_size)
    }

    /// Reads at most `count` bytes; an empty array is the end of the file.
    func read(upTo count: Int) throws(ArrayFileError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var got = 0
            repeat {
                got = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
                code = got < 0 ? errno : 0
            } while got < 0 && code == EINTR
            initialized = max(got, 0)
        }
        guard code == 0 else { throw Self.error(code, "cannot read \(path)") }
        return bytes
    }

    /// Writes everything.
    func write(_ bytes: [UInt8]) throws(ArrayFileError) {
        var written = 0
        while written < bytes.count {
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + written, bytes.count - written)
            }
            if result >= 0 {
                written += result
            } else if errno != EINTR {
                throw Self.error(errno, "cannot write \(path)")
            }
        }
    }

    /// Waits until the bytes are on the disk.
    func synchronize() throws(ArrayFileError) {
        guard fsync(descriptor) == 0 else { throw Self.error(errno, "cannot flush \(path) to the disk") }
    }

    /// The whole of a regular file.
    ///
    /// - Throws: ``ArrayFileError/Reason/unsupported`` for more than `bytesMax` bytes.
    static func contents(of path: String, bytesMax: Int = ElementType.bytesMax) throws(ArrayFileError) -> [UInt8] {
        let file = try SystemFile(reading: path)
        let size = try file.byteCount()
        guard size <= bytesMax else {
            throw ArrayFileError(
                .unsupported, "\(path) has \(size) bytes, more than the limit of \(bytesMax); split it")
        }
        var bytes: [UInt8] = []
        while true {
            // One byte more than expected, so that a file that fits is read by one call and its end by the next.
            let part = try file.read(upTo: min(max(size - bytes.count + 1, 4096), 1 << 30))
            if part.isEmpty { return bytes }
            if bytes.isEmpty { bytes = part } else { bytes += part }
            guard bytes.count <= bytesMax else {
                throw ArrayFileError(.unsupported, "\(path) grew beyond \(bytesMax) bytes while it was read")
            }
        }
    }

    /// Renames over whatever is at `target`, in one step.
    static func rename(_ source: String, to target: String) throws(ArrayFileError) {
        guard unsafe Glibc.rename(source, target) == 0 else {
            throw error(errno, "cannot rename the finished file to \(target)")
        }
    }

    /// Gives a finished file a further name, in one step; false when there is a file of this name.
    static func link(_ source: String, as target: String) throws(ArrayFileError) -> Bool {
        guard unsafe Glibc.link(source, target) != 0 else { return true }
        let code = errno
        if code == EEXIST { return false }
        throw error(code, "cannot give the finished file the name \(target)")
    }

    /// Runs `body` while no other process that asks for the same lock has it; the kernel frees it when a process ends.
    static func withLockedFolder<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let folder = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw error(errno, "cannot open the folder \(path)") }
        defer { _ = Glibc.close(folder) }
        while flock(folder, LOCK_EX) != 0 {
            let code = errno
            guard code == EINTR else { throw error(code, "cannot lock the folder \(path)") }
        }
        return try body()
    }

    /// What the system knows of a file.
    static func status(of path: String) throws(ArrayFileError) -> stat {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw error(errno, "cannot look at \(path)") }
        return status
    }

    /// Removes a file; used to clean up, so a failure is not reported.
    static func remove(_ path: String) { _ = unsafe Glibc.unlink(path) }

    /// Makes a rename in the folder survive a power cut.
    static func synchronizeFolder(_ path: String) {
        let folder = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        // Some file systems refuse fsync on a folder; the data itself was synchronised before the rename.
        _ = fsync(folder)
        _ = Glibc.close(folder)
    }

    /// This process, for the names of temporary files.
    static var processID: Int { Int(getpid()) }

    private static func error(_ code: Int32, _ what: String) -> ArrayFileError {
        // strerror's buffer is copied before any other call of this thread.
        let why = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        switch code {
        case ENOENT, ENOTDIR: return ArrayFileError(.missingFile, "\(what): \(why); check the path")
        case EACCES, EPERM: return ArrayFileError(.io, "\(what): \(why); check the file's and the folder's permissions")
        case ENOSPC: return ArrayFileError(.io, "\(what): \(why); free some space or choose another folder")
        default: return ArrayFileError(.io, "\(what): \(why)")
        }
    }
}
