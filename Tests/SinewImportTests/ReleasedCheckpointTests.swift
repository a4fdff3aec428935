import Foundation
import SinewArrayFiles
import SinewBody
import SinewImport
import SinewModels
import Testing

/// SMPL-IK's and Learnable SMPLify's checkpoints, saved by PyTorch from modules with the published names (`tools/golden/checkpoint_files.py`).
@Suite struct ReleasedCheckpointTests {
    @Test func `the tables have the published numbers of tensors and parameters`() {
        let published = SMPLIKCheckpoint.layout(width: 1024, embedding: 32, blocks: 3)
        #expect(published.tensors.count == 106 && parameters(published.tensors) == 39_878_596)
        let widths = [64, 64, 64, 64, 128, 128, 128, 256, 256, 256]
        let blocks = (0..<9).map {
            LearnableSMPLifyCheckpoint.Block(
                inputs: widths[$0], outputs: widths[$0 + 1], stride: widths[$0] == widths[$0 + 1] ? 1 : 2)
        }
        let graph = LearnableSMPLifyCheckpoint.layout(
            channels: 64, blocks: blocks, taps: 9, hidden: 256, jointWidth: 256)
        // 218 entries less openpose_regressor and one counter for each of the 23 normalisations.
        #expect(graph.tensors.count == 218 - 1 - 23)
        let trained = graph.tensors.filter { !$0.name.contains("running_") }
        #expect(parameters(trained) == 6_098_200)
        #expect(parameters(trained.filter { $0.name.hasPrefix("backbone.") }) == 3_083_412)
    }

