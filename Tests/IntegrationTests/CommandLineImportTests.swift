import SinewArrayFiles
import SinewCommands
import Testing

/// Released checkpoints and SMPL bodies, imported by the built binary.
@Suite(.timeLimit(.minutes(5)))
struct CommandLineImportTests {
    /// The fixtures of SinewImportTests, which lie beside this file's folder.
    private func fixture(_ name: String, file: String = #filePath) -> String {
        file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
            + "/SinewImportTests/Fixtures/\(name)"
    }

    @Test func `a checkpoint is imported, verified and solved with`() async throws {
        try await withFolder { folder in
            let models = "\(folder)/models"
            let imported = try await CommandLineTool.run(
                "model", "import", fixture("niki_ts.pth"), "--models", models, "--name", "released")
            #expect(imported.status == 0, "\(imported.talk)")
            #expect(imported.talk.contains("smpl_layer.v_template") && imported.talk.contains("NIKI, twist-and-swing"))
            let verified = try await CommandLineTool.run(
                "model", "verify", "released", "--models", models, "--against", fixture("niki_ts_dump.npz"))
            #expect(verified.status == 0, "\(verified.talk)")
            let strict = try await CommandLineTool.run(
                "model", "verify", "released", "--models", models, "--against", fixture("niki_ts_dump.npz"),
                "--tolerance", "0")
            #expect(strict.status == CommandStatus.badData.rawValue && strict.talk.contains("--tolerance"))
            try AtomicFile.write(PeopleFile(rows: 5, seed: 8).encoded(), to: "\(folder)/in.npz")
            let solved = try await CommandLineTool.run(
                "solve", "\(folder)/in.npz", "--local", "--models", models, "--model", "released/1", "-o",
                "\(folder)/out.npz")
            #expect(solved.status == 0, "\(solved.talk)")
            #expect(try NPZFile(path: "\(folder)/out.npz").array("poses").shape.last == 72)
            let again = try await CommandLineTool.run(
                "model", "import", fixture("niki_ts.pth"), "--models", models, "--name", "released")
            #expect(again.status == CommandStatus.badData.rawValue && again.talk.contains("--version"))
        }
    }

    @Test(arguments: [
        ("smpl_ik.ckpt", "smpl_ik_dump.npz", "smpl_neutral.v_template"),
        ("learnable_smplify.pth.tar", "learnable_smplify_dump.npz", "openpose_regressor"),
    ])
    func `the other releases are imported, verified and solved with, too`(
        file: String, dump: String, licensed: String
    ) async throws {
        try await withFolder { folder in
            let models = "\(folder)/models"
            let imported = try await CommandLineTool.run(
                "model", "import", fixture(file), "--models", models, "--name", "released")
            #expect(imported.status == 0 && imported.talk.contains(licensed), "\(imported.talk)")
            let verified = try await CommandLineTool.run(
                "model", "verify", "released", "--models", models, "--against", fixture(dump))
            #expect(verified.status == 0, "\(verified.talk)")
            try AtomicFile.write(PeopleFile(rows: 5, seed: 8).encoded(), to: "\(folder)/in.npz")
            let input =
                file.hasPrefix("smpl")
                ? ["--effector", "pelvis=0,1,0", "--effector", "left_wrist=0.5,1.4,0.1"] : ["\(folder)/in.npz"]
            let solved = try await CommandLineTool.run(
                ["solve"] + input + ["--local", "--models", models, "--model", "released", "-o", "\(folder)/out.npz"])
            #expect(solved.status == 0, "\(solved.talk)")
            #expect(try NPZFile(path: "\(folder)/out.npz").array("poses").floats().allSatisfy(\.isFinite))
        }
    }

    @Test func `a pickle that would run a program is refused and leaves nothing`() async throws {
        try await withFolder { folder in
            try AtomicFile.write(Array("cos\nsystem\n(S'touch harm'\ntR.".utf8), to: "\(folder)/evil_female.pkl")
            let before = names(in: folder)
            let body = try await CommandLineTool.run(
                "body", "import", "\(folder)/evil_female.pkl", "-o", "\(folder)/body.safetensors")
            #expect(body.status == CommandStatus.badData.rawValue && body.talk.contains("os.system"))
            let model = try await CommandLineTool.run(
                "model", "import", "\(folder)/evil_female.pkl", "--models", "\(folder)/models", "--name", "x")
            #expect(model.status == CommandStatus.badData.rawValue && model.talk.contains("os.system"))
            #expect(names(in: folder) == before)
        }
    }

    @Test func `a pickled body becomes a body file`() async throws {
        try await withFolder { folder in
            let done = try await CommandLineTool.run(
                "body", "import", fixture("tiny_female_protocol2.pkl"), "-o", "\(folder)/body.safetensors")
            #expect(done.status == 0 && done.talk.contains("40 vertices, 10 shape directions, female"), "\(done.talk)")
        }
    }

    @Test func `a name that leads out of the folder is a usage error`() async throws {
        let done = try await CommandLineTool.run(
            "model", "import", fixture("niki_ts.pth"), "--models", "/tmp", "--name", "../x")
        #expect(done.status == CommandStatus.usage.rawValue && done.talk.contains("--name"))
    }
}
