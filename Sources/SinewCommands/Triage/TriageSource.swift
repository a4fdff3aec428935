internal import Glibc
internal import SinewClient
internal import SinewFormats

/// Where the frames come from that `sinew triage` ranks: a job, or files and folders of solved poses.
enum TriageSource {
    case job(JobReference)
    case files([String])

    /// What people typed: one job, or paths. What exists as a file is one, whatever it is called.
    ///
    /// - Throws: ``CommandFailure`` when a path does not exist.
    init(_ arguments: [String]) throws(CommandFailure) {
        let missing = arguments.first { unsafe access($0, F_OK) != 0 }
        guard let missing else {
            self = .files(arguments)
            return
        }
        if arguments.count == 1, let job = try? JobReference(missing) {
            self = .job(job)
            return
        }
        throw CommandFailure(
            .noInput,
            "there is no file or folder '\(missing)', and it is no job's id either; sinew jobs lists jobs")
    }

    /// The frames of files, each called as it was typed; folders are read with what is below them.
    static func table(of paths: [String]) throws -> TriageTable {
        var table = TriageTable()
        for path in try expanded(paths) {
            let output = try PoseOutput.read(path: path)
            guard output.isMeasured else {
                throw CommandFailure(
                    .badData,
                    "\(path) holds poses without measures of quality; rank files that sinew solve or sinew get wrote (.npz or .jsonl)"
                )
            }
            table.add(output, file: path)
        }
        return table
    }

    /// Folders replaced by the `.npz` files in and below them, in the order of their names.
    private static func expanded(_ paths: [String]) throws -> [String] {
        var files: [String] = []
        for path in paths {
            guard OutputPath.isFolder(path) else {
                files.append(path)
                continue
            }
            let found = try FolderTree.files(in: path, endingIn: ".npz")
            guard !found.isEmpty else {
                throw CommandFailure(
                    .noInput, "there is no .npz in or below '\(path)'; name the folder of sinew get -o")
            }
            files += found
        }
        return files
    }

    /// The frames of a job, once it has ended; files are called as its inputs were.
    static func table(of handle: JobHandle) async throws -> TriageTable {
        var table = TriageTable()
        var outputs: [(String, PoseOutput)] = []
        var files = JobFiles { name, output in
            outputs.append((name, output))
            return []
        }
        var cursor: UInt64 = 0
        while true {
            let page = try await handle.resultPage(after: cursor, wait: .seconds(10))
            for result in page.results { try files.take(result, behind: cursor) }
            // Poses are let go of as soon as their measures are noted.
            for (name, output) in outputs { table.add(output, file: name, areLostAdded: false) }
            outputs = []
            cursor = page.nextCursor
            if page.isComplete { break }
        }
        _ = try files.finishAll()
        for (name, output) in outputs { table.add(output, file: name, areLostAdded: false) }
        for failure in files.failures {
            table.addLost(
                file: failure.file, track: failure.track, frame: failure.frame,
                reason: failure.message.isEmpty ? failure.outcome : failure.message)
        }
        return table
    }
}

/// Files in a folder and in those below it.
enum FolderTree {
    /// Deeper folders are refused: nobody's results lie there, and a link may lead back up.
    private static let depthMax = 16

    /// Paths of the files with an ending, in the order of their names; what begins with a dot is left out.
    static func files(in folder: String, endingIn ending: String, depth: Int = 0) throws -> [String] {
        guard depth <= depthMax else {
            throw CommandFailure(.badData, "'\(folder)' lies more than \(depthMax) folders deep; name the inner folder")
        }
        var files: [String] = []
        for name in try names(in: folder) where !name.hasPrefix(".") {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if OutputPath.isFolder(path) {
                files += try Self.files(in: path, endingIn: ending, depth: depth + 1)
            } else if name.hasSuffix(ending) {
                files.append(path)
            }
        }
        return files
    }

    private static func names(in folder: String) throws -> [String] {
        guard let listing = unsafe opendir(folder) else {
            throw CommandFailure(.noInput, "the folder '\(folder)' cannot be read: \(systemMessage(errno))")
        }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while let entry = unsafe readdir(listing) {
            names.append(
                unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.sorted()
    }
}
