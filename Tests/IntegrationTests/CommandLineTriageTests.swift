import FoundationEssentials
import SinewArrayFiles
import SinewBody
import SinewCommands
import SinewFormats
import Testing

/// `sinew triage` as a person runs it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandLineTriageTests {
    private struct Entry: Decodable {
        let rank, frame, first_frame, last_frame, frames: Int
        let file, track, reason: String
        let solved: Bool
        let score, joint_residual_mm: Double?
    }

    private func entries(_ output: String) throws -> [Entry] {
        try output.split(separator: "\n").map { try JSONDecoder().decode(Entry.self, from: Data($0.utf8)) }
    }

    /// Two tracks of 30 frames; in frames 10…13 of the second a wrist was seen half a metre away, and nothing in its frame 20.
    private func people(seed: UInt64) throws -> [UInt8] {
        var people = try PeopleFile(rows: 60, seed: seed)
        for frame in 10...13 { people.joints[(frame * 2 + 1) * 87 + 20 * 3 + 1] += 0.5 }
        var observed = [UInt8](repeating: 1, count: 60 * 29)
        for joint in 0..<29 { observed[(20 * 2 + 1) * 29 + joint] = 0 }
        var writer = NPZWriter(compression: .stored)
        writer.add("joints3d", .float32(people.joints, shape: [30, 2, 29, 3]))
        writer.add("observed", .uint8(observed, shape: [30, 2, 29]))
        for (name, word) in [("skeleton", "smpl-29"), ("unit", "m")] { writer.add(name, .strings([word], shape: [])) }
        return try writer.encode()
    }

    private func check(_ found: [Entry]) {
        guard found.count == 3 else {
            Issue.record("\(found)")
            return
        }
        #expect(found.map(\.rank) == [1, 2, 3])
        #expect(!found[0].solved && found[0].frame == 20 && found[0].track == "person-1" && found[0].score == nil)
        #expect(found[0].reason.hasPrefix("no pose"))
        #expect(found[1].solved && found[1].first_frame == 10 && found[1].last_frame == 13 && found[1].frames == 4)
        #expect(found[1].reason.contains("off its length"), "\(found[1].reason)")
        #expect((found[1].score ?? 0) > 2 * (found[2].score ?? 0))
    }

    @Test func `files and folders of solved poses are ranked, and a stretch can be taken apart`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(people(seed: 51), to: "\(folder)/in.npz")
            let solved = try await CommandLineTool.run(
                "solve", "\(folder)/in.npz", "-o", "\(folder)/out.npz", "--local", "--model", "hybrik")
            #expect(solved.status == CommandStatus.someItemsFailed.rawValue, "\(solved.talk)")
            let files = ["\(folder)/out.person-0.npz", "\(folder)/out.person-1.npz"]
            let done = try await CommandLineTool.run(["triage", "--json", "--worst", "3"] + files)
            #expect(done.status == 0, "\(done.talk)")
            let found = try entries(done.output)
            check(found)
            #expect(found[1].file == files[1])

            // The input lies in the folder as well, and is no file of solved poses.
            removeAll("\(folder)/in.npz")
            let whole = try await CommandLineTool.run("triage", folder, "--json", "--worst", "3")
            #expect(try entries(whole.output).map(\.frame) == found.map(\.frame), "\(whole.talk)")

            let frames = try await CommandLineTool.run(
                "triage", files[1], "--worst", "5", "--every-frame", "--by", "residual", "--json")
            let each = try entries(frames.output)
            #expect(Set(each.map(\.frame)) == [20, 10, 11, 12, 13] && each.allSatisfy { $0.frames == 1 })
            let residuals = each.compactMap(\.joint_residual_mm).dropFirst()
            #expect(residuals.elementsEqual(residuals.sorted(by: >)))

            let text = try await CommandLineTool.run(["triage", "--worst", "2"] + files)
            let lines = text.output.split(separator: "\n")
            #expect(lines.count == 3 && lines[0].contains("score") && lines[2].contains("10–13"), "\(text.output)")
            #expect(text.talk.contains("60 frames, 1 without a pose"), "\(text.talk)")
        }
    }

    @Test func `a job's frames are ranked with the reasons of those without a pose`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(people(seed: 52), to: "\(folder)/walk.npz")
            try await withJobService(folder, models: ["hybrik"]) { broker in
                let submitted = try await CommandLineTool.run(
                    "submit", "\(folder)/walk.npz", "--model", "hybrik", "--block", "16", "--broker", broker)
                try #require(submitted.status == 0, "\(submitted.talk)")
                let job = submitted.output.split(separator: "\n")[0]
                let done = try await CommandLineTool.run(
                    "triage", String(job.prefix(13)), "--json", "--worst", "3", "--broker", broker)
                #expect(done.status == 0, "\(done.talk)")
                let found = try entries(done.output)
                check(found)
                #expect(found.allSatisfy { $0.file == "walk" })
                #expect(found[0].reason.contains("no joint of the person was observed"), "\(found[0].reason)")
            }
        }
    }

    @Test func `what cannot be ranked is refused with what to type`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(PeopleFile(rows: 2, seed: 53).encoded(), to: "\(folder)/joints.npz")
            let clip = PoseClip(
                theta: [Float](repeating: 0, count: 72), translation: [0, 0, 0],
                betas: [Float](repeating: 0, count: 10), gender: .neutral, framesPerSecond: 30)
            try clip.write(to: "\(folder)/amass.npz")
            let cases: [([String], CommandStatus, String)] = [
                (["\(folder)/none.npz"], .noInput, "no job's id either"),
                (["\(folder)/amass.npz"], .badData, "without measures"),
                (["\(folder)/joints.npz"], .badData, "poses"),
                ([folder, "--worst", "0"], .usage, "--worst"),
                ([folder, "--by", "taste"], .usage, "taste"),
            ]
            for (words, status, fragment) in cases {
                let done = try await CommandLineTool.run(["triage"] + words)
                #expect(done.status == status.rawValue && done.talk.contains(fragment), "\(words): \(done.talk)")
            }
        }
    }
}

/// A broker with a store and a worker with some models, as processes, for the time of `body`.
func withJobService<Result>(
    _ folder: String, models: [String], _ body: (_ broker: String) async throws -> Result
) async throws -> Result {
    let (clients, workers) = ("ipc://\(folder)/clients", "ipc://\(folder)/workers")
    func started(_ process: ChildProcess) async throws {
        guard await process.output.firstLine(atMost: CommandLineTool.patience) != nil else {
            throw Trouble("a process did not start: \(process.talk?.collected ?? "")")
        }
    }
    let broker = ["broker", "--clients", clients, "--workers", workers, "--store", "\(folder)/store", "--json"]
    return try await CommandLineTool.withProcess(broker) { process in
        try await started(process)
        let worker = ["worker", "--broker", workers, "--name", "w"] + models.flatMap { ["--model", $0] }
        return try await CommandLineTool.withProcess(worker) { process in
            try await started(process)
            return try await body(clients)
        }
    }
}
