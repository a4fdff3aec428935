internal import Glibc

/// The folder of a store, held by this process alone for as long as the value lives.
///
/// `flock` ends with the process, however it ends, so a lock is never left behind.
struct StoreFolder: ~Copyable {
    let path: String
    private let descriptor: Int32

    var databasePath: String { path + "/jobs.sqlite3" }

    /// Makes the folder, readable by its owner alone, if it is not there, and takes it.
    init(_ path: String) throws(JobStoreOpenError) {
        try Self.makeFolders(path)
        let lockPath = path + "/lock"
        let descriptor = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw JobStoreOpenError(
                .notAccessible,
                "cannot open \(lockPath): \(Self.text(of: errno)); the job store needs a folder it can write to")
        }
        guard Self.lock(descriptor) else {
            let code = errno
            let holder = Self.processNamed(in: descriptor)
            _ = close(descriptor)
            guard code == EWOULDBLOCK else {
                throw JobStoreOpenError(.notAccessible, "cannot lock \(lockPath): \(Self.text(of: code))")
            }
            throw JobStoreOpenError(
                .inUse,
                "the job store \(path) is in use by another broker\(holder); stop that one, or give this one a folder of its own with `--store FOLDER`"
            )
        }
        Self.writeOwnProcess(to: descriptor)
        self.path = path
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// Bytes of the database and its log on disk.
    var bytesOnDisk: Int {
        var bytes = 0
        for name in [databasePath, databasePath + "-wal"] {
            var status = stat()
            if unsafe stat(name, &status) == 0 { bytes += Int(status.st_size) }
        }
        return bytes
    }

    /// A broker that was just killed holds its lock until the system has taken its memory back, so a second is waited.
    private static func lock(_ descriptor: Int32) -> Bool {
        for _ in 0..<40 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK else { return false }
            usleep(25_000)
        }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Bytes that the disk of the folder has left for us; nil when the system does not say.
    var bytesFree: Int? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }

    /// Bytes of the log: what opening the store may have to find room for in the database.
    var logBytes: Int {
        var status = stat()
        return unsafe stat(databasePath + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }

    private static func makeFolders(_ path: String) throws(JobStoreOpenError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard unsafe mkdir(made, 0o700) != 0 else { continue }
            let code = errno
            // A folder above may be there and not ours to write to.
            let isThere = unsafe access(made, X_OK) == 0
            guard code == EEXIST || isThere else {
                throw JobStoreOpenError(
                    .notAccessible, "cannot make the folder \(made) for the job store: \(text(of: code))")
            }
        }
    }

    /// For the message to the one who comes second.
    private static func processNamed(in descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0, let process = Int(String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self)) else {
            return ""
        }
        return " (process \(process))"
    }

    private static func writeOwnProcess(to descriptor: Int32) {
        let line = Array("\(getpid())\n".utf8)
        // Only for a message: the lock holds with or without it.
        _ = ftruncate(descriptor, 0)
        _ = unsafe pwrite(descriptor, line, line.count, 0)
    }

    private static func text(of code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
