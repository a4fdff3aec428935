import SinewArrayFiles
import SinewBody
import SinewFormats
import TestSupport
import Testing

/// Compared with scipy, numpy and the package of the One-Euro filter's authors: tools/golden/clips.py.
struct ClipTests {
    private let file: NPZFile

    init() throws { file = try NPZFile(path: fixture("clips.npz")) }

    private func floats(_ name: String) throws -> [Float] { try file.array(name).floats() }

    /// The fixture's joints as observations; bones there have no lengths of people, so what reads files is left out.
    private func joints(fps: Double? = 30) throws -> PoseInput {
        let frames = try file.array("frame").ints()
        var input = try reading([
            ("joints3d", .float32(try BodyModel.bundled(.neutral).restJoints(betas: []), shape: [1, 29, 3])),
            ("track", .strings(["anna"], shape: [1])),
        ])
        input = input.keeping(rows: [Int](repeating: 0, count: frames.count))
        input.joints = try floats("joints3d")
        input.frames = frames
        input.framesPerSecond = fps
        return input
    }

    private func clip() throws -> PoseClip {
        let folder = try scratchFolder()
        defer { discard(folder) }
        var writer = NPZWriter()
        let frames = try file.array("frame")
        writer.add("poses", try file.array("poses"))
        writer.add(
            "trans", .float32(try floats("joints3d").rowHeads(width: 87, count: 3), shape: [frames.shape[0], 3]))
        writer.add("frame", frames)
        writer.add("mocap_framerate", .float64([30], shape: []))
        writer.add("up_axis", .strings(["y"], shape: []))
        try writer.write(to: folder + "/clip.npz")
        return try #require(try PoseClip.readAll(path: folder + "/clip.npz").first)
    }

    @Test(arguments: Interpolation.allCases) func `joints at another rate are where scipy has them`(
        interpolation: Interpolation
    ) throws {
        let result = try joints().resampled(to: 50, interpolation)
        #expect(result.frames == (try file.array("new_frame").ints()))
        #expect(largestDifference(result.joints, try floats(interpolation.rawValue)) < 1e-6)
        #expect(result.framesPerSecond == 50)
        #expect(result.trackNames == ["anna"])
    }

    @Test func `a joint between two frames is seen where both have it, and a long gap stays one`() throws {
        var input = try joints()
        input.observed[2] &= ~(1 << 20)
        let frames = try joints().resampled(to: 50, .linear).frames
        let result = try input.resampled(to: 50, .linear)
        for (row, frame) in frames.enumerated() {
            let time = Double(frame) * 30 / 50
            let isNear = time > 1 && time < 3
            #expect((result.observed[row] & 1 << 20 == 0) == isNear, "frame \(frame)")
            #expect(result.observed[row] | 1 << 20 == 0x1FFF_FFFF)
        }
        var gap = try joints()
        gap.frames = gap.frames.map { $0 < 7 ? $0 : $0 + 100 }
        let cut = try gap.resampled(to: 50, .cubic)
        #expect(cut.frames.allSatisfy { $0 <= 10 || $0 >= 181 })
        #expect(cut.frames.contains(10) && cut.frames.contains { $0 > 181 })
    }

    @Test func `the same rate changes nothing, and no rate is an error`() throws {
        let input = try joints()
        #expect(try input.resampled(to: 30, .linear).joints == input.joints)
        let unknown = try joints(fps: nil)
        #expect(throws: FormatError.self) { try unknown.resampled(to: 50, .linear) }
        #expect(throws: FormatError.self) { try unknown.smoothed(by: OneEuroFilter()) }
        #expect(throws: FormatError.self) { try unknown.stitched(overSeconds: 1) }
    }

    @Test func `rotations at another rate are scipy's slerp`() throws {
        let result = try clip().resampled(to: 50, .linear)
        #expect(result.frameNumbers == (try file.array("new_frame").ints()))
        let wanted = try floats("slerped")
        var worst = 0.0
        for index in 0..<(result.count * 24) {
            let ours = RotationMatrix(AxisAngle(result.theta.vector(at: index * 3)))
            let theirs = RotationMatrix(rowMajor: wanted, at: index * 9)
            worst = max(worst, AxisAngle(ours.transposed * theirs).angle)
        }
        #expect(worst < 1e-5)
    }

    @Test func `smoothed joints are those of the filter's own package`() throws {
        let result = try joints().smoothed(by: OneEuroFilter(minimalCutoff: 1.2, beta: 4))
        #expect(largestDifference(result.joints, try floats("smoothed")) < 1e-6)
    }

    @Test func `smoothed rotations are those of numpy`() throws {
        let result = try clip().smoothed(by: OneEuroFilter(minimalCutoff: 1.2, beta: 4))
        let wanted = try floats("smoothed_poses")
        var worst = 0.0
        for index in 0..<(result.count * 24) {
            let ours = RotationMatrix(AxisAngle(result.theta.vector(at: index * 3)))
            let theirs = RotationMatrix(AxisAngle(wanted.vector(at: index * 3)))
            worst = max(worst, AxisAngle(ours.transposed * theirs).angle)
        }
        #expect(worst < 1e-5)
    }

    @Test func `a joint that was lost begins anew`() throws {
        var input = try joints()
        input.observed[5] &= ~(1 << 3)
        let result = try input.smoothed(by: OneEuroFilter())
        let start = 6 * 87 + 3 * 3
        #expect(Array(result.joints[start..<(start + 3)]) == Array(input.joints[start..<(start + 3)]))
        #expect(result.joints[start + 3] != input.joints[start + 3], "its neighbour goes on")
    }

    @Test func `one shape is the weighted median of the track`() throws {
        let (betas, weights) = (try floats("betas"), try floats("weights"))
        var input = try joints().keeping(rows: [Int](repeating: 0, count: 9))
        for row in 0..<9 {
            input.betas[row * 10] = betas[row]
            // As many sure joints as the weight says.
            input.observed[row] = (1 << UInt32(weights[row])) - 1
            input.genders[row] = [0, 3, 4].contains(row) ? .male : .female
        }
        let result = input.withOneShapePerTrack()
        #expect(result.betas.enumerated().allSatisfy { $0.offset % 10 != 0 || $0.element == result.betas[0] })
        #expect(result.betas[0] == (try floats("median"))[0])
        #expect(result.genders.allSatisfy { $0 == .male }, "10 of 15 joints say so")
    }
}

extension [Float] {
    /// The first values of each row.
    fileprivate func rowHeads(width: Int, count: Int) -> [Float] {
        stride(from: 0, to: self.count, by: width).flatMap { self[$0..<($0 + count)] }
    }
}
