internal import Glibc
internal import SinewArrayFiles

/// The files of a job: what the command line, a manifest and standard input name, each with the name that its results get.
package struct JobInputs: Equatable, Sendable {
    package struct Input: Equatable, Sendable {
        /// Where it is read.
        package let path: String
        /// What its result is called: the path without its ending and without the folders that all inputs share.
        package let name: String
    }

    package let inputs: [Input]

    /// The path that stands for people in JSON lines on standard input.
    package static let standardInput = "-"

    /// Finds the files.
    ///
    /// - Parameters:
    ///   - arguments: paths, and patterns for those that the shell did not expand.
    ///   - manifest: a file with a path or pattern on each line, relative to its folder.
    /// - Throws: ``CommandFailure``.
    package init(arguments: [String], manifest: String?) throws {
        if arguments == ["-"], manifest == nil {
            inputs = [Input(path: Self.standardInput, name: "stdin")]
            return
        }
        var paths = try arguments.flatMap { try Self.expand($0, named: "'\($0)'") }
        if let manifest { paths += try Self.read(manifest: manifest) }
        guard !paths.isEmpty else {
            throw CommandFailure(
                .usage, "no input: give files, patterns, --manifest FILE, or - for people on standard input")
        }
        var seen: Set<String> = []
        for path in paths where !seen.insert(path).inserted {
            throw CommandFailure(.usage, "'\(path)' is given twice; leave one out")
        }
        inputs = try zip(paths, Self.names(of: paths)).map { path, name in
            guard TaskLabel.isName(name) else {
                throw CommandFailure(
                    .usage,
                    "'\(path)' cannot give its result a name: at most \(TaskLabel.nameBytesMax) bytes, no control characters and no '..' "
                        + "below the folder that all inputs share; rename it")
            }
            return Input(path: path, name: name)
        }
    }

    // MARK: Finding

    private static func expand(_ argument: String, named: String) throws -> [String] {
        var information = stat()
        if unsafe stat(argument, &information) == 0 {
            guard information.st_mode & S_IFMT != S_IFDIR else {
                throw CommandFailure(
                    .usage,
                    "\(named) is a folder: write '\(argument)/*.npz', or make one file of a folder of frames: sinew convert "
                        + "'\(argument)' -o people.npz")
            }
            return [argument]
        }
        guard argument.contains(where: { "*?[".contains($0) }) else {
            throw CommandFailure(.noInput, "\(named) does not exist; check the path")
        }
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe glob(argument, 0, nil, &found) == 0 else {
            throw CommandFailure(.noInput, "\(named) matches no file; check the pattern")
        }
        return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
            unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
        }
    }

    private static func read(manifest: String) throws -> [String] {
        let bytes =
            manifest == "-"
            ? try FileContents.readStandardInput(bytesMax: manifestBytesMax)
            : try AtomicFile.read(manifest, bytesMax: manifestBytesMax)
        let text = String(decoding: bytes, as: UTF8.self)
        let folder = manifest.lastIndex(of: "/").map { String(manifest[...$0]) } ?? ""
        var paths: [String] = []
        for (index, entry) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if entry.isEmpty || entry.hasPrefix("#") { continue }
            let full = entry.hasPrefix("/") ? String(entry) : folder + entry
            paths += try expand(full, named: "line \(index + 1) of \(manifest): '\(full)'")
        }
        guard !paths.isEmpty else { throw CommandFailure(.badData, "the manifest \(manifest) names no file") }
        return paths
    }

    private static let manifestBytesMax = 256 << 20

    // MARK: Naming

    /// The paths without the folders that all of them share and without their endings; with them where two would be the same.
    static func names(of paths: [String]) -> [String] {
        let parts = paths.map { path in
            path.split(separator: "/").filter { $0 != "." }
        }
        var shared = 0
        while let first = parts.first, first.count > shared + 1,
            parts.allSatisfy({ $0.count > shared + 1 && $0[shared] == first[shared] })
        {
            shared += 1
        }
        let whole = parts.map { $0.dropFirst(shared).joined(separator: "/") }
        let stems = whole.map { name -> String in
            guard let dot = name.lastIndex(of: "."), dot != name.startIndex, name[name.index(before: dot)] != "/" else {
                return name
            }
            return name[dot...].contains("/") ? name : String(name[..<dot])
        }
        var uses: [String: Int] = [:]
        for stem in stems { uses[stem, default: 0] += 1 }
        return zip(whole, stems).map { whole, stem in uses[stem] == 1 ? stem : whole }
    }
}
