import Foundation
import SinewArrayFiles
import SinewModels
import Testing

/// The published checkpoints were trained with y down and z forward; the same weights under `none` and `camera-frame` show the difference.
@Suite struct CameraFrameTests {
    /// A copy of a fixture whose `model.json` says `camera-frame`.
    private func withCameraModel<Result>(_ name: String, _ body: (NIKIModel) throws -> Result) throws -> Result {
        let repository = FileManager.default.temporaryDirectory.path + "/sinew-camera-\(UUID().uuidString)"
        let folder = "\(repository)/\(name)/1"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: repository) }
        let source = "\(Golden.folder)/\(name)/1"
        try FileManager.default.copyItem(
            atPath: "\(source)/weights.safetensors", toPath: "\(folder)/weights.safetensors")
        let json = try String(contentsOfFile: "\(source)/model.json", encoding: .utf8)
        try json.replacingOccurrences(of: "\"none\"", with: "\"camera-frame\"").write(
            toFile: "\(folder)/model.json", atomically: true, encoding: .utf8)
        let model = try #require(ModelRepository(path: repository).load(name) as? NIKIModel)
        #expect(model.description.conditioning == .cameraFrame)
        return try body(model)
    }

    /// Half a turn about x, written out here again so that a mistake in the code is not repeated by its test.
    private func turned(_ points: [Float]) -> [Float] {
        points.enumerated().map { $0.offset % 3 == 0 ? $0.element : -$0.element }
    }

    @Test(arguments: ["niki_ts_none", "niki_one_stage_none"])
    func `a person in the model frame is seen by the network in the camera frame`(name: String) throws {
        let golden = try Golden(name)
        let plain = try #require(ModelRepository(path: Golden.folder).load(name) as? NIKIModel)
        var seen = try golden.observations()
        let rest = try golden.floats("rest")
        let expected = try plain.run(seen, restJoints: rest, isCancelled: { false })
        seen.joints = turned(seen.joints)
        let found = try withCameraModel(name) { model in
            try model.run(seen, restJoints: turned(rest), isCancelled: { false })
        }
        #expect(found.latentNorm == expected.latentNorm)
        for index in 0..<expected.rotations.count {
            let (joint, row) = (index / 9 % 24, index % 9 / 3)
            // The root is turned back by the same half turn; the other rotations do not depend on the frame.
            let sign: Float = joint == 0 && row > 0 ? -1 : 1
            #expect(found.rotations[index] == sign * expected.rotations[index])
        }
    }

    @Test func `the FK direction gives joints in the model frame`() throws {
        let golden = try Golden("niki_one_stage_none")
        let seen = try golden.observations()
        let rest = try golden.floats("rest")
        try withCameraModel("niki_one_stage_none") { model in
            let latent = [Float](repeating: 0.1, count: seen.count * model.latentCount)
            let rotations = try model.run(seen, restJoints: rest, isCancelled: { false }).rotations
            let expected = try model.expectedObservations(
                of: PosedPeople(
                    count: seen.count, rotations: rotations, betas: seen.betas, genders: seen.genders, latent: latent),
                restJoints: rest, isCancelled: { false })
            let camera = try model.network.forward(
                count: seen.count, rotation6d: turnedRows(of: rotations), latent: latent, betas: seen.betas,
                isCancelled: { false })
            let joints = (0..<seen.count).flatMap { camera.observation[($0 * 176)..<($0 * 176 + 87)] }
            #expect(largestDifference(expected.joints, turned(joints)) <= 1e-5)
        }
    }

    /// The first two rows of each rotation of `[count, 24, 3, 3]`, roots turned half about x.
    private func turnedRows(of rotations: [Float]) -> [Float] {
        var rows: [Float] = []
        for rotation in 0..<(rotations.count / 9) {
            for entry in 0..<6 {
                let value = rotations[rotation * 9 + entry]
                rows.append(rotation % 24 == 0 && entry > 2 ? -value : value)
            }
        }
        return rows
    }
}
