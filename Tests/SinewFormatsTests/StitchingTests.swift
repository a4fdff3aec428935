import SinewArrayFiles
import SinewBody
import SinewFormats
import TestSupport
import Testing

struct StitchingTests {
    /// People who walk straight on, cut into pieces under names of their own; the truth is who a piece belongs to.
    private func cut(seed: UInt64, apart: Float) throws -> (input: PoseInput, truth: [Int]) {
        var random = SplitMix64(seed: seed)
        let figure = try BodyModel.bundled(.neutral).restJoints(betas: [])
        var input = try reading([("joints3d", .float32(figure, shape: [1, 29, 3]))])
        let row = input
        input = input.keeping(rows: [])
        input.framesPerSecond = 30
        input.trackNames = []
        var truth: [Int] = []
        for person in 0..<4 {
            let (vx, vz) = (Float.random(in: -1...1, using: &random), Float.random(in: 0.2...1.5, using: &random))
            var frame = Int.random(in: 0...10, using: &random)
            for piece in 0..<Int.random(in: 1...3, using: &random) {
                if piece > 0 { frame += Int.random(in: 2...25, using: &random) }
                let track = input.trackNames.count
                input.trackNames.append("piece-\(track)")
                truth.append(person)
                for _ in 0..<Int.random(in: 15...40, using: &random) {
                    let seconds = Float(frame) / 30
                    let shift = [Float(person) * apart + vx * seconds * 0.1, 0, vz * seconds]
                    let joints = figure.indices.map {
                        figure[$0] + shift[$0 % 3] + Float.random(in: -0.005...0.005, using: &random)
                    }
                    input.append(row, joints: joints, track: track, frame: frame)
                    frame += 1
                }
            }
        }
        return (input, truth)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func `pieces of people far apart come together, each person's own`(
        seed: UInt64
    ) throws {
        let (input, truth) = try cut(seed: seed, apart: 5)
        let result = try input.stitched(overSeconds: 1)
        #expect(result.trackNames.count == 4, "seed \(seed)")
        for row in 0..<input.count {
            for other in stride(from: 0, to: input.count, by: 17) {
                let same = truth[input.tracks[row]] == truth[input.tracks[other]]
                if same != (result.tracks[row] == result.tracks[other]) {
                    Issue.record("seed \(seed): rows \(row) and \(other)")
                    return
                }
            }
        }
        #expect(result.frames == input.frames && result.joints == input.joints)
    }

    @Test func `people who could be each other are left apart, and that is said`() throws {
        var (input, _) = try cut(seed: 1, apart: 5)
        let row = input.keeping(rows: [0])
        input = input.keeping(rows: [])
        // Two people a hand's breadth apart end together and begin together.
        for (track, shift) in [Float(0), 0.1, 0.04, 0.06].enumerated() {
            for frame in 0..<20 {
                let joints = row.joints.indices.map { row.joints[$0] + ($0 % 3 == 0 ? shift : 0) }
                input.append(row, joints: joints, track: track, frame: frame + (track < 2 ? 0 : 25))
            }
        }
        input.trackNames = ["a", "b", "c", "d"]
        let result = try input.stitched(overSeconds: 1)
        #expect(result.trackNames == ["a", "b", "c", "d"])
        #expect(result.notes.contains { $0.contains("could go on as several others") })
        // Without the other person there is no doubt.
        let alone = try input.keeping(tracks: ["a", "c"]).stitched(overSeconds: 1)
        #expect(alone.trackNames == ["a"])
        #expect(alone.tracks.allSatisfy { $0 == 0 })
    }

    @Test func `a gap that is too long stays one`() throws {
        var (input, _) = try cut(seed: 3, apart: 5)
        input.frames = zip(input.frames, input.tracks).map { $0 + $1 * 1000 }
        #expect(try input.stitched(overSeconds: 1).trackNames == input.trackNames)
    }
}

extension PoseInput {
    /// Adds a row like another one.
    fileprivate mutating func append(_ row: PoseInput, joints rowJoints: [Float], track: Int, frame: Int) {
        joints += rowJoints
        observed += row.observed
        sigma += row.sigma
        twists += row.twists
        hasTwists += row.hasTwists
        betas += row.betas
        genders += row.genders
        tracks.append(track)
        frames.append(frame)
        places.append("frame \(frame)")
        count += 1
    }
}
