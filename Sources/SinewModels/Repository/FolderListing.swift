internal import Glibc

/// The names in a folder.
internal enum FolderListing {
    /// Names of the entries of `path`, sorted, without those that begin with a dot.
    ///
    /// - Returns: nil when there is no such folder or it cannot be read.
    static func names(in path: String) -> [String]? {
        // Owned here: opened and closed in this call, and readdir's memory is copied before the next call.
        guard let folder = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
