internal import Glibc

/// What is in a folder, by name.
enum FolderListing {
    /// More entries than this are refused: eleven hours of frames at 25 a second.
    private static let entriesMax = 1_000_000

    /// The paths of the files with that ending, sorted.
    ///
    /// - Throws: ``FormatError`` when the folder cannot be read or holds too much.
    static func files(of folder: String, endingIn ending: String) throws(FormatError) -> [String] {
        guard let stream = unsafe opendir(folder) else {
            throw FormatError(
                .missingFile, "\(folder) cannot be opened as a folder; check the path and its permissions")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // The name is a C array inside the entry, closed by a zero byte.
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(ending), !name.hasPrefix(".") else { continue }
            names.append(name)
            guard names.count <= entriesMax else {
                throw FormatError(.unreadableFile, "\(folder) holds more than \(entriesMax) files; split it")
            }
        }
        return names.sorted().map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
    }
}
