import Foundation
import SinewArrayFiles
import SinewBody
import SinewFormats
import SinewPictures
import TestSupport

/// Runs `body` with a folder of its own, which is removed afterwards.
func withScratchFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.path + "/sinew-pictures-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// A solved person who moves at random, `count` frames.
func solvedTrack(
    named name: String, count: Int, gender: Gender = .neutral, betas: [Float] = [Float](repeating: 0, count: 10),
    firstFrame: Int = 0, using random: inout SplitMix64
) -> PoseOutput.Track {
    var track = PoseOutput.Track(name: name, gender: gender)
    track.frames = Array(firstFrame..<(firstFrame + count))
    track.theta = (0..<(count * 72)).map { _ in Float.random(in: -0.6...0.6, using: &random) }
    track.translation = (0..<(count * 3)).map { _ in Float.random(in: -1...1, using: &random) }
    track.joints = [Float](repeating: 0, count: count * 87)
    track.betas = (0..<count).flatMap { _ in betas }
    track.latentNorm = (0..<count).map { _ in Float.random(in: 0...20, using: &random) }
    track.jointResidualMillimetres = (0..<count).map { _ in Float.random(in: 0...80, using: &random) }
    track.orientationResidualRadians = [Float](repeating: 0, count: count)
    track.boneLengthChange = [Float](repeating: 0, count: count)
    track.unobservedJoints = [Int32](repeating: 0, count: count)
    track.outcome = [Int32](repeating: 0, count: count)
    track.isSolved = [Bool](repeating: true, count: count)
    return track
}

/// A scene of solved people.
func scene(_ tracks: [PoseOutput.Track], title: String = "clip") -> PictureScene {
    PictureScene(
        title: title, framesPerSecond: 30, sources: [.poses(name: "niki/1", tracks.map { PoseTrack($0) })])
}
