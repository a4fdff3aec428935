import SinewArrayFiles
import SinewBroker
import SinewCommands
import SinewModels
import SinewWire
import Testing

/// `sinew eval` by the built binary, on a small synthetic clip.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineEvalTests {
    /// Poses that bend a little more from frame to frame.
    private func writeClip(to path: String, frames: Int = 20) throws {
        var values: [Float] = []
        for frame in 0..<frames {
            for angle in 0..<72 { values.append(Float(angle % 5 - 2) * 0.1 + Float(frame) * 0.01) }
        }
        var writer = NPZWriter()
        writer.add("poses", .float32(values, shape: [frames, 72]))
        try writer.write(to: path)
    }

    @Test func `a table, a page and figures come out, and the same seed gives the same figures`() async throws {
        try await withFolder { folder in
            try writeClip(to: "\(folder)/a.npz")
            try writeClip(to: "\(folder)/b.npz", frames: 3)
            let arguments = ["eval", folder, "--samples", "40", "--model", "hybrik", "--model", "niki", "--seed", "5"]
            let table = try await CommandLineTool.run(arguments + ["-o", "\(folder)/report.html"])
            #expect(table.status == 0, "\(table.talk)")
            #expect(table.output.contains("hybrik/1") && table.output.contains("occlusion: MPJPE mm"))
            #expect(table.talk.contains("from 23 frames"))
            let page = String(decoding: try FileContents.read("\(folder)/report.html"), as: UTF8.self)
            #expect(page.hasPrefix("<!doctype html>") && page.contains("niki/1") && !page.contains("http"))
            // One square for each pair of joints and model.
            #expect(page.split(separator: "<rect ").count - 1 == 2 * 24 * 24)
            let json = try JSONValue.parse(try FileContents.read("\(folder)/report.json")[...], name: "report.json")
            let presets = try #require(json["presets"]?.array)
            #expect(presets.count == 3 && json["curve"]?.array?.count == 7)
            let again = try await CommandLineTool.run(arguments + ["--json"])
            let repeated = try JSONValue.parse(Array(again.output.utf8)[...], name: "output")
            for (one, two) in zip(presets, repeated["presets"]?.array ?? []) {
                for (first, second) in zip(one["models"]?.array ?? [], two["models"]?.array ?? []) {
                    #expect(first["pa_mpjpe_mm"] == second["pa_mpjpe_mm"] && first["ge_rad"] == second["ge_rad"])
                }
            }
            let clean = presets[0]["models"]?.array?[0]["mpjpe_mm"]?.double
            #expect(try #require(clean) < 0.1)
        }
    }

    private static func figures(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8)[...], name: "output")
    }

    @Test func `clips, effectors and changes of the body have a table each, and plug-ins a line`() async throws {
        try await withFolder { folder in
            for name in ["a", "b", "c"] { try writeClip(to: "\(folder)/\(name).npz", frames: 25) }
            let arguments = [
                "eval", folder, "--samples", "50", "--clip-frames", "10", "--seed", "5", "--benchmark", "clips",
                "--benchmark", "effectors", "--benchmark", "shapes", "--preset", "clean", "--model", "hybrik",
                "--model", "niki+learnable-smplify", "--model", "learnable-smplify", "--model", "smpl-ik",
                "--model", "smpl-ik+refine10",
            ]
            let table = try await CommandLineTool.run(arguments + ["-o", "\(folder)/report.html"])
            #expect(table.status == 0, "\(table.talk)")
            for part in ["accel mm", "six-positions: MPJPE mm", "≤ 2 mm %", "smpl-ik/1+refine10", "kept/restarted"] {
                #expect(table.output.contains(part), "\(part)")
            }
            let page = String(decoding: try FileContents.read("\(folder)/report.html"), as: UTF8.self)
            #expect(page.contains("niki/1+learnable-smplify/1") && page.contains("µs per frame"))
            let json = try JSONValue.parse(try FileContents.read("\(folder)/report.json")[...], name: "report.json")
            // Three clips of 25 frames make six stretches of ten; five of them are 50 frames.
            #expect(json["clip_frames"]?.int == 50 && json["clip_tracks"]?.int == 5)
            let clips = try #require(json["clips"]?.array)
            let input = try #require(clips[0]["input"])
            #expect(clips.count == 1 && input["mpjpe_mm"]?.double == 0 && input["accel_mm"]?.double == 0)
            let models = try #require(clips[0]["models"]?.array)
            #expect(models.count == 5 && models.allSatisfy { $0["accel_mm"]?.double != nil })
            #expect(models[2]["starts_kept"]?.int != nil && models[0]["starts_kept"]?.int == nil)
            // Analytic IK of exact joints; twists are not given.
            #expect(try #require(models[0]["mpjpe_mm"]?.double) < 10)
            let effectors = try #require(json["effectors"]?.array)
            #expect(effectors.map { $0["name"]?.string } == ["random-effectors", "six-positions"])
            let six = try #require(effectors[1]["models"]?.array)
            #expect(six.count == 2)
            let misses = try six.map { try #require($0["miss_mm"]?.double) }
            #expect(misses[1] < 0.5 && misses[1] < misses[0], "\(misses)")
            let shapes = try #require(json["shapes"]?.array)
            #expect(shapes.map { $0["change"]?.string } == (0..<4).flatMap { _ in ["none", "beta", "gender"] })
            for entry in shapes { #expect((entry["moved_mm"]?.double == 0) == (entry["change"]?.string == "none")) }
        }
    }

    @Test func `recovered effectors bring the model nearer one by one`() async throws {
        try await withFolder { folder in
            try writeClip(to: "\(folder)/a.npz", frames: 30)
            let found = try await CommandLineTool.run([
                "eval", folder, "--samples", "90", "--benchmark", "recovery", "--model", "smpl-ik", "--model", "niki",
                "--json",
            ])
            #expect(found.status == 0, "\(found.talk)")
            let rows = try #require(try Self.figures(found.output)["recoveries"]?.array)
            #expect(rows.count == 1 && rows[0]["people"]?.int == 3)
            let listed = try #require(rows[0]["errors_mm"]?.array)
            let errors = listed.compactMap(\.double)
            #expect(errors.count == 6 && zip(errors, errors.dropFirst()).allSatisfy { $0 >= $1 })
            #expect(errors[5] < errors[0] / 2, "\(errors)")
            #expect((1...6).contains(try #require(rows[0]["effectors"]?.double)))
        }
    }

    @Test func `a service gives the figures of a local run, for people, clips and effectors`() async throws {
        try await withFolder { folder in
            try writeClip(to: "\(folder)/a.npz", frames: 30)
            let names = ["learnable-smplify", "niki-temporal", "smpl-ik", "niki"]
            let models = try names.map { try ModelRepository().load($0) }
            let fleet = try InProcessFleet(workerModels: [models])
            let client = try fleet.client()
            _ = try await client.waitForFleet { $0.workers.count == 1 }
            let arguments = [
                "eval", folder, "--samples", "24", "--clip-frames", "12", "--preset", "occlusion", "--json",
                "--benchmark", "poses", "--benchmark", "clips", "--benchmark", "effectors", "--model", "niki-temporal",
                "--model", "niki+refine3+learnable-smplify", "--model", "learnable-smplify", "--model",
                "smpl-ik+refine4",
            ]
            let here = try await CommandLineTool.run(arguments)
            let there = try await CommandLineTool.run(
                arguments + ["--service", "--broker", fleet.broker.clientEndpoint])
            #expect(here.status == 0 && there.status == 0, "\(here.talk) \(there.talk)")
            let (one, two) = (try Self.figures(here.output), try Self.figures(there.output))
            for section in ["presets", "clips", "effectors"] {
                let pairs = zip(try #require(one[section]?.array), try #require(two[section]?.array))
                for (first, second) in pairs {
                    let rows = zip(try #require(first["models"]?.array), try #require(second["models"]?.array))
                    for (local, remote) in rows {
                        for figure in ["mpjpe_mm", "pa_mpjpe_mm", "ge_rad", "accel_mm", "miss_mm", "starts_kept"] {
                            #expect(local[figure] == remote[figure], "\(section) \(figure) \(local) \(remote)")
                        }
                    }
                }
            }
        }
    }

    @Test func `wrong input is refused with what to type`() async throws {
        try await withFolder { folder in
            try writeClip(to: "\(folder)/a.npz")
            try AtomicFile.write(Array("{\"validation\": [\"a\", \"gone\"]}".utf8), to: "\(folder)/split.json")
            let cases: [([String], CommandStatus, String)] = [
                (["\(folder)/none"], .noInput, "does not exist"),
                ([folder, "--preset", "rain"], .usage, "clean, standard or occlusion"),
                ([folder, "--samples", "0"], .usage, "--samples"),
                ([folder, "--benchmark", "rain"], .usage, "poses, clips, effectors, shapes or recovery"),
                ([folder, "--benchmark", "recovery", "--service"], .usage, "leave --service out"),
                ([folder, "--benchmark", "recovery", "--model", "smpl-ik+refine2"], .usage, "--model smpl-ik"),
                ([folder, "--clip-frames", "2"], .usage, "--clip-frames"),
                ([folder, "--benchmark", "clips", "--clip-frames", "21"], .badData, "--clip-frames"),
                ([folder, "--benchmark", "effectors", "--model", "niki"], .usage, "--model smpl-ik"),
                ([folder, "--model", "niki+mlp-ik"], .usage, "starts from no pose"),
                ([folder, "--model", "niki+refine65"], .usage, "1…64"),
                ([folder, "--model", "nikki"], .usage, "nikki"),
                ([folder, "--split", "\(folder)/split.json"], .noInput, "gone"),
                ([folder, "-o", "\(folder)/report.txt"], .usage, ".html"),
            ]
            for (arguments, status, part) in cases {
                let done = try await CommandLineTool.run(["eval"] + arguments)
                #expect(done.status == status.rawValue && done.talk.contains(part), "\(arguments): \(done.talk)")
            }
        }
    }
}
