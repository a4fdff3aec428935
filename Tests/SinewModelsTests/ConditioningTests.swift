import SinewArrayFiles
import SinewBody
import SinewModels
import Testing

extension Golden {
    /// The observations of the fixture as the service would hand them over.
    func observations() throws -> PoseObservations {
        let observed = try file.tensor("observed").ints()
        return PoseObservations(
            count: count, joints: try floats("joints"), sigma: try floats("sigma"),
            observed: (0..<count).map { person in
                (0..<29).reduce(UInt32(0)) { $0 | UInt32(observed[person * 29 + $1]) << UInt32($1) }
            },
            twists: try floats("twists"), hasTwists: try file.tensor("has_twists").ints().map { $0 != 0 },
            betas: try floats("betas"), genders: [Gender](repeating: .neutral, count: count))
    }
}

@Suite struct ConditioningTests {
    @Test(arguments: Golden.all)
    func `inputs, twists and headings are those of the trainer`(name: String) throws {
        let golden = try Golden(name)
        let kind: ModelDescription.Conditioning = name.hasSuffix("none") ? .none : .headingBones
        let batch = try InputConditioning(kind).condition(
            golden.observations(), restJoints: golden.floats("rest"))
        #expect(largestDifference(batch.input, try golden.observationInput()) <= 1e-5)
        #expect(largestDifference(batch.phi, try golden.floats("phi")) <= 1e-6)
        #expect(largestDifference(batch.heading, try golden.floats("heading")) <= 1e-5)
    }

    @Test(arguments: [ModelDescription.Conditioning.none, .headingBones])
    func `what was not observed does not matter`(kind: ModelDescription.Conditioning) throws {
        let golden = try Golden("niki_ts_heading")
        var seen = try golden.observations()
        let rest = try golden.floats("rest")
        let before = try InputConditioning(kind).condition(seen, restJoints: rest)
        var hidden = 0
        for person in 0..<seen.count {
            for joint in 0..<29 where seen.observed[person] >> UInt32(joint) & 1 == 0 {
                hidden += 1
                seen.sigma[person * 29 + joint] = 0
                for axis in 0..<3 { seen.joints[person * 87 + joint * 3 + axis] = 1e6 }
            }
            if !seen.hasTwists[person] { for twist in 0..<23 { seen.twists[person * 23 + twist] = 1e6 } }
        }
        let after = try InputConditioning(kind).condition(seen, restJoints: rest)
        #expect(hidden > 50)
        #expect(before.input == after.input && before.phi == after.phi && before.heading == after.heading)
    }

    @Test(arguments: [ModelDescription.Conditioning.none, .headingBones])
    func `a person without any observed joint is refused by number`(kind: ModelDescription.Conditioning) throws {
        let golden = try Golden("niki_ts_heading")
        var seen = try golden.observations()
        seen.observed[3] = 1 << 30
        let rest = try golden.floats("rest")
        let error = #expect(throws: ModelError.self) { try InputConditioning(kind).condition(seen, restJoints: rest) }
        #expect(error?.reason == .degenerateInput && error?.person == 3)
    }
}
