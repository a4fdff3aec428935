import FoundationEssentials
import SinewArrayFiles
import SinewBody
import SinewCommands
import SinewFormats
import TestSupport
import Testing

/// `sinew retarget` as a person runs it.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineRetargetTests {
    private struct Summary: Decodable {
        let frames, rig_joints, matched_joints: Int
        let unmatched_smpl_joints: [String]
        let metres_per_unit: Double
    }

    /// A rig in centimetres with SMPL's build; `names` renames joints.
    private func rig(names: [Int: String] = [:]) throws -> String {
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
        let skeleton = Skeleton.smpl24
        let joints = (0..<24).map { joint in
            let parent = skeleton.parents[joint]
            let origin = parent < 0 ? SIMD3<Double>.zero : rest.vector(at: parent * 3)
            let offset = 100 * (rest.vector(at: joint * 3) - origin)
            let above = parent < 0 ? "null" : "\"\(names[parent] ?? skeleton.jointNames[parent])\""
            return "{\"name\": \"\(names[joint] ?? skeleton.jointNames[joint])\", \"parent\": \(above), "
                + "\"offset\": [\(offset.x), \(offset.y), \(offset.z)]}"
        }
        return "{\"joints\": [\(joints.joined(separator: ", "))]}"
    }

    private func poses(seed: UInt64) -> PoseClip {
        var random = SplitMix64(seed: seed)
        return PoseClip(
            theta: (0..<(5 * 72)).map { _ in .random(in: -0.5...0.5, using: &random) },
            translation: (0..<15).map { _ in .random(in: -1...1, using: &random) },
            betas: [0.5, -1] + [Float](repeating: 0, count: 8), gender: .female, framesPerSecond: 60)
    }

    @Test(arguments: ["bvh", "json", "glb"])
    func `poses go to a rig and come back within a hundredth of a degree`(ending: String) async throws {
        try await withFolder { folder in
            try poses(seed: 3).write(to: "\(folder)/in.npz")
            try write(try rig(), to: "\(folder)/rig.json")
            let there = try await CommandLineTool.run(
                "retarget", "\(folder)/in.npz", "--rig", "\(folder)/rig.json", "-o", "\(folder)/out.\(ending)", "--json"
            )
            #expect(there.status == 0, "\(there.talk)")
            let summary = try JSONDecoder().decode(Summary.self, from: Data(there.output.utf8))
            #expect(summary.frames == 5 && summary.matched_joints == 24 && summary.unmatched_smpl_joints.isEmpty)
            let back = try await CommandLineTool.run(
                "retarget", "\(folder)/out.\(ending)", "-o", "\(folder)/back.npz", "--gender", "female", "--betas",
                "0.5,-1")
            #expect(back.status == 0, "\(back.talk)")
            let (before, after) = (poses(seed: 3), try PoseClip.read(path: "\(folder)/back.npz"))
            #expect(after.count == 5 && abs(after.framesPerSecond - 60) < 1e-6 && after.gender == .female)
            let rest = try BodyModel.bundled(.female).restJoints(betas: before.betas)
            for frame in 0..<5 {
                let (a, b) = (before.pose(frame, restJoints: rest), after.pose(frame, restJoints: rest))
                for joint in 0..<24 { #expect(a.rotations[joint].angle(to: b.rotations[joint]) < 1.7e-4) }
                #expect(length(a.pelvis - b.pelvis) < 1e-4)
            }
        }
    }

    @Test func `joints whose names say nothing are asked for and can be told`() async throws {
        try await withFolder { folder in
            try poses(seed: 4).write(to: "\(folder)/in.npz")
            try write(try rig(names: [4: "bone7"]), to: "\(folder)/rig.json")
            let words = ["retarget", "\(folder)/in.npz", "--rig", "\(folder)/rig.json", "-o", "\(folder)/out.bvh"]
            let asked = try await CommandLineTool.run(words)
            #expect(asked.status == CommandStatus.badData.rawValue && asked.talk.contains("left_knee"), "\(asked.talk)")
            #expect(names(in: folder) == ["in.npz", "rig.json"])
            #expect(try await CommandLineTool.run(words + ["--map", "bone7=left_knee"]).status == 0)
        }
    }

    @Test func `what does not go together is refused with what to type`() async throws {
        try await withFolder { folder in
            try write(try rig(), to: "\(folder)/rig.json")
            let cases: [([String], CommandStatus, String)] = [
                (["in.npz", "-o", "\(folder)/out.bvh"], .usage, "--rig"),
                (["\(folder)/rig.json", "-o", "\(folder)/out.npz", "--rig", "x.bvh"], .usage, "--rig is for"),
                (["\(folder)/rig.json", "-o", "\(folder)/out.npz"], .badData, "no motion"),
                (["\(folder)/rig.json", "-o", "\(folder)/out.npz", "--betas", "a"], .usage, "--betas"),
                (["\(folder)/rig.json", "-o", "\(folder)/out.npz", "--map", "a"], .usage, "RIGJOINT=SMPLJOINT"),
                (["\(folder)/none.bvh", "-o", "\(folder)/out.npz"], .noInput, "none.bvh"),
                (["\(folder)/rig.json", "-o", "\(folder)/out.txt"], .usage, ".npz"),
            ]
            for (words, status, fragment) in cases {
                let done = try await CommandLineTool.run(["retarget"] + words)
                #expect(done.status == status.rawValue && done.talk.contains(fragment), "\(words): \(done.talk)")
            }
        }
    }
}
