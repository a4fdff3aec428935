import Foundation
import SinewArrayFiles
import SinewFormats
import Testing

struct AMASSClipTests {
    private func read(_ array: NDArray, named name: String = "poses") throws -> AMASSClip {
        let path = FileManager.default.temporaryDirectory.path + "/clip-\(UUID().uuidString).npz"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var writer = NPZWriter()
        writer.add(name, array)
        try writer.write(to: path)
        return try AMASSClip(path: path)
    }

    private func ramp(_ frames: Int, _ width: Int) -> [Float] { (0..<(frames * width)).map { Float($0) / 1000 } }

    @Test func `SMPL's poses are taken as they are`() throws {
        let clip = try read(.float32(ramp(3, 72), shape: [3, 72]))
        #expect(clip.frameCount == 3 && clip.theta == ramp(3, 72) && clip.name.hasPrefix("clip-"))
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
