import SinewArrayFiles
import SinewBody
import SinewFormats
import SinewPictures
import TestSupport
import Testing

struct PictureSceneTests {
    @Test func `frames of all tracks make one timeline with gaps`() {
        var random = SplitMix64(seed: 1)
        var left = solvedTrack(named: "left", count: 3, using: &random)
        left.isSolved[1] = false
        let right = solvedTrack(named: "right", count: 2, firstFrame: 2, using: &random)
        let made = scene([left, right])
        #expect(made.frameNumbers == [0, 1, 2, 3])
        #expect(made.poseLayers[0].tracks.map(\.rows) == [[0, nil, 2, nil], [nil, nil, 0, 1]])
    }

    @Test func `tracks of one name are one person and others are matched in order with a note`() {
        var random = SplitMix64(seed: 2)
        let solved = ["a", "b"].map { PoseTrack(solvedTrack(named: $0, count: 1, using: &random)) }
        let swapped: [PoseTrack] = solved.reversed()
        let other = ["x", "y"].map { PoseTrack(solvedTrack(named: $0, count: 1, using: &random)) }
        let more = PoseTrack(solvedTrack(named: "c", count: 1, using: &random))
        let made = PictureScene(
            title: "", framesPerSecond: 30,
            sources: [
                .poses(name: "1", solved), .poses(name: "2", swapped), .poses(name: "3", other),
                .poses(name: "4", [more]),
                .poses(name: "5", [solved[0], solved[0]]),
            ])
        #expect(made.people == ["a", "b", "c", "a"])
        #expect(made.poseLayers.map { $0.tracks.map(\.person) } == [[0, 1], [1, 0], [0, 1], [2], [0, 3]])
        #expect(made.notes == ["Tracks have other names in different files; matched in order: x is a, y is b"])
    }

    @Test func `a written track is read back with its measures and its gaps`() throws {
        try withScratchFolder { folder in
            var random = SplitMix64(seed: 3)
            var track = solvedTrack(named: "walk", count: 4, gender: .female, using: &random)
            track.isSolved[3] = false
            // A broken converter's row.
            track.theta[75] = .nan
            let output = PoseOutput(tracks: [track], framesPerSecond: 25, model: "niki/1.0.0")
            let path = try output.write(to: folder + "/pose.npz")[0]
            let file = try PoseTrack.read(path: path)
            #expect(file.model == "niki/1.0.0" && file.framesPerSecond == 25)
            #expect(file.track.name == "walk" && file.track.gender == .female)
            #expect(file.track.isPresent == [true, false, true, false])
            #expect(file.track.series.map(\.key) == ["joint_residual_mm", "latent_norm"])
            #expect(file.track.series[0].values == track.jointResidualMillimetres)
            #expect(throws: FormatError.self) { try PoseClip.read(path: path) }
        }
    }

    @Test func `files of one model are one layer and compared ones another`() throws {
        try withScratchFolder { folder in
            var random = SplitMix64(seed: 4)
            let tracks = ["left", "right"].map { solvedTrack(named: $0, count: 2, using: &random) }
            let niki = try PoseOutput(tracks: tracks, framesPerSecond: 30, model: "niki/1").write(to: folder + "/n.npz")
            let hybrik = try PoseOutput(tracks: tracks, framesPerSecond: 30, model: "hybrik/1").write(
                to: folder + "/h.npz")
            let joints = folder + "/joints.npz"
            var observed = NPZWriter()
            let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
            observed.add("joints3d", .float32(rest + rest + rest + rest, shape: [2, 2, 29, 3]))
            observed.add("track", .strings(["left", "right"], shape: [2]))
            try observed.write(to: joints)
            let scene = try SceneFiles(paths: niki, observed: [joints], compared: hybrik + niki).read()
            #expect(scene.layers.map(\.name) == ["input", "niki/1", "hybrik/1", "niki/1 (compared)"])
            #expect(scene.people == ["left", "right"])
            #expect(scene.title == "n.left.npz and 1 more")
            let alone = try SceneFiles(paths: [joints]).read()
            #expect(alone.layers.map(\.name) == ["input"] && alone.frameNumbers == [0, 1])
            #expect(throws: FormatError.self) { try SceneFiles(paths: niki, compared: [joints]).read() }
        }
    }
}
