internal import Glibc
internal import SinewArrayFiles

extension PoseInput {
    /// Reads a file or, of tools that write a file per frame, a folder; ``PoseFileFormat`` lists the formats, told by content.
    ///
    /// `.npz`, arrays by name (only `joints3d` is needed):
    /// - `joints3d` `(N, J, 3)`, one person in N frames or N unrelated people, or `(T, P, J, 3)`;
    /// - `skeleton` a name of ``Skeleton/all``; `unit` `m`, `cm` or `mm`; `up_axis` `y`, `z`, `-y`…; `fps`;
    /// - `sigma` (as `unit`) or `confidence` (0…1; 0 means not seen) and `observed`, each `(N, J)` or `(T, P, J)`;
    /// - `twist` `(…, 23)` radians or `(…, 23, 2)` cosine and sine;
    /// - `betas` `(10)`, one row per person or per row of joints; `gender` one or one per person; `track` one per person, `frame` one per frame.
    ///
    /// JSON lines (`.jsonl`, `.ndjson`): an object per line with the same names; `joints3d` is `[J][3]` for one person or
    /// `[P][J][3]` for one frame, `null` stands for a joint that was not seen; `frame` and `track` place the row. A first line
    /// without `joints3d` gives defaults.
    ///
    /// The files of other tools: see their readers. Of a rig's motion the joints that are SMPL's are taken.
    /// - Throws: ``FormatError`` with file, frame, person and joint.
    package static func read(path: String, options: Options = Options()) throws(FormatError) -> PoseInput {
        try PoseInput(checking: try raw(path: path, options: options), options: options)
    }

    /// Reads JSON lines that are in memory.
    ///
    /// - Parameter path: what messages call them.
    /// - Throws: ``FormatError``.
    package static func read(
        jsonLines bytes: [UInt8], path: String, options: Options = Options()
    ) throws(FormatError) -> PoseInput {
        try PoseInput(checking: try JSONLinesPoseReader.read(bytes, path: path, options: options), options: options)
    }

    /// Reads a file that is in memory; `path` is what messages call it, and where a skeleton or a buffer beside it is looked for.
    ///
    /// - Throws: ``FormatError``.
    package static func read(
        _ bytes: [UInt8], path: String, options: Options = Options()
    ) throws(FormatError) -> PoseInput {
        try PoseInput(checking: try raw(bytes, path: path, options: options), options: options)
    }

    private static func raw(path: String, options: Options) throws(FormatError) -> RawPeople {
        if isFolder(path) { return try raw(folder: path, options: options) }
        let bytes = try rewording { () throws(ArrayFileError) in try FileContents.read(path) }
        return try raw(bytes, path: path, options: options)
    }

    private static func raw(_ bytes: [UInt8], path: String, options: Options) throws(FormatError) -> RawPeople {
        let file = try PoseFile(path: path, bytes: bytes, declared: options.format)
        let number = KeypointJSON.lastNumber(in: path.split(separator: "/").last ?? "") ?? 0
        let frame = JSONFrame(number: number, path: path, value: file.json ?? .null)
        switch file.format {
        case .npz: return try NPZPoseReader.read(bytes, path: path, options: options)
        case .jsonLines: return try JSONLinesPoseReader.read(bytes, path: path, options: options)
        case .openPose: return try OpenPoseReader.read([frame], path: path, options: options)
        case .easyMocap: return try EasyMocapReader.read([frame], path: path, options: options)
        case .coco:
            return frame.value.array == nil
                ? try COCOReader.read(annotations: frame.value, path: path, options: options)
                : try COCOReader.read(results: frame.value, path: path, options: options)
        case .mmPose: return try MMPoseReader.read(frame.value, path: path, options: options)
        case .trc: return try TRCReader.read(bytes, path: path, options: options)
        case .bvh, .amc, .gltf, .rig:
            let clip = try RigClip.read(file, skeleton: options.rigPath)
            return try RigObservations.people(of: clip, path: path, format: file.format)
        }
    }

    /// The files of a folder, in the order of their frames.
    private static func raw(folder: String, options: Options) throws(FormatError) -> RawPeople {
        var frames: [JSONFrame] = []
        var format: PoseFileFormat?
        for path in try FolderListing.files(of: folder, endingIn: ".json") {
            let bytes = try rewording { () throws(ArrayFileError) in try FileContents.read(path) }
            // A frame in which nobody was seen may be an empty list, which every tool writes.
            if bytes.allSatisfy({ $0 <= 0x20 || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }) { continue }
            let file = try PoseFile(path: path, bytes: bytes, declared: options.format)
            guard file.format.isFilePerFrame, let value = file.json else {
                throw FormatError(
                    .unreadableFile,
                    "\(path) is \(file.format.name); a folder is read when it holds one file per frame (OpenPose, EasyMocap); give the "
                        + "file itself")
            }
            guard format ?? file.format == file.format else {
                throw FormatError(
                    .unreadableFile, "\(path) is \(file.format.name), the files before it are not; use a folder each")
            }
            format = file.format
            let name = path.split(separator: "/").last ?? ""
            frames.append(
                JSONFrame(number: KeypointJSON.lastNumber(in: name) ?? frames.count, path: path, value: value))
        }
        frames.sort { ($0.number, $0.path) < ($1.number, $1.path) }
        if let repeated = zip(frames, frames.dropFirst()).first(where: { $0.number == $1.number }) {
            throw FormatError(
                .invalidData,
                "\(repeated.0.path) and \(repeated.1.path) both are frame \(repeated.0.number); use a folder for each clip"
            )
        }
        guard let format else {
            throw FormatError(
                .unreadableFile, "\(folder) holds no frames (.json files of OpenPose or EasyMocap); give a file")
        }
        return format == .openPose
            ? try OpenPoseReader.read(frames, path: folder, options: options)
            : try EasyMocapReader.read(frames, path: folder, options: options)
    }

    private static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }
}
