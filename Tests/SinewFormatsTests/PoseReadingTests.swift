import SinewArrayFiles
import SinewBody
import SinewFormats
import TestSupport
import Testing

/// Solved poses that are written and read back with everything that was measured.
struct PoseReadingTests {
    private func track(_ name: String, seed: UInt64, shapeChanges: Bool = false) -> PoseOutput.Track {
        var random = SplitMix64(seed: seed)
        var track = PoseOutput.Track(name: name, gender: .female)
        let shape = (0..<10).map { _ in Float.random(in: -1...1, using: &random) }
        for frame in 0..<5 {
            let isSolved = frame != 2
            func numbers(_ count: Int) -> [Float] {
                (0..<count).map { _ in isSolved ? .random(in: -1...1, using: &random) : 0 }
            }
            track.frames.append(3 * frame + 7)
            track.theta += numbers(72)
            track.translation += numbers(3)
            track.joints += numbers(87)
            track.betas += shape.map { shapeChanges ? $0 + Float(frame) : $0 }
            track.latentNorm += numbers(1)
            track.jointResidualMillimetres += numbers(1)
            track.orientationResidualRadians += numbers(1)
            track.boneLengthChange += numbers(1)
            track.unobservedJoints.append(Int32(frame))
            track.outcome.append(Int32(frame % 3))
            track.isSolved.append(isSolved)
        }
        track.corrections = [
            0: PoseOutput.Correction(joints: [4, 23], model: "smpl-ik/1"),
            3: PoseOutput.Correction(joints: [0], model: "niki/2"),
        ]
        return track
    }

    private func expectSame(_ read: PoseOutput.Track, _ written: PoseOutput.Track) {
        #expect(read.name == written.name && read.gender == written.gender && read.frames == written.frames)
        #expect(read.theta == written.theta && read.translation == written.translation)
        #expect(read.joints == written.joints && read.betas == written.betas)
        #expect(read.latentNorm == written.latentNorm)
        #expect(read.jointResidualMillimetres == written.jointResidualMillimetres)
        #expect(read.orientationResidualRadians == written.orientationResidualRadians)
        #expect(read.boneLengthChange == written.boneLengthChange)
        #expect(read.unobservedJoints == written.unobservedJoints && read.outcome == written.outcome)
        #expect(read.isSolved == written.isSolved && read.corrections == written.corrections)
    }

    @Test(arguments: [false, true])
    func `an npz comes back with every number`(shapeChanges: Bool) throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let written = track("anna", seed: 11, shapeChanges: shapeChanges)
        let output = PoseOutput(tracks: [written], framesPerSecond: 25, model: "niki/1")
        _ = try output.write(to: "\(folder)/p.npz")
        let read = try PoseOutput.read(path: "\(folder)/p.npz")
        #expect(read.framesPerSecond == 25 && read.model == "niki/1" && read.isMeasured)
        expectSame(try #require(read.tracks.first), written)
    }

    @Test func `JSON lines come back with every track and number`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let written = [track("anna", seed: 12), track("ben", seed: 13, shapeChanges: true)]
        let output = PoseOutput(tracks: written, framesPerSecond: 24, model: "niki/1")
        _ = try output.write(to: "\(folder)/p.jsonl")
        let read = try PoseOutput.read(path: "\(folder)/p.jsonl")
        #expect(read.framesPerSecond == 24 && read.model == "niki/1" && read.isMeasured && read.tracks.count == 2)
        for (one, other) in zip(read.tracks, written) { expectSame(one, other) }
    }

    @Test func `poses of others are read without measures`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let clip = PoseClip(
            theta: [Float](repeating: 0, count: 144), translation: [0, 1, 0, 0, 1, 0],
            betas: [Float](repeating: 0, count: 10), gender: .male, framesPerSecond: 60)
        try clip.write(to: "\(folder)/amass.npz")
        let read = try PoseOutput.read(path: "\(folder)/amass.npz")
        #expect(!read.isMeasured && read.framesPerSecond == 60 && read.tracks.first?.joints.count == 174)
    }

    @Test func `what contradicts itself is refused with file, field and place`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let whole = PoseOutput(tracks: [track("a", seed: 14)], framesPerSecond: 30, model: "m/1")
        func read(_ name: String, _ change: (inout PoseOutput.Track) -> Void) throws -> FormatError? {
            var output = whole
            change(&output.tracks[0])
            _ = try output.write(to: "\(folder)/\(name)")
            do throws(FormatError) { _ = try PoseOutput.read(path: "\(folder)/\(name)") } catch { return error }
            return nil
        }
        let measure = try #require(try read("a.npz") { $0.boneLengthChange[1] = .nan })
        #expect(measure.field == "bone_length_change" && measure.message.contains("a.npz"))
        let outcome = try #require(try read("b.npz") { $0.outcome[1] = 7 })
        #expect(outcome.field == "outcome" && outcome.reason == .invalidData)
        let line = try #require(try read("c.jsonl") { $0.joints[4] = .infinity })
        #expect(line.field == "joints3d" && line.message.contains("line 2"), "\(line.message)")
        let count = try #require(try read("d.jsonl") { $0.unobservedJoints[4] = 30 })
        #expect(count.field == "unobserved_joints" && count.message.contains("line 6"), "\(count.message)")
    }
}
