import FoundationEssentials
import Glibc
import SinewArrayFiles
import SinewCommands
import SinewZeroMQ
import Testing

/// `sinew keys`, and the other commands with keys.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CommandLineKeyTests {
    private func keys(_ arguments: String...) async throws -> CommandLineTool.Finished {
        try await CommandLineTool.run(["keys"] + arguments)
    }

    private func mode(of path: String) throws -> UInt32 {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw Trouble("no file \(path)") }
        return UInt32(status.st_mode) & 0o777
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try AtomicFile.read(path, bytesMax: 1 << 20), as: UTF8.self)
    }

    @Test func `a key is made for its owner alone and never overwritten by mistake`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/a.key"
            let made = try await keys("generate", path)
            #expect(made.status == 0, "\(made.talk)")
            let key = made.output.split(separator: "\n")[0]
            #expect(CurvePublicKey(z85: String(key)) != nil)
            #expect(names(in: folder) == ["a.key", "a.key.pub"])
            #expect(try mode(of: path) == 0o600)
            #expect(try !text("\(path).pub").contains("secret"))
            let before = try text(path)
            for shown in [path, "\(path).pub"] { #expect(try await keys("show", shown).output == "\(key)\n") }
            let again = try await keys("generate", path)
            #expect(again.status == CommandStatus.refused.rawValue)
            #expect(again.talk.contains("--force"))
            removeAll(path)
            let publicLeft = try await keys("generate", path)
            #expect(publicLeft.status == CommandStatus.refused.rawValue, "its public half is there")
            try write(before, to: path)
            let forced = try await keys("generate", path, "--force", "--json")
            #expect(forced.status == 0)
            #expect(try text(path) != before && mode(of: path) == 0o600)
            #expect(names(in: folder) == ["a.key", "a.key.pub"])
        }
    }

    @Test func `keys are authorized, listed and revoked, and what else is in the list stays`() async throws {
        try await withFolder { folder in
            let list = "\(folder)/authorized"
            for name in ["a", "b"] { #expect(try await keys("generate", "\(folder)/\(name).key").status == 0) }
            let option = ["--authorized-keys", list]
            func run(_ arguments: String...) async throws -> CommandLineTool.Finished {
                try await CommandLineTool.run(["keys"] + arguments + option)
            }
            #expect(
                try await run("authorize", "\(folder)/a.key.pub", "--tenant", "lab", "--name", "Anna's").status == 0)
            try write(try text(list) + "\n# Workers\n", to: list)
            #expect(try await run("authorize", "\(folder)/b.key.pub", "--role", "worker").status == 0)
            let listed = try await run("list")
            #expect(
                listed.output.contains("client") && listed.output.contains("lab") && listed.output.contains("Anna's"))
            #expect(listed.output.contains("worker"))
            #expect(try await run("authorize", "\(folder)/a.key.pub", "--role", "operator").status == 0)
            #expect(try text(list).split(separator: "\n").filter { $0.contains("operator") }.count == 1)
            #expect(try await run("revoke", "\(folder)/a.key.pub").status == 0)
            #expect(try text(list).contains("# Workers"))
            #expect(try !text(list).contains("operator"))
            let twice = try await run("revoke", "\(folder)/a.key.pub")
            #expect(twice.status == CommandStatus.usage.rawValue)
            let nobody = try await run("authorize", "\(folder)/nobody.pub")
            #expect(nobody.status == CommandStatus.usage.rawValue)
            let spaces = try await run("authorize", "\(folder)/a.key.pub", "--tenant", "a b")
            #expect(spaces.status == CommandStatus.usage.rawValue)
            #expect(names(in: folder) == ["a.key", "a.key.pub", "authorized", "b.key", "b.key.pub"])
        }
    }

    @Test func `a key that others can read is not used`() async throws {
        try await withFolder { folder in
            #expect(try await keys("generate", "\(folder)/a.key").status == 0)
            try changeMode(0o644, of: "\(folder)/a.key")
            let done = try await CommandLineTool.run(
                "status", "--key", "\(folder)/a.key", "--broker-key", "\(folder)/a.key.pub")
            #expect(done.status == CommandStatus.refused.rawValue)
            #expect(done.talk.contains("chmod 600"))
        }
    }

    @Test func `half of the keys is a usage error that names the other half`() async throws {
        try await withFolder { folder in
            #expect(try await keys("generate", "\(folder)/a.key").status == 0)
            for (arguments, missing) in [
                (["status", "--key", "\(folder)/a.key"], "--broker-key"),
                (["status", "--broker-key", "\(folder)/a.key.pub"], "--key"),
                (["broker", "--key", "\(folder)/a.key"], "--authorized-keys"),
                (["broker", "--authorized-keys", "\(folder)/list"], "--key"),
                (["up", "--key", "\(folder)/a.key", "--authorized-keys", "\(folder)/list"], "--worker-key"),
                (["up", "--worker-key", "\(folder)/a.key"], "--authorized-keys"),
            ] {
                let done = try await CommandLineTool.run(arguments)
                #expect(done.status == CommandStatus.usage.rawValue, "\(arguments): \(done.talk)")
                #expect(done.talk.contains(missing), "\(done.talk)")
            }
        }
    }

    private struct Ready: Decodable {
        let client_endpoint: String
    }

    /// The keys of a small fleet in a folder, and the list that admits them.
    private func makeKeys(_ folder: String) async throws {
        for name in ["broker", "worker", "me", "stranger"] {
            #expect(try await keys("generate", "\(folder)/\(name).key").status == 0)
        }
        for (name, role) in [("worker", "worker"), ("me", "client")] {
            let done = try await keys(
                "authorize", "\(folder)/\(name).key.pub", "--role", role, "--authorized-keys", "\(folder)/authorized")
            #expect(done.status == 0)
        }
    }

    @Test func `up with keys serves those who have one and tells the others why not`() async throws {
        try await withFolder { folder in
            try await makeKeys(folder)
            let arguments = [
                "up", "--workers", "1", "--model", "hybrik", "--clients", "tcp://127.0.0.1:*", "--worker-endpoint",
                "tcp://127.0.0.1:*", "--json", "--key", "\(folder)/broker.key", "--authorized-keys",
                "\(folder)/authorized",
                "--worker-key", "\(folder)/worker.key",
            ]
            try AtomicFile.write(PeopleFile(rows: 20, seed: 41).encoded(), to: "\(folder)/in.npz")
            try await CommandLineTool.withProcess(arguments) { process in
                guard let line = await process.output.firstLine(atMost: CommandLineTool.patience) else {
                    throw Trouble("up did not start: \(process.talk?.collected ?? "")")
                }
                let ready = try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
                let solve = [
                    "solve", "\(folder)/in.npz", "-o", "\(folder)/out.npz", "--model", "hybrik", "--broker",
                    ready.client_endpoint,
                ]
                func keyed(_ name: String) -> [String] {
                    ["--key", "\(folder)/\(name).key", "--broker-key", "\(folder)/broker.key.pub"]
                }
                let mine = try await CommandLineTool.run(solve + keyed("me"))
                #expect(mine.status == 0, "\(mine.talk)")
                removeAll("\(folder)/out.npz")
                let strangers = try await CommandLineTool.run(solve + keyed("stranger"))
                #expect(strangers.status == CommandStatus.refused.rawValue, "\(strangers.talk)")
                #expect(strangers.talk.contains("sinew keys authorize"))
                let none = try await CommandLineTool.run(solve)
                #expect(none.status == CommandStatus.refused.rawValue, "\(none.talk)")
                #expect(!names(in: folder).contains("out.npz"))
            }
        }
    }

    @Test func `the environment may name the keys and SIGHUP has the list read again`() async throws {
        try await withFolder { folder in
            try await makeKeys(folder)
            let variables = [
                "SINEW_KEY=\(folder)/broker.key", "SINEW_AUTHORIZED_KEYS=\(folder)/authorized", CommandLineTool.path,
            ]
            let arguments =
                variables + ["broker", "--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*", "--json"]
            let broker = try ChildProcess("/usr/bin/env", arguments, capturesTalk: true)
            do {
                guard let line = await broker.output.firstLine(atMost: CommandLineTool.patience) else {
                    throw Trouble("the broker did not start: \(broker.talk?.collected ?? "")")
                }
                let ready = try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
                for _ in 0..<2 { broker.send(signal: SIGHUP) }
                let client = try ChildProcess(
                    "/usr/bin/env",
                    [
                        "SINEW_KEY=\(folder)/me.key", "SINEW_BROKER_KEY=\(folder)/broker.key", CommandLineTool.path,
                        "status",
                        "--broker", ready.client_endpoint,
                    ], capturesTalk: true)
                let done = try await CommandLineTool.finish(client)
                #expect(done.status == 0, "\(done.talk)")
                broker.send(signal: SIGTERM)
                #expect(await broker.wait(atMost: CommandLineTool.patience) == .exited(0))
                #expect(await broker.talk?.text().contains("the list of keys was read again") == true)
            } catch {
                broker.send(signal: SIGKILL)
                _ = await broker.wait()
                throw error
            }
        }
    }

    @Test func `a broker outside this machine starts with keys and not without`() async throws {
        try await withFolder { folder in
            try await makeKeys(folder)
            let outside = ["broker", "--clients", "tcp://0.0.0.0:*", "--workers", "tcp://127.0.0.1:*", "--json"]
            let refused = try await CommandLineTool.run(outside)
            #expect(refused.status == CommandStatus.refused.rawValue)
            #expect(refused.talk.contains("sinew keys generate"))
            let keyed = ["--key", "\(folder)/broker.key", "--authorized-keys", "\(folder)/authorized"]
            for (options, isLoud) in [(keyed, false), (["--insecure"], true)] {
                try await CommandLineTool.withProcess(outside + options) { process in
                    let line = await process.output.firstLine(atMost: CommandLineTool.patience)
                    #expect(line != nil)
                    process.send(signal: SIGTERM)
                    _ = await process.wait(atMost: CommandLineTool.patience)
                    #expect(await process.talk?.text().contains("INSECURE") == isLoud)
                }
            }
        }
    }
}
