import FoundationEssentials
import SinewArrayFiles
import SinewCommands
import SinewFormats
import Testing

/// What commands print when all goes well.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineOutputTests {
    private func parse<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    @Test func `help names every command and a version is told`() async throws {
        let help = try await CommandLineTool.run("--help")
        #expect(help.status == 0)
        for command in [
            "demo", "solve", "view", "up", "broker", "worker", "status", "model", "body", "shape", "retarget", "doctor",
        ] {
            #expect(help.output.contains("  \(command) "), "\(command)")
            #expect(try await CommandLineTool.run("help", command).status == 0)
        }
        #expect(try await CommandLineTool.run("--version").status == 0)
    }

    @Test func `bodies and models are listed as text and as JSON`() async throws {
        struct Body: Decodable {
            let gender: String
            let vertices: Int
        }
        struct Model: Decodable {
            struct Cost: Decodable {
                struct Change: Decodable {
                    let preset: String
                    let pa_mpjpe_mm: Double
                }
                let precision: String
                let changes: [Change]
            }
            let name, version, weights_sha256, precision: String
            let precision_cost: [Cost]
        }
        let bodies = try await CommandLineTool.run("body", "list", "--json")
        #expect(try parse([Body].self, bodies.output).map(\.gender).sorted() == ["female", "male", "neutral"])
        #expect(try await CommandLineTool.run("body", "list").output.contains("open/neutral"))
        let models = try await CommandLineTool.run("model", "list", "--json")
        let described = try parse([Model].self, models.output)
        let names = described.map(\.name)
        #expect(names.contains("hybrik"))
        let costs = try #require(described.first { $0.name == "niki" }).precision_cost
        for (precision, most) in [("bfloat16", 0.1), ("int8", 0.5)] {
            let cost = try #require(costs.first { $0.precision == precision })
            #expect(cost.changes.map(\.preset) == ["clean", "standard", "occlusion"])
            #expect(cost.changes.allSatisfy { abs($0.pa_mpjpe_mm) <= most })
        }
        let text = try await CommandLineTool.run("model", "list").output
        for name in names { #expect(text.contains("\(name)/")) }
    }

    @Test func `solving in int8 gives nearly the poses of float32`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(try PeopleFile(rows: 5, seed: 11).encoded(), to: "\(folder)/in.npz")
            func poses(_ precision: String) async throws -> [Float] {
                let path = "\(folder)/\(precision).npz"
                let done = try await CommandLineTool.run(
                    "solve", "\(folder)/in.npz", "--local", "--model", "niki", "--precision", precision, "-o", path)
                #expect(done.status == 0, "\(done.talk)")
                return try NPZFile(path: path).array("poses").floats()
            }
            let (exact, rounded) = (try await poses("float32"), try await poses("int8"))
            let mean = zip(exact, rounded).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(exact.count)
            #expect(mean > 0 && mean < 0.02)
        }
    }

    @Test func `the doctor finds bodies and processor in order`() async throws {
        struct Finding: Decodable {
            let verdict, subject, finding: String
        }
        let done = try await CommandLineTool.run("doctor", "--json", "--broker", "ipc:///tmp/sinew-nobody-listens")
        let findings = try parse([Finding].self, done.output)
        #expect(findings.contains { $0.subject == "processor" && $0.verdict == "good" })
        #expect(findings.filter { $0.subject.hasPrefix("body ") && $0.verdict == "good" }.count == 3)
        #expect(findings.contains { $0.subject == "broker" && $0.verdict == "note" })
        #expect(done.status == 0, "\(done.talk)")
    }

    @Test func `colours are for terminals only`() async throws {
        #expect(try await !CommandLineTool.run("body", "list").output.contains("\u{1B}"))
    }

    @Test func `the demo measures, improves on its input and writes both people`() async throws {
        struct Errors: Decodable {
            let pa_mpjpe_mm: Double
        }
        struct Accuracy: Decodable {
            let name: String
            let standard, arm_lost: Errors
        }
        struct Worker: Decodable {
            let items: Int
            let items_per_second: Double
        }
        struct Speed: Decodable {
            let name: String
            let workers: [Worker]
        }
        struct Summary: Decodable {
            let rows, tracks: Int
        }
        struct Report: Decodable {
            let frames, people: Int
            let accuracy: [Accuracy]
            let speed: [Speed]
            let input: String
            let outputs, pictures: [String]
        }
        try await withFolder { folder in
            let done = try await CommandLineTool.run("demo", "--json", "-o", "\(folder)/out")
            #expect(done.status == 0, "\(done.talk)")
            let report = try parse(Report.self, done.output)
            let errors = Dictionary(uniqueKeysWithValues: report.accuracy.map { ($0.name, $0) })
            let (input, analytic) = (try #require(errors["input"]), try #require(errors["hybrik"]))
            #expect(analytic.standard.pa_mpjpe_mm < input.standard.pa_mpjpe_mm)
            #expect(analytic.arm_lost.pa_mpjpe_mm < input.arm_lost.pa_mpjpe_mm)
            #expect(input.arm_lost.pa_mpjpe_mm > input.standard.pa_mpjpe_mm)
            for model in report.speed {
                #expect(model.workers.count == 2)
                #expect(model.workers.allSatisfy { $0.items > 0 && $0.items_per_second > 0 }, "\(model.name)")
            }
            #expect(report.outputs.count == report.people)
            for path in report.outputs {
                let file = try NPZFile(path: path)
                #expect(try file.array("poses").shape == [report.frames, 72])
                #expect(try file.array("mocap_framerate").doubles() == [30])
            }
            #expect(report.pictures == ["\(folder)/out/demo.html", "\(folder)/out/demo.glb"])
            let page = String(decoding: try FileContents.read(report.pictures[0]), as: UTF8.self)
            for layer in ["input", "hybrik/", "truth"] { #expect(page.contains("\"name\":\"\(layer)")) }
            #expect(try RigClip.read(path: report.pictures[1]).frames.count == report.frames)
            let again = try await CommandLineTool.run(
                "solve", report.input, "--local", "--model", "hybrik", "-o", "\(folder)/again.npz", "--json")
            #expect(again.status == 0, "\(again.talk)")
            let summary = try parse(Summary.self, again.output)
            #expect(summary.rows == report.frames * report.people && summary.tracks == report.people)
        }
    }
}
