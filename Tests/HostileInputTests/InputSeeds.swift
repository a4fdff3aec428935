import FoundationEssentials
import FuzzTargets

/// Where damage starts from: golden files of the other tests, and every input in `tools/fuzz/crashes` that once broke a target.
enum InputSeeds {
    /// The repository: this file is Tests/HostileInputTests/InputSeeds.swift.
    private static let top = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    static func inputs(of target: FuzzTarget) throws -> [[UInt8]] {
        try crashes(of: target) + goldens(of: target)
    }

    private static func crashes(of target: FuzzTarget) throws -> [[UInt8]] {
        let folder = "/\(top)/tools/fuzz/crashes/\(target.rawValue)"
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { try read("\(folder)/\($0)") }
    }

    private static func goldens(of target: FuzzTarget) throws -> [[UInt8]] {
        switch target {
        case .wire: return try vectors()
        case .pickle:
            return try fixtures([
                "SinewImportTests/Fixtures/protocol0.pkl", "SinewImportTests/Fixtures/protocol2.pkl",
                "SinewImportTests/Fixtures/protocol5.pkl", "SinewImportTests/Fixtures/sparse.pkl",
                "SinewImportTests/Fixtures/tiny_female_protocol2.pkl",
            ])
        case .torch:
            return try fixtures([
                "SinewImportTests/Fixtures/niki_ts.pth", "SinewImportTests/Fixtures/niki_one_stage_legacy.pth",
                "SinewImportTests/Fixtures/smpl_ik.ckpt",
            ])
        case .npz:
            return try fixtures([
                "SinewArrayFilesTests/Fixtures/numpy_deflated.npz", "SinewArrayFilesTests/Fixtures/numpy_stored.npz",
                "SinewArrayFilesTests/Fixtures/numpy_pickled.npz", "SinewFormatsTests/Fixtures/two_people.npz",
            ])
        case .safetensors: return try fixtures(["SinewArrayFilesTests/Fixtures/reference.safetensors"])
        case .json: return [Array(#"{"a": [1, -2.5e3, true, null, "\u00e9\n"], "b": {"c": [[], {}]}}"#.utf8)]
        case .poses:
            return try fixtures(
                [
                    "easymocap/000003.json", "openpose/clip_000000000002_keypoints.json", "coco.json", "mmpose.json",
                    "walk.trc", "alphapose_2d.json",
                ].map { "SinewFormatsTests/Fixtures/keypoints/" + $0 } + ["SinewFormatsTests/Fixtures/two_people.jsonl"]
            )
        case .gltf:
            return try fixtures([
                "SinewFormatsTests/Fixtures/exported_rig.glb", "SinewFormatsTests/Fixtures/exported_rig_embedded.gltf",
            ])
        case .broker:
            // A worker comes, calls are made, answered and returned; time passes; the broker drains.
            return [
                [4, 0, 3, 0, 9, 2, 1, 9, 4, 8, 0, 0, 8, 0, 1, 12, 200, 200, 0, 9, 2, 10, 0, 0, 5, 0, 0, 13, 2, 9],
                [4, 0, 10, 4, 1, 10, 0, 3, 5, 0, 4, 6, 7, 0, 0, 6, 1, 0, 12, 255, 255, 8, 0, 0, 8, 0, 1, 11, 0, 0],
            ]
        }
    }

    /// The golden vectors of the wire, each behind the byte that chooses its message in `fuzzWire`.
    private static func vectors() throws -> [[UInt8]] {
        let messages: [(name: String, number: UInt8)] = [
            ("head-call", 0), ("head-task", 0), ("lenient-head-longer", 0), ("error-detail", 1),
            ("fleet-status-reply", 2), ("list-models-reply", 3), ("solve-poses-request", 5),
            ("solve-effectors-request", 6), ("solve-poses-reply", 7), ("worker-hello", 8), ("worker-welcome", 10),
        ]
        return try messages.map { message in
            let lines = String(decoding: try read("/\(top)/proto/vectors/\(message.name).hex"), as: UTF8.self)
                .split(separator: "\n").map { $0.split(separator: "#", omittingEmptySubsequences: false)[0] }
            let digits = Array(lines.joined().utf8.filter { $0 != 0x20 })
            return [message.number]
                + stride(from: 0, to: digits.count - 1, by: 2).map { nibble(digits[$0]) << 4 | nibble(digits[$0 + 1]) }
        }
    }

    private static func nibble(_ digit: UInt8) -> UInt8 { digit < 0x40 ? digit - 0x30 : digit - 0x61 + 10 }

    private static func fixtures(_ paths: [String]) throws -> [[UInt8]] {
        try paths.map { try read("/\(top)/Tests/\($0)") }
    }

    private static func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}
