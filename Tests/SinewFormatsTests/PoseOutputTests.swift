import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

struct PoseOutputTests {
    private func track(_ name: String, frames: Int, seed: Float) -> PoseOutput.Track {
        var track = PoseOutput.Track(name: name, gender: .female)
        for frame in 0..<frames {
            track.frames.append(frame * 2)
            track.theta += (0..<72).map { Float($0) * 0.01 + seed }
            track.translation += [seed, 1, 2]
            track.joints += (0..<87).map { Float($0) * 0.02 + seed }
            track.betas += [Float](repeating: seed, count: 10)
            track.latentNorm.append(0.5)
            track.jointResidualMillimetres.append(12)
            track.orientationResidualRadians.append(0.25)
            track.boneLengthChange.append(0.1)
            track.unobservedJoints.append(5)
            track.outcome.append(Int32(frame % 3))
            track.isSolved.append(frame != 1)
        }
        return track
    }

    @Test func `one track becomes one file in AMASS's layout`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let one = track("anna", frames: 3, seed: 0.25)
        let output = PoseOutput(tracks: [one], framesPerSecond: 25, model: "niki/1")
        #expect(try output.write(to: folder + "/pose.npz") == [folder + "/pose.npz"])
        #expect(try contents(of: folder) == ["pose.npz"])
        let file = try NPZFile(path: folder + "/pose.npz")
        #expect(try file.array("poses") == .float32(one.theta, shape: [3, 72]))
        #expect(try file.array("trans") == .float32(one.translation, shape: [3, 3]))
        #expect(try file.array("betas") == .float32([Float](repeating: 0.25, count: 10), shape: [10]))
        #expect(try file.array("gender").strings() == ["female"])
        #expect(try file.array("gender").shape == [])
        #expect(try file.array("mocap_framerate").doubles() == [25])
        #expect(try file.array("frame").ints() == [0, 2, 4])
        #expect(try file.array("joints3d").shape == [3, 29, 3])
        #expect(try file.array("outcome").ints() == [0, 1, 2])
        #expect(try file.array("joint_residual_mm").floats() == [12, 12, 12])
        #expect(try file.array("orientation_residual_rad").floats() == [0.25, 0.25, 0.25])
        #expect(try file.array("unobserved_joints").ints() == [5, 5, 5])
        #expect(try file.array("solved").ints() == [1, 0, 1])
        #expect(try file.array("model").strings() == ["niki/1"])
        #expect(!file.contains("betas_per_frame"))
    }

    @Test func `several tracks become a file each, whatever their names`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let output = PoseOutput(
            tracks: ["anna", "../b b", "ünal", "_nal", ""].map { track($0, frames: 2, seed: 1) }, framesPerSecond: nil,
            model: "hybrik/1")
        let paths = try output.write(to: folder + "/pose.npz")
        #expect(
            paths.map { String($0.dropFirst(folder.count + 1)) }
                == ["pose.anna.npz", "pose.___b_b.npz", "pose._nal.npz", "pose._nal_3.npz", "pose._4.npz"])
        #expect(try contents(of: folder).count == 5)
        let file = try NPZFile(path: paths[1])
        #expect(try file.array("track").strings() == ["../b b"])
        #expect(try file.array("mocap_framerate").doubles() == [30])
    }

    @Test func `a shape that changes is kept beside its mean`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        var changing = track("a", frames: 2, seed: 1)
        changing.betas[10] = 3
        let path = folder + "/p.npz"
        _ = try PoseOutput(tracks: [changing], framesPerSecond: 30, model: "m/1").write(to: path)
        let file = try NPZFile(path: path)
        #expect(try file.array("betas").floats()[0] == 2)
        #expect(try file.array("betas_per_frame").shape == [2, 10])
    }

    @Test func `what cannot be written leaves nothing behind`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let output = PoseOutput(tracks: [track("a", frames: 1, seed: 0)], framesPerSecond: 30, model: "m/1")
        let error = #expect(throws: FormatError.self) { try output.write(to: folder + "/none/p.npz") }
        #expect(error?.reason == .missingFile)
        #expect(try contents(of: folder).isEmpty)
    }

    @Test func `a written file can be solved again`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let joints = try BodyModel.bundled(.female).restJoints(betas: [])
        var standing = track("a", frames: 2, seed: 0)
        standing.joints = joints + joints
        let path = folder + "/p.npz"
        _ = try PoseOutput(tracks: [standing], framesPerSecond: 24, model: "m/1").write(to: path)
        let input = try PoseInput.read(path: path)
        #expect(input.joints == standing.joints)
        #expect(input.frames == [0, 2])
        #expect(input.trackNames == ["a"])
        #expect(input.genders == [.female, .female])
        #expect(input.framesPerSecond == 24)
    }
}
