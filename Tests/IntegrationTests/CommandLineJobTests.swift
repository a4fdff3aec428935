import FoundationEssentials
import Glibc
import SinewArrayFiles
import SinewClient
import SinewCommands
import Testing

/// Durable jobs as people type them, with a broker and workers that are processes.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CommandLineJobTests {
    /// A broker with a store, at addresses that its successors take over.
    private struct Service {
        let folder: String
        var clients: String { "ipc://\(folder)/clients" }
        var workers: String { "ipc://\(folder)/workers" }

        func withBroker<Result>(_ body: (ChildProcess) async throws -> Result) async throws -> Result {
            let arguments = [
                "broker", "--clients", clients, "--workers", workers, "--store", "\(folder)/store", "--json",
            ]
            return try await CommandLineTool.withProcess(arguments) { process in
                guard await process.output.firstLine(atMost: CommandLineTool.patience) != nil else {
                    throw Trouble("the broker did not start: \(process.talk?.collected ?? "")")
                }
                return try await body(process)
            }
        }

        func withWorker<Result>(
            _ model: String, _ body: (ChildProcess) async throws -> Result
        ) async throws -> Result {
            let arguments = ["worker", "--broker", workers, "--name", "w", "--model", model]
            return try await CommandLineTool.withProcess(arguments) { process in
                guard await process.output.firstLine(atMost: CommandLineTool.patience) != nil else {
                    throw Trouble("the worker did not start: \(process.talk?.collected ?? "")")
                }
                return try await body(process)
            }
        }

        /// Runs a command that talks to this broker.
        func run(_ arguments: String...) async throws -> CommandLineTool.Finished {
            try await CommandLineTool.run(arguments + ["--broker", clients])
        }

        /// The id that `submit` printed.
        func submit(_ arguments: String...) async throws -> String {
            let done = try await CommandLineTool.run(["submit"] + arguments + ["--broker", clients])
            guard done.status == 0 else { throw Trouble("submit failed: \(done.talk)") }
            return done.output.trimmed
        }

        /// Asks until the newest job is as wanted; each question waits for its answer.
        func waitForJob(_ isWanted: (JobStatus) -> Bool) async throws -> JobStatus {
            let client = try Client(ClientConfiguration(endpoint: clients))
            defer { client.close() }
            let clock = ContinuousClock()
            let end = clock.now + CommandLineTool.patience
            while clock.now < end {
                if let job = try await client.listJobs(countMax: 1).first, isWanted(job) { return job }
            }
            throw Trouble("the job did not become what was waited for")
        }
    }

    private func withService<Result>(_ body: (Service) async throws -> Result) async throws -> Result {
        try await withFolder { try await body(Service(folder: $0)) }
    }

    /// The numbers of an output that tell one solver from another.
    private func numbers(_ path: String) throws -> [[UInt8]] {
        let file = try NPZFile(path: path)
        return try ["frame", "poses", "trans", "joints3d", "betas", "joint_residual_mm", "solved", "outcome"].map {
            try file.array($0).bytes
        }
    }

    @Test(arguments: ["hybrik", "learnable-smplify"])
    func `the files of a job are those that a local solve writes`(model: String) async throws {
        try await withService { service in
            let folder = service.folder
            let two = try PeopleFile(rows: 300, seed: 31).encoded(shape: [150, 2, 29, 3])
            try AtomicFile.write(two, to: "\(folder)/two.npz")
            try AtomicFile.write(PeopleFile(rows: 70, seed: 32).encoded(), to: "\(folder)/one.npz")
            try await service.withBroker { _ in
                try await service.withWorker(model) { _ in
                    let job = try await service.submit("\(folder)/*.npz", "--model", model, "--refine", "2")
                    #expect(JobID(job) != nil)
                    let waited = try await service.run("wait", job)
                    #expect(waited.status == 0, "\(waited.talk)")
                    let got = try await service.run("get", job, "-o", "\(folder)/out")
                    #expect(got.status == 0, "\(got.talk)")
                    let outputs = ["one.npz", "two.person-0.npz", "two.person-1.npz"]
                    #expect(names(in: "\(folder)/out") == outputs)
                    for name in ["one", "two"] {
                        let local = try await CommandLineTool.run(
                            "solve", "\(folder)/\(name).npz", "-o", "\(folder)/\(name).local.npz", "--local", "--model",
                            model, "--refine", "2")
                        try #require(local.status == 0, "\(local.talk)")
                    }
                    for name in outputs {
                        let parts = name.split(separator: ".")
                        let local = ([parts[0], "local"] + parts.dropFirst()).joined(separator: ".")
                        #expect(try numbers("\(folder)/out/\(name)") == numbers("\(folder)/\(local)"), "\(name)")
                    }
                }
            }
        }
    }

    @Test func `the same submit is the same job, and a rehearsal says so`() async throws {
        try await withService { service in
            let input = "\(service.folder)/in.npz"
            try AtomicFile.write(PeopleFile(rows: 130, seed: 33).encoded(), to: input)
            try await service.withBroker { _ in
                let before = try await service.run("submit", input, "--model", "hybrik", "--dry-run")
                #expect(before.status == 0 && before.output.contains("1 files, 3 tasks, 130 people"), "\(before.talk)")
                #expect(before.output.contains("no job with this content"))
                let job = try await service.submit(input, "--model", "hybrik", "--label", "walk")
                let again = try await service.submit(input, "--model", "hybrik")
                #expect(again == job)
                let after = try await service.run("submit", input, "--model", "hybrik", "--dry-run")
                #expect(after.output.contains(job))
                let other = try await service.submit(input, "--model", "hybrik", "--block", "32")
                let anew = try await service.submit(input, "--model", "hybrik", "--anew")
                #expect(Set([job, other, anew]).count == 3)
                let listed = try await service.run("jobs")
                for id in [job, other, anew] { #expect(listed.output.contains(id)) }
                #expect(listed.output.contains("walk"))
                let given = try await service.run("cancel", job)
                #expect(given.status == 0 && given.talk.contains("cancelled"))
                let fresh = try await service.submit(input, "--model", "hybrik")
                #expect(fresh != job)
            }
        }
    }

    @Test func `a submit goes on after its broker and itself were killed`() async throws {
        try await withService { service in
            let folder = service.folder
            let input = "\(folder)/in.npz"
            try AtomicFile.write(PeopleFile(rows: 20_000, seed: 34).encoded(), to: input)
            let arguments = ["submit", input, "--model", "hybrik", "--block", "1", "--broker", service.clients]
            let first = try await service.withBroker { broker in
                try await CommandLineTool.withProcess(arguments) { submit in
                    _ = try await service.waitForJob { $0.tasks > 0 }
                    broker.send(signal: SIGKILL)
                    _ = await broker.wait()
                    return try await service.withBroker { _ in
                        let more = try await service.waitForJob { $0.tasks > 0 }
                        submit.send(signal: SIGKILL)
                        return more
                    }
                }
            }
            try await service.withBroker { _ in
                let job = try await service.submit(input, "--model", "hybrik", "--block", "1")
                #expect(JobID(job) == first.jobID)
                let status = try await service.waitForJob { $0.state == .sealed }
                #expect(status.tasks == 20_000 && status.items == 20_000)
                try await service.withWorker("hybrik") { _ in
                    let got = try await service.run("get", job, "-o", "\(folder)/out.npz")
                    #expect(got.status == 0, "\(got.talk)")
                }
            }
            let local = try await CommandLineTool.run(
                "solve", input, "-o", "\(folder)/local.npz", "--local", "--model", "hybrik")
            try #require(local.status == 0, "\(local.talk)")
            #expect(try numbers("\(folder)/out.npz") == numbers("\(folder)/local.npz"))
        }
    }

    @Test func `who waits for a job sees nothing of a broker that is killed and started anew`() async throws {
        try await withService { service in
            let folder = service.folder
            try AtomicFile.write(PeopleFile(rows: 5_000, seed: 38).encoded(), to: "\(folder)/in.npz")
            let waiting = ["wait", "--broker", service.clients]
            try await service.withBroker { broker in
                let job = try await service.submit("\(folder)/in.npz", "--model", "hybrik", "--block", "1")
                try await CommandLineTool.withProcess(waiting + [job]) { wait in
                    let line = await wait.talk?.firstLine(atMost: CommandLineTool.patience)
                    #expect(line?.contains("job \(job) is running") == true)
                    broker.send(signal: SIGKILL)
                    _ = await broker.wait()
                    try await service.withBroker { _ in
                        // All five thousand are there before the first is solved.
                        let status = try await service.waitForJob { $0.state == .sealed }
                        #expect(status.queued + status.leased == 5_000)
                        try await service.withWorker("hybrik") { _ in
                            let done = try await CommandLineTool.finish(wait)
                            #expect(done.status == 0, "\(done.talk)")
                            #expect(!done.talk.contains("error") && !done.talk.contains("unavailable"), "\(done.talk)")
                        }
                    }
                }
            }
        }
    }

    @Test func `Ctrl-C leaves the job alone and says how to come back`() async throws {
        try await withService { service in
            let folder = service.folder
            try AtomicFile.write(PeopleFile(rows: 200, seed: 35).encoded(), to: "\(folder)/in.npz")
            try await service.withBroker { broker in
                let job = try await service.submit("\(folder)/in.npz", "--model", "hybrik")
                for arguments in [["wait", job], ["get", job, "-o", "\(folder)/out"]] {
                    try await CommandLineTool.withProcess(arguments + ["--broker", service.clients]) { process in
                        // It traps the signal before it says how far the job is.
                        let line = await process.talk?.firstLine(atMost: CommandLineTool.patience)
                        #expect(line?.contains("job \(job) is running") == true)
                        process.send(signal: SIGINT)
                        let done = try await CommandLineTool.finish(process)
                        #expect(done.status == CommandStatus.interrupted.rawValue, "\(done.talk)")
                        #expect(done.talk.contains("sinew \(arguments[0]) \(job)"))
                    }
                }
                let late = try await service.run("wait", job, "--timeout", "0.2")
                #expect(late.status == CommandStatus.tryAgain.rawValue, "\(late.talk)")
                try await service.withWorker("hybrik") { _ in
                    let got = try await service.run("get", String(job.prefix(13)), "-o", "\(folder)/out")
                    #expect(got.status == 0, "\(got.talk)")
                    #expect(names(in: "\(folder)/out") == ["in.npz"])
                }
            }
        }
    }

    @Test func `tasks that cannot be solved are listed with the reason, and the rest is there`() async throws {
        try await withService { service in
            let folder = service.folder
            var people = try PeopleFile(rows: 100, seed: 36)
            // Only the second task has it: a joint at four kilometres.
            people.joints[80 * 87] = 4000
            try AtomicFile.write(people.encoded(), to: "\(folder)/far.npz")
            try AtomicFile.write(PeopleFile(rows: 10, seed: 37).encoded(), to: "\(folder)/fine.npz")
            try await service.withBroker { _ in
                try await service.withWorker("hybrik") { _ in
                    let job = try await service.submit("\(folder)/far.npz", "\(folder)/fine.npz", "--model", "hybrik")
                    let waited = try await service.run("wait", job)
                    #expect(waited.status == 0, "\(waited.talk)")
                    let got = try await service.run("get", job, "-o", "\(folder)/out")
                    #expect(got.status == CommandStatus.someItemsFailed.rawValue, "\(got.talk)")
                    #expect(names(in: "\(folder)/out") == ["failures.jsonl", "far.npz", "fine.npz"])
                    let lines = try AtomicFile.read("\(folder)/out/failures.jsonl", bytesMax: 1 << 20)
                    let text = String(decoding: lines, as: UTF8.self)
                    #expect(text.contains("\"frame\":80") && text.split(separator: "\n").count == 1)
                    let solved = try NPZFile(path: "\(folder)/out/far.npz").array("solved").bytes
                    #expect(solved.enumerated().allSatisfy { ($0.offset == 80) == ($0.element == 0) })
                }
            }
        }
    }

    @Test func `dead tasks are listed, tried again, and zero in the output`() async throws {
        try await withService { service in
            try await service.withBroker { _ in
                try await service.withWorker("hybrik") { _ in
                    // Effectors for a model of joints: the worker refuses the task for good.
                    let client = try Client(ClientConfiguration(endpoint: service.clients))
                    var submission = JobSubmission(.solveEffectors, model: "hybrik")
                    submission.label = "wrong"
                    let job = try await client.submitJob(submission).handle
                    var effectors = EffectorRequest()
                    effectors.append([.position(0, at: (0, 1, 0))])
                    let label = #"{"file":"clip","rows":1,"runs":[{"at":0,"n":1,"t":0,"of":"a","frame":7}]}"#
                    try await job.append([try JobTask(index: 0, effectors, label: label)])
                    try await job.seal(tasks: 1)
                    let id = job.id.description
                    let waited = try await service.run("wait", id)
                    #expect(waited.status == CommandStatus.someItemsFailed.rawValue, "\(waited.talk)")
                    #expect(waited.talk.contains("dead list"))
                    let listed = try await service.run("dead", "list", id)
                    #expect(listed.status == 0 && listed.output.contains("task 0 failed"), "\(listed.talk)")
                    #expect(listed.output.contains("from frame 7"))
                    let replayed = try await service.run("dead", "replay", id, "--task", "0")
                    #expect(replayed.status == 0 && replayed.talk.contains("1 tasks"), "\(replayed.talk)")
                    let got = try await service.run("get", id, "-o", "\(service.folder)/none")
                    #expect(got.status == CommandStatus.someItemsFailed.rawValue, "\(got.talk)")
                    #expect(names(in: "\(service.folder)/none") == ["failures.jsonl"])
                    client.close()
                }
            }
        }
    }

    @Test func `what is no job, no broker or no store is said as it is`() async throws {
        try await withService { service in
            let input = "\(service.folder)/in.npz"
            try AtomicFile.write(PeopleFile(rows: 3, seed: 38).encoded(), to: input)
            let nobody = try await service.run("submit", input, "--model", "hybrik")
            #expect(nobody.status == CommandStatus.unavailable.rawValue && nobody.talk.contains("sinew up"))
            let rehearsed = try await service.run("submit", input, "--model", "hybrik", "--dry-run")
            #expect(rehearsed.status == 0 && rehearsed.output.contains("1 tasks, 3 people"), "\(rehearsed.talk)")
            try await service.withBroker { _ in
                let unknown = try await service.run("wait", "019a0000-0000-7000-8000-000000000000")
                #expect(unknown.status == CommandStatus.usage.rawValue, "\(unknown.talk)")
                let prefix = try await service.run("cancel", "ffff")
                #expect(prefix.status == CommandStatus.usage.rawValue && prefix.talk.contains("sinew jobs"))
                let word = try await service.run("jobs", "latest")
                #expect(word.status == CommandStatus.usage.rawValue)
                let model = try await service.run("submit", input, "--model", "nikki")
                #expect(model.status == CommandStatus.usage.rawValue && model.talk.contains("nikki"))
                let cut = try await service.run("submit", input, "--model", "learnable-smplify", "--group-by", "rows")
                #expect(cut.status == CommandStatus.usage.rawValue && cut.talk.contains("whole tracks"))
                let empty = try await service.run("jobs")
                #expect(empty.status == 0 && empty.output.isEmpty)
                let two = try await service.submit(input, "--model", "hybrik")
                let other = try await service.submit(input, "--model", "niki")
                let shared = String(zip(two, other).prefix { $0 == $1 }.map(\.0))
                let ambiguous = try await service.run("cancel", shared)
                #expect(ambiguous.status == CommandStatus.usage.rawValue && ambiguous.talk.contains("2 jobs"))
            }
        }
    }
}

extension String {
    /// Without what surrounds it.
    fileprivate var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
