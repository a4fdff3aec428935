import Foundation
import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

struct PoseClipTests {
    private func read(
        _ array: NDArray, named name: String = "poses", beside others: [(String, NDArray)] = []
    ) throws -> PoseClip {
        let path = FileManager.default.temporaryDirectory.path + "/clip-\(UUID().uuidString).npz"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var writer = NPZWriter()
        writer.add(name, array)
        for (name, array) in others { writer.add(name, array) }
        try writer.write(to: path)
        return try PoseClip.read(path: path)
    }

    private func ramp(_ frames: Int, _ width: Int) -> [Float] { (0..<(frames * width)).map { Float($0) / 1000 } }

    @Test func `SMPL's poses are taken as they are`() throws {
        let clip = try read(.float32(ramp(3, 72), shape: [3, 72]))
        #expect(clip.count == 3 && clip.theta == ramp(3, 72) && clip.frameNumbers == [0, 1, 2])
        #expect(clip.translation.allSatisfy { $0 == 0 } && clip.betas.count == 10 && clip.gender == .neutral)
    }

    @Test func `what stands beside the poses is taken under AMASS's names and SMPL-X's`() throws {
        let others: [(String, NDArray)] = [
            ("trans", .float32([1, 2, 3, 4, 5, 6], shape: [2, 3])),
            ("betas", .float64(ramp(1, 16).map(Double.init), shape: [16])),
            ("gender", .strings(["female"], shape: [])), ("mocap_frame_rate", .float64([100], shape: [])),
            ("frame", .int64([7, 9], shape: [2])),
        ]
        var clip = try read(.float32(ramp(2, 165), shape: [2, 165]), beside: others)
        #expect(clip.translation == [1, 2, 3, 4, 5, 6] && clip.betas == Array(ramp(1, 10)))
        #expect(clip.gender == .female && clip.framesPerSecond == 100 && clip.frameNumbers == [7, 9])
        let rest = try BodyModel.bundled(.female).restJoints(betas: clip.betas)
        clip.append(clip.pose(0, restJoints: rest), restJoints: rest)
        #expect(clip.count == 3 && clip.frameNumbers == [7, 9, 10])
    }

    @Test(arguments: [
        ("trans", NDArray.float32([1, 2, 3], shape: [1, 3]), "one row per frame"),
        ("betas", .float32([.infinity], shape: [1]), "betas holds inf"),
        ("gender", .strings(["nobody"], shape: []), "nobody"),
        ("frame", .int64([1], shape: [1]), "one number per frame"),
        ("mocap_framerate", .float64([0], shape: []), "above 0"),
    ])
    func `what does not fit the poses is refused by its name`(name: String, array: NDArray, message: String) throws {
        let error = #expect(throws: FormatError.self) {
            try read(.float32(ramp(2, 72), shape: [2, 72]), beside: [(name, array)])
        }
        #expect(error?.field == name && error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [156, 165])
    func `of a body with hands the first 22 joints are taken`(width: Int) throws {
        let values = ramp(2, width)
        let clip = try read(.float64(values.map(Double.init), shape: [2, width]))
        for frame in 0..<2 {
            let row = Array(clip.theta[(frame * 72)..<(frame * 72 + 72)])
            #expect(Array(row[..<66]) == Array(values[(frame * width)..<(frame * width + 66)]))
            #expect(row[66...].allSatisfy { $0 == 0 })
        }
    }

    @Test func `what is no clip is refused with the shape or the frame`() throws {
        let wide = #expect(throws: FormatError.self) { try read(.float32(ramp(2, 63), shape: [2, 63])) }
        #expect(wide?.message.contains("[2, 63]") == true)
        let other = #expect(throws: FormatError.self) {
            try read(.float32(ramp(2, 72), shape: [2, 72]), named: "thetas")
        }
        #expect(other?.message.contains("thetas") == true)
        var values = ramp(3, 72)
        values[2 * 72 + 5] = .nan
        let none = #expect(throws: FormatError.self) { try read(.float32(values, shape: [3, 72])) }
        #expect(none?.message.contains("frame 2") == true)
    }
}
