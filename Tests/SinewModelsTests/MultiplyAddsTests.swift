import SinewBody
import SinewModels
import Testing

/// The work of each network against the sum of its layers' sizes, written out by hand.
@Suite struct MultiplyAddsTests {
    private func model(_ name: String) throws -> any PoseModel { try ModelRepository().load(name) }

    /// People of whom the given joints were observed.
    private func people(_ count: Int, observed: UInt32 = (1 << 29) - 1) -> PoseObservations {
        PoseObservations(
            count: count, joints: Array(repeating: 0, count: count * 87), sigma: Array(repeating: 0, count: count * 29),
            observed: Array(repeating: observed, count: count), twists: Array(repeating: 0, count: count * 23),
            hasTwists: Array(repeating: false, count: count), betas: Array(repeating: 0, count: count * 10),
            genders: Array(repeating: .neutral, count: count))
    }

    /// Two nets of three layers in each of 16 couplings, half of the vector in and half of it out.
    private func flow(half: Int, hidden: Int) -> Int { 16 * 2 * (2 * half * hidden + hidden * hidden) }

    @Test func `a flow of the published size takes 45.5 MFLOP a person`() {
        let published = 2 * (flow(half: 88, hidden: 512) + flow(half: 95, hidden: 512))
        #expect((Double(published) / 1e5).rounded() == 455)
    }

    @Test func `NIKI counts the layers of its couplings`() throws {
        #expect(try model("niki-one-stage").multiplyAdds(of: people(3)) == 3 * flow(half: 88, hidden: 160))
        let base = flow(half: 88, hidden: 160) + flow(half: 95, hidden: 160)
        // Ten more columns in the first layers of stage A wherever a shape gate is open.
        let niki = try model("niki").multiplyAdds(of: people(1))
        #expect(niki >= base && niki <= base + 16 * 2 * 10 * 160 && (niki - base) % (2 * 10 * 160) == 0)
        #expect(try model("niki-temporal").multiplyAdds(of: people(5)) == 5 * niki)
    }

    @Test func `the MLP counts four layers`() throws {
        let layers = 162 * 1_024 + 2 * 1_024 * 1_024 + 1_024 * 144
        #expect(try model("mlp-ik").multiplyAdds(of: people(2)) == 2 * layers)
    }

    @Test func `SMPL-IK counts effectors and people`() throws {
        let model = try #require(try model("smpl-ik") as? any EffectorPoseModel)
        let width = 256
        let perEffector = 2 * 7 * width + 9 * width * width
        func decoder(inputs: Int, outputs: Int) -> Int { 2 * inputs * width + 9 * width * width + 3 * outputs * width }
        let perPerson =
            2 * 11 * width + 3 * width * width + decoder(inputs: width + 11, outputs: 72)
            + decoder(inputs: width + 11 + 72, outputs: 144)
        // Joints 0…3 and a leaf, which has no rotation and is left aside.
        #expect(model.multiplyAdds(of: people(2, observed: 0b1111 | 1 << 27)) == 2 * (4 * perEffector + perPerson))
        var effectors = EffectorObservations()
        effectors.append(
            [.position(0, at: .zero, tolerance: 0.01), .position(5, at: .one, tolerance: 0.01, weight: 0)],
            betas: Array(repeating: 0, count: 10), gender: .neutral)
        #expect(model.multiplyAdds(of: effectors) == perEffector + perPerson)
    }

    @Test func `Learnable SMPLify counts its products, and solvers without a network count nothing`() throws {
        let one = try model("learnable-smplify").multiplyAdds(of: people(1))
        #expect(one > 1_000_000 && one < 100_000_000)
        #expect(try model("learnable-smplify").multiplyAdds(of: people(4)) == 4 * one)
        #expect(HybrIKModel(bodies: try BodyLibrary.shared()).multiplyAdds(of: people(4)) == 0)
    }
}
