import SinewArrayFiles
import SinewBody
import SinewFormats
import SinewPictures
import TestSupport
import Testing

struct ContactSheetTests {
    /// A person who stands still at a place in every frame.
    private func standing(_ name: String, at place: [Float], frames: Int = 1) -> PoseOutput.Track {
        var random = SplitMix64(seed: 1)
        var track = solvedTrack(named: name, count: frames, using: &random)
        track.theta = [Float](repeating: 0, count: frames * 72)
        track.translation = (0..<frames).flatMap { _ in place }
        return track
    }

    /// How many pixels of a cell are more blue than red, and more green than both: the first and the second person.
    private func colours(
        of sheet: (pixels: [UInt8], width: Int, height: Int), columns: Range<Int>, rows: Range<Int>
    ) -> (blue: Int, green: Int) {
        var (blue, green) = (0, 0)
        for y in rows {
            for x in columns {
                let at = (y * sheet.width + x) * 3
                let (r, g, b) = (Int(sheet.pixels[at]), Int(sheet.pixels[at + 1]), Int(sheet.pixels[at + 2]))
                if b > r + 30, b > g + 10 { blue += 1 }
                if g > r + 20, g > b + 10 { green += 1 }
            }
        }
        return (blue, green)
    }

    @Test func `a body stands in the middle of its cell and a gap is empty`() throws {
        var track = standing("a", at: [0, 0, 0], frames: 2)
        track.isSolved[1] = false
        let other = standing("b", at: [8, 0, 0], frames: 2)
        var options = ContactSheet.Options()
        options.order = .even
        let alone = try ContactSheet(scene([standing("a", at: [0, 0, 0])]), options: options).drawn()
        #expect((alone.width, alone.height) == (262, 350))
        let middle = colours(of: alone, columns: 100..<160, rows: 130..<300)
        #expect(middle.blue > 1000 && middle.green == 0)
        #expect(colours(of: alone, columns: 1..<40, rows: 80..<340).blue == 0)
        // Frame 1 has only the second person; labels take the top of a cell.
        let sheet = try ContactSheet(scene([track, other]), options: options).drawn()
        let second = colours(of: sheet, columns: 262..<522, rows: 75..<349)
        #expect(second.blue == 0 && second.green > 20)
    }

    @Test func `who stands in front hides who stands behind`() throws {
        // The camera looks from the front and 0.42 rad to the side.
        let (front, back) = (standing("a", at: [0, 0, 0]), standing("b", at: [-0.447, -0.2, -1]))
        let picture = try ContactSheet(scene([front, back])).drawn()
        let rows = 75..<349
        let hidden = colours(of: picture, columns: 1..<261, rows: rows)
        let swapped = try ContactSheet(scene([back, front])).drawn()
        let shown = colours(of: swapped, columns: 1..<261, rows: rows)
        // Whoever is first in the list is blue.
        #expect(hidden.blue > 3 * hidden.green && hidden.green > 0)
        #expect(shown.green > 3 * shown.blue && shown.blue > 0)
    }

    @Test func `the same scene gives the same file`() throws {
        var random = SplitMix64(seed: 5)
        let track = solvedTrack(named: "walk\u{1F984}", count: 40, using: &random)
        let first = try ContactSheet(scene([track])).bytes()
        #expect(try ContactSheet(scene([track])).bytes() == first)
        #expect(Array(first[..<8]) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        var moved = track
        // In every frame: a sheet shows only some.
        for frame in 0..<40 { moved.theta[72 * frame] += 1 }
        #expect(try ContactSheet(scene([moved])).bytes() != first)
    }

    @Test func `the worst frames come first and lie apart`() throws {
        var random = SplitMix64(seed: 6)
        var track = solvedTrack(named: "a", count: 60, using: &random)
        track.jointResidualMillimetres = (0..<60).map { Float($0) / 10 }
        for (frame, residual) in [(30, Float(90)), (31, 80), (5, 70)] {
            track.jointResidualMillimetres[frame] = residual
        }
        let choice = try FrameChoice(scene([track]), count: 3, order: .worst)
        #expect(choice.frames == [30, 5, 59] && choice.values == [[90], [70], [5.9]])
        #expect(choice.measure == "mm joint residual")
        #expect(try FrameChoice(scene([track]), count: 3, order: .even).frames == [0, 20, 40])
    }

    @Test func `the distance to observed joints is measured where there are some`() throws {
        let track = standing("a", at: [0.5, 0, 0], frames: 2)
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [Float](repeating: 0, count: 10))
        func moved(by shift: Float) -> [Float] {
            rest.indices.map { index in index % 3 == 0 ? rest[index] + shift : rest[index] }
        }
        let (near, far) = (moved(by: 0.5), moved(by: 0.53))
        let observed = ObservedTrack(
            name: "a", frames: [0, 1], joints: far + near, observed: [(1 << 29) - 1, 1 << 10])
        let made = PictureScene(
            title: "", framesPerSecond: 30,
            sources: [.poses(name: "m", [PoseTrack(track)]), .observed(name: "input", [observed])])
        let choice = try FrameChoice(made, count: 2, order: .worst)
        #expect(choice.measure == "mm to input" && choice.frames == [0])
        #expect(abs(choice.values[0][0] - 30) < 0.01)
        let all = try FrameChoice(made, count: 2, order: .even)
        #expect(abs(all.values[1][0]) < 0.01)
        let joints = PictureScene(title: "", framesPerSecond: 30, sources: [.observed(name: "input", [observed])])
        #expect(try ContactSheet(joints).drawn().pixels.count > 0)
    }
}
