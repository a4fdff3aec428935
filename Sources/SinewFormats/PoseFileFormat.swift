internal import SinewArrayFiles

/// The files that joints and poses are read from, told by their content.
package enum PoseFileFormat: String, Sendable, CaseIterable {
    /// numpy archive with `joints3d`, or with `poses` in AMASS's layout.
    case npz
    /// An object per line with `joints3d`.
    case jsonLines = "jsonl"
    case openPose = "openpose"
    case easyMocap = "easymocap"
    /// Annotations, or a list of results, AlphaPose's among them.
    case coco
    case mmPose = "mmpose"
    case trc
    case bvh
    /// Acclaim motion; its skeleton is an `.asf` file beside it.
    case amc
    /// glTF, text or binary.
    case gltf
    /// Our own JSON of a rig and its motion.
    case rig

    /// What it is called in messages.
    package var name: String {
        switch self {
        case .npz: "numpy .npz"
        case .jsonLines: "JSON lines"
        case .openPose: "OpenPose"
        case .easyMocap: "EasyMocap"
        case .coco: "COCO or AlphaPose"
        case .mmPose: "MMPose"
        case .trc: "TRC"
        case .bvh: "BVH"
        case .amc: "ASF/AMC"
        case .gltf: "glTF"
        case .rig: "a rig as JSON"
        }
    }

    /// Whether a file holds a rig with its motion.
    var isRig: Bool {
        switch self {
        case .bvh, .amc, .gltf, .rig: true
        case .npz, .jsonLines, .openPose, .easyMocap, .coco, .mmPose, .trc: false
        }
    }

    /// Whether the tool writes one file per frame, so that a folder of them is one clip.
    var isFilePerFrame: Bool {
        switch self {
        case .openPose, .easyMocap: true
        case .npz, .jsonLines, .coco, .mmPose, .trc, .bvh, .amc, .gltf, .rig: false
        }
    }
}

/// A file with what was found out about it.
struct PoseFile {
    let path: String
    let bytes: [UInt8]
    let format: PoseFileFormat
    /// The document, where the format is one JSON value.
    let json: JSONValue?

    /// Bytes of a JSON document that are parsed; its tree takes many times as many.
    private static let documentBytesMax = 512 << 20

    /// Tells the format.
    ///
    /// - Parameter declared: what the caller says it is; only then a contradiction is an error of the reader.
    /// - Throws: ``FormatError/Reason/unreadableFile`` listing what can be read.
    init(path: String, bytes: [UInt8], declared: PoseFileFormat? = nil) throws(FormatError) {
        self.path = path
        self.bytes = bytes
        var document: JSONValue?
        var found = Self.binaryFormat(of: bytes) ?? Self.textFormat(of: bytes)
        let isJSON =
            found == nil && Self.firstByte(of: bytes).map { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") } == true
        if declared ?? found == nil || declared.map(Self.isDocument) == true {
            if isJSON, !Self.looksLikeLines(bytes, path: path) {
                guard bytes.count <= Self.documentBytesMax else {
                    throw FormatError(
                        .unreadableFile,
                        "\(path) has \(bytes.count) bytes; one JSON document may have \(Self.documentBytesMax): split it, or write JSON "
                            + "lines")
                }
                let parsed = try rewording { () throws(ArrayFileError) in
                    try JSONValue.parse(bytes[...], name: path, allowsNonFinite: true)
                }
                document = parsed
                found = Self.format(of: parsed)
            } else if isJSON {
                found = .jsonLines
            }
        }
        json = document
        guard let format = declared ?? found else {
            let known = PoseFileFormat.allCases.map(\.name).joined(separator: ", ")
            throw FormatError(
                .unreadableFile,
                "\(path): its content is none of those that can be read (\(known)); convert it to .npz (numpy.savez with joints3d) or "
                    + ".jsonl (one JSON object per line), or say what it is with --format")
        }
        if Self.isDocument(format), document == nil {
            throw FormatError(.unreadableFile, "\(path) is no JSON document, so it cannot be \(format.name)")
        }
        self.format = format
    }

    /// A whole JSON value, read at once.
    private static func isDocument(_ format: PoseFileFormat) -> Bool {
        switch format {
        case .openPose, .easyMocap, .coco, .mmPose: true
        case .npz, .jsonLines, .trc, .bvh, .amc, .gltf, .rig: false
        }
    }

    private static func binaryFormat(of bytes: [UInt8]) -> PoseFileFormat? {
        if bytes.starts(with: Array("PK".utf8)) { return .npz }
        return bytes.starts(with: Array("glTF".utf8)) ? .gltf : nil
    }

    private static func firstByte(of bytes: [UInt8]) -> UInt8? {
        bytes.prefix(4096).first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D && $0 < 0x80 }
    }

    private static func textFormat(of bytes: [UInt8]) -> PoseFileFormat? {
        let lines = String(decoding: bytes.prefix(4096), as: UTF8.self).split(whereSeparator: \.isNewline)
        for line in lines {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first?.lowercased() else { continue }
            if first == "hierarchy" { return .bvh }
            if first == "pathfiletype" { return .trc }
            if first.hasPrefix("#") { continue }
            return [":fully-specified", ":degrees", ":radians"].contains(first) ? .amc : nil
        }
        return nil
    }

    /// One object per line: the name says so, or the first line is a whole object that has joints or is not alone.
    private static func looksLikeLines(_ bytes: [UInt8], path: String) -> Bool {
        let lowercased = path.lowercased()
        if lowercased.hasSuffix(".jsonl") || lowercased.hasSuffix(".ndjson") { return true }
        guard let start = bytes.firstIndex(where: { $0 > 0x20 }) else { return false }
        let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
        let line = bytes[start..<end]
        guard line.first == UInt8(ascii: "{"), line.last(where: { $0 > 0x20 }) == UInt8(ascii: "}"),
            let object = try? JSONValue.parse(line, name: path, allowsNonFinite: true)
        else { return false }
        return object["joints3d"] != nil || bytes[end...].contains { $0 > 0x20 }
    }

    /// The tool whose output looks like this.
    private static func format(of value: JSONValue) -> PoseFileFormat? {
        if let list = value.array {
            guard let first = list.first else { return nil }
            if first["keypoints3d"] != nil, first["image_id"] == nil { return .easyMocap }
            if first["instances"] != nil || first["keypoint_scores"] != nil && first["image_id"] == nil {
                return .mmPose
            }
            return first["image_id"] != nil || first["pred_xyz_jts"] != nil ? .coco : nil
        }
        if value["annotations"] != nil { return .coco }
        if value["instance_info"] != nil { return .mmPose }
        if value["people"] != nil || value["bodies"] != nil { return .openPose }
        if value["asset"] != nil { return .gltf }
        return value["joints"] != nil ? .rig : nil
    }
}
