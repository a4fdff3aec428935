import Foundation
import SinewArrayFiles
import SinewImport
import SinewModels
import TestSupport
import Testing

@Suite struct CheckpointImportTests {
    private static let releases = [
        ("niki_ts.pth", "niki-twist-and-swing", "niki_ts_dump.npz", 0),
        ("niki_one_stage_legacy.pth", "niki-one-stage", "niki_one_stage_dump.npz", 9),
    ]

    @Test(arguments: releases)
    func `an imported network computes what PyTorch computed`(
        file: String, architecture: String, dump: String, unused: Int
    ) throws {
        try withScratchFolder { folder in
            let report = try CheckpointImport(path: fixture(file)).write(
                name: "released", version: "7", repository: folder)
            #expect(report.architecture == architecture && report.folder == "\(folder)/released/7")
            #expect(report.licensedTensors.count == 9 && report.unusedTensors.count == unused)
            let model = try ModelRepository(path: folder).load("released/7")
            #expect(model.identity.weightsSHA256 == report.weightsSHA256)
            let verified = try ModelVerification(of: model, against: fixture(dump))
            #expect(verified.rows == 3)
            #expect(verified.rotationDifference <= 2e-5)
            #expect(try #require(verified.latentDifference) <= 2e-5)
            // Nothing but the model is left behind.
            #expect(
                everything(below: folder) == [
                    "released", "released/7", "released/7/model.json", "released/7/weights.safetensors",
                ])
        }
    }

    @Test func `answers of another network are told apart, and a recording of another shape is refused`() throws {
        try withScratchFolder { folder in
            _ = try CheckpointImport(path: fixture("niki_one_stage_legacy.pth")).write(
                name: "one", version: "1", repository: folder)
            let model = try ModelRepository(path: folder).load("one")
            let recorded = try NPZFile(path: fixture("niki_one_stage_dump.npz"))
            var answers = try recorded.array("rotation6d").floats()
            answers[200] += 0.25
            var writer = NPZWriter()
            writer.add("input", try recorded.array("input"))
            writer.add("padding", try recorded.array("padding"))
            writer.add("rotation6d", .float32(answers, shape: [3, 144]))
            try writer.write(to: folder + "/changed.npz")
            let verified = try ModelVerification(of: model, against: folder + "/changed.npz")
            #expect(abs(verified.rotationDifference - 0.25) < 1e-3 && verified.latentDifference == nil)
            let error = #expect(throws: ModelError.self) {
                try ModelVerification(of: model, against: fixture("niki_ts_dump.npz"))
            }
            #expect(error?.message.contains("[3, 78]") == true)
        }
    }

    @Test func `a model that is there already is not replaced`() throws {
        try withScratchFolder { folder in
            let checkpoint = try CheckpointImport(path: fixture("niki_ts.pth"))
            _ = try checkpoint.write(name: "a", version: "1", repository: folder)
            let error = #expect(throws: ModelError.self) {
                try checkpoint.write(name: "a", version: "1", repository: folder)
            }
            #expect(error?.message.contains("is there already") == true)
        }
    }

    @Test func `files that are no checkpoint say what they are`() throws {
        for (name, part) in [
            ("arrays.npz", "no torch checkpoint"), ("protocol2.pkl", "no torch checkpoint"),
            ("nowhere.pth", "nowhere.pth"),
        ] {
            let error = #expect(throws: ModelError.self) { try CheckpointImport(path: fixture(name)) }
            #expect(
                error?.reason == .unusableFile && error?.message.contains(part) == true,
                "\(name): \(String(describing: error))")
        }
    }

    /// The ZIP form keeps names readable: a letter changed in the pickle renames a tensor.
    private func renamed(_ from: String, to: String) throws -> [UInt8] {
        let bytes = try fixtureBytes("niki_one_stage_legacy.pth")
        let (old, new) = (Array(from.utf8), Array(to.utf8))
        precondition(old.count == new.count)
        let at = try #require(bytes.firstRange(of: old))
        var changed = bytes
        changed.replaceSubrange(at, with: new)
        return changed
    }

    @Test func `missing and superfluous tensors are each named, and nothing is written`() throws {
        try withScratchFolder { folder in
            let path = folder + "/renamed.pth"
            try Data(renamed("regressor.flow.t.1.2.weight", to: "regressor.flow.x.1.2.weight")).write(
                to: URL(fileURLWithPath: path))
            let error = #expect(throws: ModelError.self) {
                try CheckpointImport(path: path).write(name: "a", version: "1", repository: folder + "/models")
            }
            #expect(error?.message.contains("lacks flow.t.1.2.weight") == true)
            #expect(error?.message.contains("also holds flow.x.1.2.weight") == true)
            #expect(everything(below: folder) == ["renamed.pth"])
        }
    }

    @Test(arguments: [
        "niki_ts.pth", "niki_one_stage_legacy.pth", "smpl_ik.ckpt", "protocol2.pkl", "tiny_female_protocol2.pkl",
        "sparse.pkl",
    ])
    func `no damage to a file makes the reader crash`(name: String) throws {
        let seed: UInt64 = 20_261_121
        var random = SplitMix64(seed: seed)
        let whole = try fixtureBytes(name)
        var refused = 0
        for _ in 0..<150 {
            var bytes = whole
            if random.next() % 3 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            for _ in 0..<(random.next() % 4 + 1) where !bytes.isEmpty {
                // Most of a file is numbers; its structure is at the front or, in an archive, at the back.
                let span = random.next() % 2 == 0 ? min(bytes.count, 2000) : bytes.count
                let at = Int(random.next() % UInt64(span))
                bytes[random.next() % 2 == 0 ? at : bytes.count - 1 - at] = UInt8(truncatingIfNeeded: random.next())
            }
            do throws(ArrayFileError) {
                if name.hasSuffix(".pth") || name.hasSuffix(".ckpt") {
                    let file = try TorchFile(bytes: bytes, path: name)
                    for entry in file.document.entries(file.document.root) ?? [] where file.isTensor(entry.value) {
                        _ = try file.tensor(entry.value, name: "any")
                    }
                } else {
                    let document = try PickleDocument(reading: bytes, name: name)
                    for entry in document.entries(document.root) ?? [] {
                        _ = try document.array(entry.value, what: "any")
                    }
                }
            } catch { refused += 1 }
        }
        #expect(refused > 20, "seed \(seed)")
    }
}