    private func parameters(_ tensors: [CheckpointLayout.Tensor]) -> Int {
        tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    @Test func `an imported SMPL-IK computes what PyTorch computed`() throws {
        try withScratchFolder { folder in
            let report = try imported("smpl_ik.ckpt", into: folder)
            #expect(report.architecture == "smpl-ik" && report.licensedTensors.count == 15)
            #expect(report.licensedTensors.contains("smpl_female.v_template"))
            #expect(report.unusedTensors.count == 5 && report.unusedTensors[0].hasPrefix("rot_loss_scale"))
            let model = try ModelRepository(path: folder).load("released")
            let recording = try NPZFile(path: fixture("smpl_ik_dump.npz"))
            let verified = try ModelVerification(of: model, against: fixture("smpl_ik_dump.npz"))
            let largest = try recording.array("rotation6d").floats().reduce(1) { max($0, abs($1)) }
            #expect(verified.rows == 4 && verified.rotationDifference <= 1e-5 * Double(largest))
            #expect(try #require(verified.positionDifference) <= 1e-5 * Double(largest))
        }
    }

    @Test func `effectors of people who stand along y come back posed as in the network's world, whose z is up`() throws
    {
        try withScratchFolder { folder in
            _ = try imported("smpl_ik.ckpt", into: folder)
            let model = try #require(try ModelRepository(path: folder).load("released") as? any EffectorPoseModel)
            let recording = try NPZFile(path: fixture("smpl_ik_dump.npz"))
            let solved = try model.solve(try effectors(recording), isCancelled: { false })
            let joints = try recording.array("joints").floats()
            let rotations = try recording.array("rotations").floats()
            for row in 0..<(4 * 24) {
                let place = (row / 24) * 87 + (row % 24) * 3
                #expect(length(solved.joints.vector(at: place) - joints.vector(at: row * 3)) < 1e-4)
                let found = RotationMatrix(AxisAngle(solved.theta.vector(at: row * 3)))
                #expect(found.angle(to: RotationMatrix(rowMajor: rotations, at: row * 9)) < 1e-4)
            }
        }
    }

    private func effectors(_ recording: NPZFile) throws -> EffectorObservations {
        func floats(_ name: String) throws -> [Float] { try recording.array(name).floats() }
        let (kinds, joints) = (try recording.array("kind").ints(), try recording.array("joint").ints())
        let (values, tolerances, weights) = (try floats("values"), try floats("tolerance"), try floats("weight"))
        let shape = try floats("shape")
        var observations = EffectorObservations()
        var next = 0
        for (person, count) in try recording.array("counts").ints().enumerated() {
            let effectors = (next..<(next + count)).map { index in
                var six = SIMD8<Float>.zero
                for axis in 0..<6 { six[axis] = values[index * 6 + axis] }
                return Effector(
                    kind: EffectorObservations.Kind.allCases[kinds[index]], joint: UInt8(joints[index]), values: six,
                    tolerance: tolerances[index], weight: weights[index])
            }
            next += count
            observations.append(
                effectors, betas: Array(shape[(person * 11)..<(person * 11 + 10)]),
                gender: [Gender.male, .female, .neutral][Int(shape[person * 11 + 10])])
        }
        return observations
    }

    @Test func `an imported Learnable SMPLify computes what PyTorch computed, and solves`() throws {
        try withScratchFolder { folder in
            let report = try imported("learnable_smplify.pth.tar", into: folder)
            #expect(report.architecture == "learnable-smplify" && report.licensedTensors == ["openpose_regressor"])
            #expect(report.unusedTensors.count == 13)
            let model = try #require(try ModelRepository(path: folder).load("released") as? LearnableSMPLifyModel)
            let largest = try NPZFile(path: fixture("learnable_smplify_dump.npz")).array("rotation6d").floats()
                .reduce(1) { max($0, abs($1)) }
            let verified = try ModelVerification(of: model, against: fixture("learnable_smplify_dump.npz"))
            #expect(verified.rows == 3 && verified.rotationDifference <= 1e-5 * Double(largest))
            let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
            let solved = try model.solve(
                PoseObservations(
                    count: 1, joints: rest, sigma: Array(repeating: 0, count: 29), observed: [(1 << 29) - 1],
                    twists: Array(repeating: 0, count: 23), hasTwists: [false], betas: Array(repeating: 0, count: 10),
                    genders: [.neutral]), isCancelled: { false })
            // A body at rest starts from itself, and no answer of a random network fits better.
            #expect(solved.outcome == [.startKept] && solved.jointResidualMillimetres[0] < 0.1)
        }
    }

    @Test func `answers of another network are told apart`() throws {
        try withScratchFolder { folder in
            _ = try imported("learnable_smplify.pth.tar", into: folder)
            let model = try ModelRepository(path: folder).load("released")
            let recorded = try NPZFile(path: fixture("learnable_smplify_dump.npz"))
            var answers = try recorded.array("rotation6d").floats()
            answers[17] -= 0.5
            var writer = NPZWriter()
            writer.add("graph", try recorded.array("graph"))
            writer.add("body", try recorded.array("body"))
            writer.add("rotation6d", .float32(answers, shape: [3, 132]))
            try writer.write(to: folder + "/changed.npz")
            let verified = try ModelVerification(of: model, against: folder + "/changed.npz")
            #expect(abs(verified.rotationDifference - 0.5) < 1e-3)
            let error = #expect(throws: ModelError.self) {
                try ModelVerification(of: model, against: fixture("smpl_ik_dump.npz"))
            }
            #expect(error?.message.contains("graph") == true)
        }
    }

