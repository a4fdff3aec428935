internal import Glibc

/// What tells one state of a file from a later one without reading it.
package struct FileVersion: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let byteCount: Int64
    private let modifiedSeconds: Int64
    private let modifiedNanoseconds: Int64
    private let permissions: UInt32
    private let isOurs: Bool

    /// Looks at a file.
    ///
    /// - Throws: ``ArrayFileError``, for example when it does not exist.
    package init(of path: String) throws(ArrayFileError) {
        let status = try SystemFile.status(of: path)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        byteCount = Int64(status.st_size)
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
        permissions = UInt32(status.st_mode) & 0o777
        isOurs = status.st_uid == geteuid()
    }

    /// Whether people other than the owner and the group may change it.
    package var isWritableByEverybody: Bool { permissions & 0o002 != 0 }

    /// Whether this user's own file may be read or changed by others. What another user has lent (a service manager, say) is his to guard.
    package var isOpenToOthers: Bool { isOurs && permissions & 0o077 != 0 }
}
