import Glibc
import SinewArrayFiles
import SinewCommands
import Testing

/// Bad input: one clear error, the right exit status, and nothing under the output's name.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineErrorTests {
    /// Runs `sinew solve` on `input` and checks what must hold for every refusal.
    private func refuse(
        _ bytes: [UInt8]?, named name: String = "in.npz", model: String = "hybrik", options: [String] = [],
        status: CommandStatus, saying fragments: [String]
    ) async throws {
        try await withFolder { folder in
            if let bytes { try AtomicFile.write(bytes, to: "\(folder)/\(name)") }
            let before = names(in: folder)
            let done = try await CommandLineTool.run(
                ["solve", "\(folder)/\(name)", "-o", "\(folder)/out.npz", "--local", "--model", model] + options)
            #expect(done.status == status.rawValue, "\(done.talk)")
            let errors = done.talk.split(separator: "\n").filter { $0.hasPrefix("error:") }
            #expect(errors.count == 1, "one error, not \(errors.count): \(done.talk)")
            for fragment in fragments { #expect(done.talk.contains(fragment), "\(fragment) is not in: \(done.talk)") }
            #expect(names(in: folder) == before)
            #expect(done.output.isEmpty)
        }
    }

    @Test func `a wrong shape is refused`() async throws {
        let people = try PeopleFile(rows: 4, seed: 1)
        try await refuse(
            people.encoded(shape: [4, 87]), status: .badData, saying: ["in.npz", "joints3d"])
        try await refuse(
            people.encoded(shape: [3, 29, 4]), status: .badData, saying: ["in.npz", "joints3d"])
    }

    @Test func `a number that is none is refused with its frame and joint`() async throws {
        var people = try PeopleFile(rows: 4, seed: 2)
        people.joints[2 * 87 + 18 * 3 + 1] = .nan
        try await refuse(people.encoded(), status: .badData, saying: ["in.npz", "frame 2", "left_elbow"])
    }

    @Test func `an unknown skeleton is refused with those that are known`() async throws {
        var people = try PeopleFile(rows: 2, seed: 3)
        people.skeleton = "horse-17"
        try await refuse(people.encoded(), status: .badData, saying: ["horse-17", "smpl-24", "smpl-29"])
    }

    @Test func `millimetres declared as metres are refused with what to type`() async throws {
        var people = try PeopleFile(rows: 2, seed: 4)
        people.scale = 1000
        try await refuse(people.encoded(), status: .badData, saying: ["millimetres", "--unit mm"])
    }

    @Test func `a missing file is no input`() async throws {
        try await refuse(nil, status: .noInput, saying: ["in.npz"])
    }

    @Test(arguments: [0.02, 0.3, 0.9, 0.999])
    func `a truncated file is refused`(share: Double) async throws {
        let bytes = try PeopleFile(rows: 3, seed: 5).encoded()
        try await refuse(Array(bytes.prefix(Int(Double(bytes.count) * share))), status: .badData, saying: ["in.npz"])
    }

    @Test func `an unknown model is refused with those that are known`() async throws {
        try await refuse(
            PeopleFile(rows: 2, seed: 6).encoded(), model: "nikki", status: .usage, saying: ["nikki", "hybrik/1"])
    }

    @Test func `weights with another hash are refused with both hashes`() async throws {
        try await withFolder { repository in
            let stated = String(repeating: "0", count: 64)
            for folder in ["mlp-ik", "mlp-ik/1"] { _ = unsafe mkdir("\(repository)/\(folder)", 0o755) }
            try write(
                """
                {"name": "mlp-ik", "version": "1", "architecture": "mlp-ik", "dims": {"hidden": 8, "couplings": 0}, \
                "precision": "float32", "conditioning": "heading-bones", "body": "smpl-29", "rotation_layout": "rows", \
                "weights_sha256": "\(stated)"}
                """, to: "\(repository)/mlp-ik/1/model.json")
            try write("other weights", to: "\(repository)/mlp-ik/1/weights.safetensors")
            try await refuse(
                PeopleFile(rows: 2, seed: 7).encoded(), model: "mlp-ik", options: ["--models", repository],
                status: .badData, saying: [stated, SHA256.hexDigest(of: Array("other weights".utf8))])
        }
    }

    @Test func `an unknown ending, a bad line and an empty file are refused`() async throws {
        try await refuse(Array("x".utf8), named: "in.txt", status: .badData, saying: [".npz", ".jsonl"])
        try await refuse(Array("{\"joints3d\": [[1,2".utf8), named: "in.jsonl", status: .badData, saying: ["in.jsonl"])
        try await refuse([], status: .badData, saying: ["in.npz"])
    }

    @Test func `an output that cannot be written is refused before the work`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 2, seed: 8).encoded(), to: "\(folder)/in.npz")
            let input = ["solve", "\(folder)/in.npz", "--local", "--model", "hybrik", "-o"]
            let missing = try await CommandLineTool.run(input + ["\(folder)/none/out.npz"])
            #expect(missing.status == CommandStatus.noInput.rawValue)
            #expect(missing.talk.contains("mkdir -p"))
            let ending = try await CommandLineTool.run(input + ["\(folder)/out.pose"])
            #expect(ending.status == CommandStatus.usage.rawValue)
        }
    }

    @Test func `an address outside this machine is refused without a word of consent`() async throws {
        let broker = try await CommandLineTool.run("broker", "--clients", "tcp://0.0.0.0:*")
        #expect(broker.status == CommandStatus.refused.rawValue)
        #expect(broker.talk.contains("--insecure"))
        let status = try await CommandLineTool.run("status", "--broker", "tcp://192.0.2.1:7690")
        #expect(status.status == CommandStatus.refused.rawValue)
    }

    @Test func `a wrong command line is a usage error`() async throws {
        for arguments in [
            ["sovle"], ["solve"], ["solve", "a.npz", "-o", "b.npz", "--deadline", "0"], ["up", "--workers", "0"],
            ["solve", "a.npz", "-o", "b.npz", "--precision", "int8"], ["worker", "--precision", "int3"],
        ] {
            let done = try await CommandLineTool.run(arguments)
            #expect(done.status == CommandStatus.usage.rawValue, "\(arguments)")
            #expect(done.output.isEmpty)
        }
    }

    @Test func `rows that cannot be solved are listed and the others are written`() async throws {
        try await withFolder { folder in
            let people = try PeopleFile(rows: 3, seed: 9)
            let lines = (0..<3).map { row -> String in
                let joints = (0..<29).map { joint -> String in
                    if row == 1 && joint >= 2 { return "null" }
                    let place = row * 87 + joint * 3
                    return "[\(people.joints[place]), \(people.joints[place + 1]), \(people.joints[place + 2])]"
                }
                return
                    "{\"skeleton\": \"smpl-29\", \"unit\": \"m\", \"frame\": \(row), \"joints3d\": [\(joints.joined(separator: ", "))]}"
            }
            try write(lines.joined(separator: "\n") + "\n", to: "\(folder)/in.jsonl")
            let done = try await CommandLineTool.run(
                "solve", "\(folder)/in.jsonl", "-o", "\(folder)/out.npz", "--local", "--model", "hybrik")
            #expect(done.status == CommandStatus.someItemsFailed.rawValue, "\(done.talk)")
            #expect(done.talk.contains("1 of 3 rows"))
            let file = try NPZFile(path: "\(folder)/out.npz")
            #expect(try file.array("solved").ints() == [1, 0, 1])
            let poses = try file.array("poses").floats()
            #expect(poses[72..<144].allSatisfy { $0 == 0 })
            #expect(poses[0..<72].contains { $0 != 0 } && poses[144...].contains { $0 != 0 })
        }
    }
}