    /// Names of equal length, so that a pickle stays one: a tensor under another name is missing here and superfluous there, two that change
    /// places have each other's shape.
    private static let changes: [(file: String, changes: [(String, String)], parts: [String])] = [
        (
            "smpl_ik.ckpt", [("decoder_stage1.blocks.2.norm.a_2", "decoder_stage1.blocks.2.norm.a_3")],
            ["lacks decoder_stage1.blocks.2.norm.a_2", "also holds decoder_stage1.blocks.2.norm.a_3", "SMPL-IK"]
        ),
        (
            "smpl_ik.ckpt",
            [
                ("stage2.blocks.0.fc_layers.0.weight", "stage2.blocks.0.fc_layers.X.weight"),
                ("stage2.blocks.0.fc_layers.2.weight", "stage2.blocks.0.fc_layers.0.weight"),
                ("stage2.blocks.0.fc_layers.X.weight", "stage2.blocks.0.fc_layers.2.weight"),
            ],
            [
                "decoder_stage2.blocks.0.fc_layers.0.weight [9, 9] instead of [9, 92]",
                "decoder_stage2.blocks.0.fc_layers.2.weight [9, 92] instead of [9, 9]",
            ]
        ),
        ("smpl_ik.ckpt", [("net.embeddings.1.projection.bias", "net.embeddings.1.projection.bios")], ["lacks emb"]),
        // What stands beside the network must be known by name or hold one number.
        ("smpl_ik.ckpt", [("smpl_female.shapedirs", "smpl_famale.shapedirs")], ["also holds smpl_famale.shapedirs"]),
        (
            "learnable_smplify.pth.tar", [("backbone.backbone.3.down1.bn.bias", "backbone.backbone.3.down1.bn.bios")],
            ["lacks backbone.backbone.3.down1.bn.bias", "Learnable SMPLify"]
        ),
        (
            "learnable_smplify.pth.tar", [("backbone.backbone.1.gcn1.mask", "backbone.backbone.1.gcn1.musk")],
            ["lacks backbone.backbone.1.gcn1.mask", "also holds backbone.backbone.1.gcn1.musk"]
        ),
    ]

    @Test(arguments: 0..<6)
    func `missing, superfluous and misshapen tensors are each named, and nothing is written`(index: Int) throws {
        let (file, changes, parts) = Self.changes[index]
        try withScratchFolder { folder in
            try changed(file, changes).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
            let error = #expect(throws: ModelError.self) {
                try CheckpointImport(path: "\(folder)/\(file)").write(
                    name: "a", version: "1", repository: folder + "/models")
            }
            let message = error?.message ?? ""
            for part in parts { #expect(message.contains(part), "\(message)") }
            #expect(everything(below: folder) == [file])
        }
    }

    @Test func `settings of a known kind are skipped, an unknown class beside them is refused by its name`() throws {
        try withScratchFolder { folder in
            let path = "\(folder)/evil.ckpt"
            try changed("smpl_ik.ckpt", [("omegaconf.listconfig", "omegaconf.evilconfig")]).write(
                to: URL(fileURLWithPath: path))
            let error = #expect(throws: ModelError.self) { try CheckpointImport(path: path) }
            #expect(error?.message.contains("names omegaconf.evilconfig.ListConfig") == true)
        }
    }

    @Test func `a ProtoRes is told what it is`() {
        let error = #expect(throws: ModelError.self) { try CheckpointImport(path: fixture("protores.ckpt")) }
        #expect(error?.reason == .unusableFile && error?.message.contains("is a ProtoRes") == true)
    }

    private func imported(_ file: String, into folder: String) throws -> CheckpointImport.Report {
        try CheckpointImport(path: fixture(file)).write(name: "released", version: "1", repository: folder)
    }

    /// A checkpoint of the ZIP form with texts of its pickle replaced by texts of the same length.
    private func changed(_ file: String, _ changes: [(String, String)]) throws -> Data {
        var bytes = try fixtureBytes(file)
        let name = try #require(try ZIPFile(bytes: bytes, path: file).names.first { $0.hasSuffix("/data.pkl") })
        let pickle = try #require(try ZIPFile(bytes: bytes, path: file).contents(of: name))
        let place = try #require(bytes.firstRange(of: pickle))
        for (old, new) in changes {
            precondition(old.utf8.count == new.utf8.count)
            var from = place.lowerBound
            var count = 0
            while let found = bytes[from..<place.upperBound].firstRange(of: Array(old.utf8)) {
                bytes.replaceSubrange(found, with: Array(new.utf8))
                from = found.upperBound
                count += 1
            }
            #expect(count > 0, "\(old) is not in \(file)")
        }
        // The directory at the end holds the checksum 30 bytes before the name.
        let entry = try #require(bytes[place.upperBound...].firstRange(of: Array(name.utf8)))
        let sum = crc32(bytes[place])
        for byte in 0..<4 { bytes[entry.lowerBound - 30 + byte] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * byte)) }
        return Data(bytes)
    }

    private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
