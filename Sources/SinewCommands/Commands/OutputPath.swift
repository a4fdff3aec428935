internal import Glibc
internal import SinewFormats
internal import SinewPictures

/// Checks where a result will be written before the work starts, so that an hour of solving does not end in a typing error.
enum OutputPath {
    /// - Throws: ``CommandFailure`` when the name has the wrong ending, or its folder is missing or not writable.
    static func check(_ path: String, endingWith ending: String) throws(CommandFailure) {
        try check(path, endingWith: [ending])
    }

    /// - Parameter endings: those that are possible, the usual one first.
    static func check(_ path: String, endingWith endings: [String]) throws(CommandFailure) {
        guard endings.contains(where: path.hasSuffix) else {
            throw CommandFailure(
                .usage,
                "the output '\(path)' does not end in \(endings.joined(separator: ", ")): write -o NAME\(endings[0])")
        }
        let folder = parentFolder(of: path)
        var information = stat()
        guard unsafe stat(folder, &information) == 0 else {
            throw CommandFailure(
                .noInput,
                "the output folder '\(folder)' does not exist: make it with mkdir -p '\(folder)' and try again")
        }
        guard unsafe access(folder, W_OK | X_OK) == 0 else {
            throw CommandFailure(
                .refused,
                "the output folder '\(folder)' cannot be written to: \(systemMessage(errno)); choose another with -o")
        }
        if isFolder(path) {
            throw CommandFailure(.usage, "the output '\(path)' is a folder: write -o NAME\(endings[0])")
        }
    }

    /// The picture that a file's name asks for, once the file can be written.
    static func pictureFormat(of path: String) throws(CommandFailure) -> PictureFormat {
        guard let format = PictureFormat(path: path) else {
            let endings = PictureFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(
                .usage, "the ending of '\(path)' is no picture's: write -o NAME with one of \(endings)")
        }
        try check(path, endingWith: String(path.suffix(format.rawValue.count)))
        return format
    }

    /// Whether there is a folder of that name.
    static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a folder for results when it is not there; its parent must exist.
    static func makeFolder(_ path: String) throws(CommandFailure) {
        guard unsafe mkdir(path, 0o777) != 0, errno != EEXIST else { return }
        throw CommandFailure(
            .refused, "the output folder '\(path)' cannot be made: \(systemMessage(errno)); choose another with -o")
    }

    private static func parentFolder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
