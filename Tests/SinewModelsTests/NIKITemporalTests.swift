import Foundation
import SinewArrayFiles
import SinewBody
import SinewModels
import Testing

@Suite struct NIKITemporalTests {
    private static func golden() throws -> (golden: Golden, seen: PoseObservations, tracks: [UInt32]) {
        let golden = try Golden("niki_temporal")
        var seen = try golden.observations()
        let tracks = try golden.file.tensor("tracks").ints().map { UInt32($0) }
        seen.tracks = tracks
        return (golden, seen, tracks)
    }

    private static func model() throws -> any PoseModel {
        try ModelRepository(path: Golden.folder).load("niki_temporal")
    }

    private static func rows(_ seen: PoseObservations, _ range: Range<Int>, tracks: [UInt32]) -> PoseObservations {
        PoseObservations(
            count: range.count, joints: Array(seen.joints[(range.lowerBound * 87)..<(range.upperBound * 87)]),
            sigma: Array(seen.sigma[(range.lowerBound * 29)..<(range.upperBound * 29)]),
            observed: Array(seen.observed[range]),
            twists: Array(seen.twists[(range.lowerBound * 23)..<(range.upperBound * 23)]),
            hasTwists: Array(seen.hasTwists[range]),
            betas: Array(seen.betas[(range.lowerBound * 10)..<(range.upperBound * 10)]),
            genders: Array(seen.genders[range]), tracks: tracks)
    }

    @Test func `attention over tracks of several lengths is that of PyTorch`() throws {
        let (golden, _, tracks) = try Self.golden()
        let attention = try TemporalAttention(ModelFiles(folder: golden.modelFolder))
        let found = attention.apply(
            rotations: try golden.floats("static"), sigma: try golden.floats("conditioned_sigma"),
            latentNorm: try golden.floats("latent_norm"), tracks: tracks)
        #expect(largestDifference(found, try golden.floats("rotations")) <= 1e-5)
    }

    @Test func `the whole model gives PyTorch's rotations`() throws {
        let (golden, seen, _) = try Self.golden()
        let solved = try Self.model().solve(seen) { false }
        #expect(largestAngle(PoseRows.matrices(ofTheta: solved.theta), try golden.floats("rotations")) < 1e-4)
    }

    @Test func `without tracks every frame is the static network's`() throws {
        var (_, seen, _) = try Self.golden()
        seen.tracks = []
        let found = try Self.model().solve(seen) { false }
        let still = try ModelRepository(path: Golden.folder).load("niki_ts_heading").solve(seen) { false }
        #expect(
            largestAngle(PoseRows.matrices(ofTheta: found.theta), PoseRows.matrices(ofTheta: still.theta)) < 1e-5)
    }

    @Test func `a track's bits do not depend on the tracks beside it`() throws {
        let (_, seen, tracks) = try Self.golden()
        let together = try Self.model().solve(seen) { false }
        var start = 0
        while start < tracks.count {
            let end = tracks[start...].firstIndex { $0 != tracks[start] } ?? tracks.count
            let part = Self.rows(seen, start..<end, tracks: Array(tracks[start..<end]))
            let alone = try Self.model().solve(part) { false }
            #expect(alone.theta == Array(together.theta[(start * 72)..<(end * 72)]), "track \(tracks[start])")
            #expect(alone.joints == Array(together.joints[(start * 87)..<(end * 87)]), "track \(tracks[start])")
            start = end
        }
    }

    @Test func `the shipped model refines the shipped niki and says what it costs and gains`() throws {
        let (_, seen, _) = try Self.golden()
        let model = try ModelRepository().load("niki-temporal")
        #expect(model.isSequential)
        #expect(try model.solve(seen) { false }.theta.allSatisfy(\.isFinite))
        let listed = try ModelRepository().list()
        let temporal = try #require(listed.first { $0.name == "niki-temporal" })
        let base = try #require(listed.first { $0.identity.description == temporal.base?.model })
        #expect(base.weightsSHA256 == temporal.base?.weightsSHA256)
        #expect(temporal.acknowledgement.contains("mocap.cs.cmu.edu") && !temporal.licence.isEmpty)
        #expect(Set(temporal.evaluations.map(\.preset)).isSuperset(of: ["clean", "standard", "occlusion"]))
    }

    @Test func `a start pose is refused by person`() throws {
        var (_, seen, _) = try Self.golden()
        seen.startTheta = [Float](repeating: 0, count: seen.count * 72)
        seen.hasStart = [Bool](repeating: false, count: seen.count)
        seen.hasStart[2] = true
        let error = #expect(throws: ModelError.self) { try Self.model().solve(seen) { false } }
        #expect(error?.reason == .degenerateInput && error?.person == 2)
    }

    @Test func `rows of different tracks may alternate`() throws {
        let (golden, _, _) = try Self.golden()
        let attention = try TemporalAttention(ModelFiles(folder: golden.modelFolder))
        func attend(_ order: [Int], _ tracks: [UInt32]) throws -> [Float] {
            let norms = try golden.floats("latent_norm")
            return attention.apply(
                rotations: try order.flatMap { row(try golden.floats("static"), $0, 216) },
                sigma: try order.flatMap { row(try golden.floats("conditioned_sigma"), $0, 29) },
                latentNorm: order.map { norms[$0] }, tracks: tracks)
        }
        let apart = try attend([0, 1, 2, 3, 4, 5], [1, 1, 1, 2, 2, 2])
        let alternating = try attend([0, 3, 1, 4, 2, 5], [8, 3, 8, 3, 8, 3])
        for (place, original) in [0, 3, 1, 4, 2, 5].enumerated() {
            #expect(row(alternating, place, 216) == row(apart, original, 216))
        }
    }

    @Test func `a temporal model is refused without its static model, around itself and around another one`() throws {
        let temporary = try TemporaryRepository(copying: "niki_temporal")
        #expect(temporary.error()?.reason == .unknownModel)
        try temporary.replaceInDescription("niki_ts_heading/1", with: "niki_temporal/1")
        #expect(temporary.error()?.reason == .unknownModel)
        try temporary.replaceInDescription("\"niki_temporal/1\"", with: "\"niki_one_stage_heading/1\"")
        try FileManager.default.copyItem(
            atPath: "\(Golden.folder)/niki_one_stage_heading", toPath: "\(temporary.path)/niki_one_stage_heading")
        let error = temporary.error()
        #expect(error?.reason == .unusableFile && error?.message.contains("niki_one_stage_heading/1") == true)
    }
}
