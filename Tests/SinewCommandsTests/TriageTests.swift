import SinewBody
import SinewCommands
import SinewFormats
import Testing

/// Ranking and grouping of `sinew triage`.
struct TriageTests {
    /// A track whose frames have these joint residuals in millimetres; nil has no pose.
    private func track(_ residuals: [Float?], name: String = "a", frames: [Int]? = nil) -> PoseOutput.Track {
        var track = PoseOutput.Track(name: name, gender: .neutral)
        let count = residuals.count
        track.frames = frames ?? Array(0..<count)
        track.jointResidualMillimetres = residuals.map { $0 ?? 0 }
        track.isSolved = residuals.map { $0 != nil }
        (track.latentNorm, track.orientationResidualRadians, track.boneLengthChange) = (
            zeros(count), zeros(count), zeros(count)
        )
        track.unobservedJoints = [Int32](repeating: 0, count: count)
        track.outcome = track.unobservedJoints
        return track
    }

    private func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }

    private func table(_ tracks: PoseOutput.Track..., file: String = "f") -> TriageTable {
        var table = TriageTable()
        table.add(PoseOutput(tracks: tracks, framesPerSecond: nil, model: "m/1"), file: file)
        return table
    }

    @Test func `frames without a pose come first, then the worst by residual, then equals in their order`() {
        let table = table(track([10, 60, nil, 20]), track([60, 10], name: "b"))
        let found = table.worst(10, by: .residual, isGrouped: false)
        #expect(found.map(\.track) == ["a", "a", "b", "a", "a", "b"])
        #expect(found.map(\.frame) == [2, 1, 0, 3, 0, 1])
        #expect(found[0].doubt == nil && found[0].reason == "no pose")
        #expect(table.count == 6 && table.lostCount == 1)
        #expect(table.worst(2, by: .residual, isGrouped: false).count == 2)
    }

    @Test func `a bad stretch is one entry, told by its worst frame`() {
        // The median is 10: bad is 15 and more; two better frames are bridged and three are not.
        let values: [Float] = [10, 10, 20, 30, 10, 10, 25, 10, 10, 10, 22, 10, 10, 10, 10, 10, 10]
        let found = table(track(values)).worst(3, by: .score, isGrouped: true)
        #expect(found[0].frame == 3 && found[0].firstFrame == 2 && found[0].lastFrame == 6 && found[0].frames == 5)
        #expect(found[1].frame == 10 && found[1].frames == 1)
        #expect(found[2].frame == 0 && found[2].frames == 1, "a good frame is no stretch")
    }

    @Test func `what is bad beside the median, but little beside the worst, is no part of its stretch`() {
        let values: [Float] = [1, 1, 1, 1, 1, 4, 1, 100, 60, 21, 19, 1, 1, 1, 1, 1, 1, 1, 1]
        let found = table(track(values)).worst(3, by: .residual, isGrouped: true)
        #expect(found.map(\.firstFrame) == [7, 10, 5] && found.map(\.lastFrame) == [9, 10, 5])
    }

    @Test func `a stretch ends at a gap in the frames, at another track and at a frame without a pose`() {
        let numbers = [0, 2, 4, 6, 40, 42, 44, 46, 48, 50, 52]
        let one = track([50, 50, nil, 50, 50, 1, 1, 1, 1, 1, 1], frames: numbers)
        let found = table(one, track([50, 1, 1], name: "b")).worst(5, by: .residual, isGrouped: true)
        #expect(found.map(\.firstFrame) == [4, 0, 6, 40, 0])
        #expect(found.map(\.lastFrame) == [4, 2, 6, 40, 0])
        #expect(found.map(\.track) == ["a", "a", "a", "a", "b"])
    }

    @Test func `neighbours without a pose are one entry, told with the reason of the first`() {
        var table = TriageTable()
        for frame in [3, 4, 5] { table.addLost(file: "f", track: "a", frame: frame, reason: "row \(frame): NaN") }
        table.addLost(file: "f", track: "a", frame: 9, reason: "worker died")
        let found = table.worst(5, by: .score, isGrouped: true)
        #expect(found.map(\.frames) == [3, 1])
        #expect(found.map(\.reason) == ["no pose: row 3: NaN", "no pose: worker died"])
    }

    @Test func `the score is the root of the sum of squared shares, and its largest share is the reason`() {
        var doubt = FrameDoubt()
        #expect(doubt.score == 0 && doubt.reason == "nothing stands out")
        doubt.residual = 150
        doubt.bones = 4
        #expect(abs(doubt.score - 5) < 1e-5)
        #expect(doubt.reason == "a bone 400 % off its length, joints 150 mm from where they were seen")
        doubt.outcome = 2
        doubt.unobserved = 20
        doubt.latent = 40
        doubt.orientation = 0.7
        #expect(abs(doubt.score - Float(38).squareRoot()) < 1e-5)
        doubt = FrameDoubt()
        doubt.outcome = 1
        #expect(doubt.score == 0.5 && doubt.reason == "the start pose was kept")
    }

    @Test func `a measure that is no number is the worst there is`() {
        let found = table(track([10, .nan, 90])).worst(1, by: .score, isGrouped: false)
        #expect(found[0].frame == 1)
    }
}
