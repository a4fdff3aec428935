import FoundationEssentials
import SinewArrayFiles
import SinewBody
import SinewCommands
import Testing

/// `sinew shape` as a person runs it.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineShapeTests {
    private struct Answer: Decodable {
        let place: String
        let betas: [Float]
        let scale, worst_error_mm: Double
        let lengths_m, reached_m: [Double]
        let refinements: Int
    }

    private func answers(_ text: String) throws -> [Answer] {
        try text.split(separator: "\n").map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
    }

    /// Two skeletons at rest, in centimetres.
    private func restFile(at path: String, missing joint: Int? = nil) throws {
        let female = try BodyModel.bundled(.female)
        var joints = female.restJoints(betas: [1.5, -0.5]) + female.restJoints(betas: [-1, 0, 2]).map { 0.8 * $0 }
        joints = joints.map { $0 * 100 }
        var writer = NPZWriter(compression: .stored)
        writer.add("joints3d", .float32(joints, shape: [2, 29, 3]))
        writer.add("unit", .strings(["cm"], shape: []))
        if let joint {
            writer.add("observed", .uint8((0..<58).map { $0 == 29 + joint ? 0 : 1 }, shape: [2, 29]))
        }
        try AtomicFile.write(try writer.encode(), to: path)
    }

    @Test func `skeletons of a file get a body whose limbs have their lengths`() async throws {
        try await withFolder { folder in
            try restFile(at: "\(folder)/rest.npz")
            let done = try await CommandLineTool.run("shape", "\(folder)/rest.npz", "--gender", "female", "--json")
            #expect(done.status == 0, "\(done.talk)")
            let found = try answers(done.output)
            #expect(found.count == 2)
            for answer in found {
                #expect(answer.worst_error_mm <= 5 && answer.betas.count == 10)
                let worst = zip(answer.lengths_m, answer.reached_m).map { abs($0 - $1) * 1000 }.max()
                #expect(abs((worst ?? 1) - answer.worst_error_mm) < 1e-6)
            }
            let plain = try await CommandLineTool.run(
                "shape", "\(folder)/rest.npz", "--gender", "female", "--json", "--refine", "0", "--samples", "500")
            for (kernel, refined) in zip(try answers(plain.output), found) {
                #expect(kernel.refinements == 0 && kernel.worst_error_mm > refined.worst_error_mm)
            }
            #expect(try await CommandLineTool.run("shape", "\(folder)/rest.npz").output.contains("betas"))
        }
    }

    @Test func `six lengths do without a file`() async throws {
        let done = try await CommandLineTool.run(
            "shape", "--lengths", "39,41,149,79,26,25", "--unit", "cm", "--json")
        let found = try answers(done.output)
        #expect(done.status == 0 && found.count == 1, "\(done.talk)")
        #expect(found.first?.lengths_m.first.map { abs($0 - 0.39) < 1e-9 } == true)
    }

    @Test func `what is missing or cannot be is refused by name`() async throws {
        try await withFolder { folder in
            try restFile(at: "\(folder)/rest.npz", missing: 19)
            let missing = try await CommandLineTool.run("shape", "\(folder)/rest.npz")
            #expect(missing.status == CommandStatus.badData.rawValue && missing.talk.contains("right_elbow"))
            let cases: [([String], CommandStatus, String)] = [
                (["--lengths", "0.4,0.4,1.5,0.8,0.25"], .badData, "5 lengths"),
                (["--lengths", "39,41,149,79,26,25"], .badData, "right thigh is 39.0 m"),
                (["--lengths", "0.4,0.4,1.5,0.8,0.25,x"], .usage, "'x' is not a number"),
                ([], .usage, "--lengths"), (["\(folder)/none.npz"], .noInput, "none.npz"),
                (["\(folder)/rest.npz", "--body", "\(folder)/none.safetensors"], .noInput, "none.safetensors"),
            ]
            for (words, status, fragment) in cases {
                let done = try await CommandLineTool.run(["shape"] + words)
                #expect(done.status == status.rawValue && done.talk.contains(fragment), "\(words): \(done.talk)")
            }
        }
    }
}
