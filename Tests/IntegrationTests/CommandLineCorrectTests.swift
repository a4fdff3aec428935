import FoundationEssentials
import SinewArrayFiles
import SinewBody
import SinewCommands
import SinewFormats
import TestSupport
import Testing

/// `sinew correct` as an annotator runs it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandLineCorrectTests {
    private struct Summary: Decodable {
        struct Frame: Decodable {
            let track: String
            let frame: Int
            let joints: [Int]
            let miss_mm, disturbance_mm: Double
        }
        let model: String
        let outputs: [String]
        let corrected: [Frame]
    }

    private func summary(_ output: String) throws -> Summary {
        try JSONDecoder().decode(Summary.self, from: Data(output.utf8))
    }

    /// Solved poses of people with random small turns, in a file.
    private func solve(_ folder: String, rows: Int, seed: UInt64, people: Int = 1, to name: String) async throws {
        let shape = people == 1 ? nil : [rows / people, people, 29, 3]
        try AtomicFile.write(PeopleFile(rows: rows, seed: seed).encoded(shape: shape), to: "\(folder)/in.npz")
        let done = try await CommandLineTool.run(
            "solve", "\(folder)/in.npz", "-o", "\(folder)/\(name)", "--local", "--model", "hybrik")
        guard done.status == 0 else { throw Trouble("solve failed: \(done.talk)") }
    }

    /// Where a joint of a frame comes to when some joints turn by half a radian: a place that the body reaches.
    private func place(_ joint: Int, of output: PoseOutput, row: Int, turning joints: [Int], seed: UInt64) throws
        -> SIMD3<Double>
    {
        var random = SplitMix64(seed: seed)
        let track = output.tracks[0]
        var rotations: [Float] = []
        for index in 0..<24 {
            var matrix = RotationMatrix(AxisAngle(track.theta.vector(at: row * 72 + index * 3)))
            if joints.contains(index) {
                let axis = SIMD3<Double>(
                    .random(in: -1...1, using: &random), .random(in: -1...1, using: &random),
                    .random(in: -1...1, using: &random))
                matrix = matrix * RotationMatrix(AxisAngle(0.5 / length(axis) * axis))
            }
            var numbers = [Float](repeating: 0, count: 9)
            matrix.write(into: &numbers, at: 0)
            rotations += numbers
        }
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
        let posed = ForwardKinematics.pose(rotations: rotations, restJoints: rest).joints
        return posed.vector(at: joint * 3) + track.translation.vector(at: row * 3)
    }

    private func text(_ place: SIMD3<Double>) -> String { "\(place.x),\(place.y),\(place.z)" }

    @Test(arguments: ["smpl-ik", "niki"])
    func `a moved joint lands where it was put, its limb follows and the rest stays`(model: String) async throws {
        try await withFolder { folder in
            try await solve(folder, rows: 8, seed: 61, to: "p.npz")
            let before = try PoseOutput.read(path: "\(folder)/p.npz")
            let bytes = try AtomicFile.read("\(folder)/p.npz", bytesMax: 1 << 24)
            for (row, joint, turning) in [(1, 20, [16, 18]), (4, 7, [1, 4]), (5, 15, [12])] {
                let target = try place(joint, of: before, row: row, turning: turning, seed: UInt64(row))
                let name = Skeleton.smpl24.jointNames[joint]
                let done = try await CommandLineTool.run(
                    "correct", "\(folder)/p.npz", "--frame", "\(row)", "--move", "\(name)=\(text(target))", "-o",
                    "\(folder)/out.npz", "--local", "--json", "--model", model)
                try #require(done.status == 0, "\(done.talk)")
                let after = try PoseOutput.read(path: "\(folder)/out.npz")
                let (old, new) = (before.tracks[0], after.tracks[0])
                func went(_ joint: Int) -> Double {
                    length(new.joints.vector(at: row * 87 + joint * 3) - old.joints.vector(at: row * 87 + joint * 3))
                }
                #expect(length(new.joints.vector(at: row * 87 + joint * 3) - target) <= 0.002)
                #expect(went(joint) > 0.03, "the test moves it by more than it allows others")
                // The other leg, and its hip, knee, ankle and foot.
                for other in [2, 5, 8, 11] { #expect(went(other) <= 0.004, "\(name) moved \(other) by \(went(other))") }
                // The joints are those of the pose.
                let again = try PoseOutput(
                    [
                        PoseClip(
                            theta: new.theta, translation: new.translation, betas: Array(new.betas.prefix(10)),
                            gender: .neutral, framesPerSecond: 30)
                    ])
                for index in 0..<87 {
                    #expect(abs(again.tracks[0].joints[row * 87 + index] - new.joints[row * 87 + index]) < 1e-4)
                }
                for other in 0..<8 where other != row {
                    #expect(new.theta[(other * 72)..<(other * 72 + 72)] == old.theta[(other * 72)..<(other * 72 + 72)])
                }
                #expect(new.corrections == [row: PoseOutput.Correction(joints: [joint], model: "\(model)/1")])
                let said = try summary(done.output)
                #expect(said.corrected.map(\.joints) == [[joint]] && said.corrected[0].miss_mm <= 2)
                #expect(said.model == "\(model)/1" && said.outputs == ["\(folder)/out.npz"])
            }
            #expect(try AtomicFile.read("\(folder)/p.npz", bytesMax: 1 << 24) == bytes, "the input stays as it was")
        }
    }

    @Test func `a second correction of a frame keeps what the first one moved`() async throws {
        try await withFolder { folder in
            try await solve(folder, rows: 3, seed: 62, to: "p.npz")
            let poses = try PoseOutput.read(path: "\(folder)/p.npz")
            let wrist = try place(20, of: poses, row: 2, turning: [16], seed: 1)
            let knee = try place(5, of: poses, row: 2, turning: [2], seed: 2)
            let words = ["correct", "\(folder)/p.npz", "--frame", "2", "--local", "--json", "-o", "\(folder)/p.npz"]
            let refused = try await CommandLineTool.run(words + ["--move", "20=\(text(wrist))"])
            #expect(refused.status == CommandStatus.usage.rawValue && refused.talk.contains("--overwrite"))
            for move in ["20=\(text(wrist))", "right_knee=\(text(knee))"] {
                let done = try await CommandLineTool.run(words + ["--overwrite", "--move", move])
                try #require(done.status == 0, "\(done.talk)")
            }
            let track = try PoseOutput.read(path: "\(folder)/p.npz").tracks[0]
            #expect(track.corrections == [2: PoseOutput.Correction(joints: [5, 20], model: "smpl-ik/1")])
            #expect(length(track.joints.vector(at: 2 * 87 + 5 * 3) - knee) <= 0.002)
            #expect(length(track.joints.vector(at: 2 * 87 + 20 * 3) - wrist) <= 0.003)
        }
    }

    @Test func `a file of corrections goes through a service in one call, to several tracks`() async throws {
        try await withFolder { folder in
            try await solve(folder, rows: 12, seed: 63, people: 2, to: "p.jsonl")
            let poses = try PoseOutput.read(path: "\(folder)/p.jsonl")
            var lines: [String] = []
            for (track, frame) in [("person-0", 1), ("person-1", 4), ("person-1", 5)] {
                let joints = poses.tracks[track == "person-0" ? 0 : 1].joints
                // Towards the shoulder: an arm can always bend.
                let (wrist, shoulder) = (joints.vector(at: frame * 87 + 63), joints.vector(at: frame * 87 + 51))
                let target = wrist + 0.3 * (shoulder - wrist)
                lines.append(
                    "{\"frame\": \(frame), \"track\": \"\(track)\", \"move\": {\"right_wrist\": [\(text(target))]}}")
            }
            try write(lines.joined(separator: "\n"), to: "\(folder)/moves.jsonl")
            try await withJobService(folder, models: ["smpl-ik"]) { broker in
                let done = try await CommandLineTool.run(
                    "correct", "\(folder)/p.jsonl", "--corrections", "\(folder)/moves.jsonl", "-o",
                    "\(folder)/out.jsonl", "--broker", broker, "--json")
                try #require(done.status == 0, "\(done.talk)")
                let said = try summary(done.output)
                #expect(said.corrected.map(\.frame) == [1, 4, 5] && said.corrected.allSatisfy { $0.miss_mm <= 2 })
                #expect(said.corrected.allSatisfy { $0.disturbance_mm <= 20 }, "\(said.corrected)")
            }
            let after = try PoseOutput.read(path: "\(folder)/out.jsonl")
            #expect(after.tracks.map { $0.corrections.keys.sorted() } == [[1], [4, 5]])
            #expect(after.tracks[1].corrections[4]?.joints == [21])
        }
    }

    @Test func `what cannot be corrected is refused with what to type`() async throws {
        try await withFolder { folder in
            try await solve(folder, rows: 4, seed: 64, people: 2, to: "p.jsonl")
            try write("{\"frame\": 1, \"move\": {}}", to: "\(folder)/none.jsonl")
            try write("{\"frame\": 1, \"move\": {\"tail\": [0, 0, 0]}}", to: "\(folder)/tail.jsonl")
            let wrist = ["--move", "left_wrist=0,1,0"]
            let cases: [([String], CommandStatus, String)] = [
                (["--frame", "1"], .usage, "--move left_wrist"),
                (["--frame", "1"] + wrist, .usage, "person-0, person-1"),
                (["--frame", "1", "--track", "ben"] + wrist, .usage, "no track “ben”"),
                (["--frame", "9", "--track", "person-1"] + wrist, .badData, "frames 0…1"),
                (["--frame", "1", "--track", "person-1"] + wrist + wrist, .usage, "moved twice"),
                (["--frame", "1", "--track", "person-1", "--move", "tail=0,1,0"], .usage, "tail"),
                (["--frame", "1", "--track", "person-1", "--move", "head=0,1,0:weight=2"], .usage, "exact"),
                (
                    ["--frame", "1", "--track", "person-1", "--move", "head=0,99,0", "--local"], .badData,
                    "more than 10 m"
                ),
                (["--frame", "1", "--corrections", "\(folder)/none.jsonl"], .usage, "--corrections says everything"),
                (["--corrections", "\(folder)/none.jsonl"], .badData, "line 1"),
                (["--corrections", "\(folder)/tail.jsonl"], .badData, "tail"),
            ]
            for (words, status, fragment) in cases {
                let done = try await CommandLineTool.run(
                    ["correct", "\(folder)/p.jsonl", "-o", "\(folder)/out.jsonl"] + words)
                #expect(done.status == status.rawValue && done.talk.contains(fragment), "\(words): \(done.talk)")
            }
            #expect(!names(in: folder).contains("out.jsonl"))
        }
    }

    private struct BenchReport: Decodable {
        let calls: Int
        let p50_ms, p99_ms, moved_p50_mm, miss_max_mm, disturbance_p99_mm: Double
    }

    @Test func `the bench of corrections reports times, and its joints land where they were moved`() async throws {
        let done = try await CommandLineTool.run("bench", "correct", "--calls", "40", "--json")
        try #require(done.status == 0, "\(done.talk)")
        let report = try JSONDecoder().decode(BenchReport.self, from: Data(done.output.utf8))
        #expect(report.calls == 40 && 0 < report.p50_ms && report.p50_ms <= report.p99_ms)
        #expect(report.moved_p50_mm > 50 && report.miss_max_mm <= 2)
        #expect(report.disturbance_p99_mm <= 20, "\(done.output)")
    }
}
