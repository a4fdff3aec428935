import SinewArrayFiles
import SinewCommands
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

    @Test func `wrong input is refused with what to type`() async throws {
        try await withFolder { folder in
            try writeClip(to: "\(folder)/a.npz")
            try AtomicFile.write(Array("{\"validation\": [\"a\", \"gone\"]}".utf8), to: "\(folder)/split.json")
            let cases: [([String], CommandStatus, String)] = [
                (["\(folder)/none"], .noInput, "does not exist"),
                ([folder, "--preset", "rain"], .usage, "clean, standard or occlusion"),
                ([folder, "--samples", "0"], .usage, "--samples"),
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
