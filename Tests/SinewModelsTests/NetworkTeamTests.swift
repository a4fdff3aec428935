import SinewKernels
import SinewModels
import TestSupport
import Testing

/// Networks whose work several threads share.
@Suite struct NetworkTeamTests {
    /// One row, every way of cutting few rows, both sides of the step to rows of one's own, and several waves.
    static let counts = [1, 2, 3, 5, 14, 31, 63, 64, 65, 66, 130, 700]

    private func random(_ count: Int, _ width: Int, _ generator: inout SplitMix64) -> [Float] {
        (0..<(count * width)).map { _ in .random(in: -1..<1, using: &generator) }
    }

    /// How many values differ in any bit; all where the lengths differ.
    private func differences(_ a: [Float], _ b: [Float]) -> Int {
        guard a.count == b.count else { return max(a.count, b.count) }
        return zip(a, b).count { $0.bitPattern != $1.bitPattern }
    }

    @Test(arguments: Golden.flows, [2, 3, 4, 7])
    func `a flow shared by threads has the bits of one thread's`(name: String, threads: Int) throws {
        let seed: UInt64 = 31
        var generator = SplitMix64(seed: seed)
        let network = try Golden(name).network()
        let team = try ThreadTeam(count: threads)
        for count in Self.counts {
            let input = random(count, 116, &generator)
            let (phi, betas) = (random(count, 46, &generator), random(count, 10, &generator))
            let padding = count % 2 == 0 ? random(count, 60, &generator) : nil
            func solve(_ team: ThreadTeam) throws -> NIKISolution {
                try network.inverse(
                    count: count, input: input, phi: phi, betas: betas, padding: padding, keepsSwing: true, on: team,
                    isCancelled: { false })
            }
            let (alone, shared) = (try solve(.alone), try solve(team))
            #expect(
                differences(alone.rotation6d, shared.rotation6d) + differences(alone.latent, shared.latent)
                    + differences(alone.swing6d, shared.swing6d) == 0, "\(count) people, seed \(seed)")
        }
    }

    @Test(arguments: [2, 3, 4, 7])
    func `the MLP shared by threads has the bits of one thread's`(threads: Int) throws {
        let seed: UInt64 = 32
        var generator = SplitMix64(seed: seed)
        let network = try MLPIKNetwork(ModelFiles(folder: Golden("mlp_ik_heading").modelFolder))
        let team = try ThreadTeam(count: threads)
        for count in Self.counts {
            let (input, phi) = (random(count, 116, &generator), random(count, 46, &generator))
            let alone = try network.solve(count: count, input: input, phi: phi, isCancelled: { false })
            let shared = try network.solve(count: count, input: input, phi: phi, on: team, isCancelled: { false })
            #expect(differences(alone, shared) == 0, "\(count) people, seed \(seed)")
        }
    }

    @Test(arguments: [1, 2, 3], [4, 200])
    func `cancellation is looked at between the couplings, and all members leave`(threads: Int, count: Int) throws {
        var generator = SplitMix64(seed: 33)
        let network = try Golden("niki_ts_heading").network()
        let team = try ThreadTeam(count: threads)
        let (input, phi) = (random(count, 116, &generator), random(count, 46, &generator))
        let betas = random(count, 10, &generator)
        for limit in [0, 1, 15, 16, 31] {
            var asked = 0
            #expect(throws: ModelError.cancelled) {
                try network.inverse(count: count, input: input, phi: phi, betas: betas, on: team) {
                    asked += 1
                    return asked > limit
                }
            }
            #expect(asked == limit + 1)
        }
        // The team and its scratch are as good as new.
        let shared = try network.inverse(
            count: count, input: input, phi: phi, betas: betas, on: team, isCancelled: { false })
        let alone = try network.inverse(count: count, input: input, phi: phi, betas: betas, isCancelled: { false })
        #expect(differences(shared.rotation6d, alone.rotation6d) == 0)
    }

    @Test(arguments: [1, 2, 3], [4, 200])
    func `the MLP looks at cancellation between its layers`(threads: Int, count: Int) throws {
        let network = try MLPIKNetwork(ModelFiles(folder: Golden("mlp_ik_heading").modelFolder))
        let team = try ThreadTeam(count: threads)
        let (input, phi) = ([Float](repeating: 0.1, count: count * 116), [Float](repeating: 0.1, count: count * 46))
        for limit in 0..<4 {
            var asked = 0
            #expect(throws: ModelError.cancelled) {
                try network.solve(count: count, input: input, phi: phi, on: team) {
                    asked += 1
                    return asked > limit
                }
            }
            #expect(asked == limit + 1)
        }
    }

    @Test(arguments: ["niki", "mlp-ik", "hybrik"])
    func `a model gives the same poses on any team`(name: String) throws {
        var generator = SplitMix64(seed: 34)
        let model = try ModelRepository().load(name)
        let people = RandomPeople(count: 70, angleMax: 1, bodies: try BodyLibrary(), using: &generator)
        let seen = people.observations()
        let alone = try model.solve(seen, isCancelled: { false })
        for threads in [1, 2, 3] {
            let team = try ComputeTeam(count: threads)
            for count in [1, 2, 7, 70] {
                let found = try model.solve(seen.rows(0..<count), on: team, isCancelled: { false })
                #expect(found.count == count)
                #expect(differences(found.theta, Array(alone.theta[..<(count * 72)])) == 0)
                #expect(differences(found.joints, Array(alone.joints[..<(count * 87)])) == 0)
                #expect(found.unobservedJoints == Array(alone.unobservedJoints[..<count]))
            }
        }
    }

    @Test func `the first person that a dealt batch refuses is named by its place in the whole`() throws {
        var generator = SplitMix64(seed: 35)
        let model = try ModelRepository().load("hybrik")
        let people = RandomPeople(count: 9, angleMax: 1, bodies: try BodyLibrary(), using: &generator)
        var seen = people.observations()
        seen.observed[5] = 0
        seen.observed[8] = 0
        let alone = #expect(throws: ModelError.self) { try model.solve(seen, isCancelled: { false }) }
        let team = try ComputeTeam(count: 3)
        let shared = #expect(throws: ModelError.self) { try model.solve(seen, on: team, isCancelled: { false }) }
        #expect(alone?.person == 5 && shared == alone)
    }

    @Test func `a dealt batch that is cancelled is not solved`() throws {
        var generator = SplitMix64(seed: 36)
        let model = try ModelRepository().load("hybrik")
        let seen = RandomPeople(count: 9, angleMax: 1, bodies: try BodyLibrary(), using: &generator).observations()
        let team = try ComputeTeam(count: 3)
        #expect(throws: ModelError.cancelled) { try model.solve(seen, on: team, isCancelled: { true }) }
    }
}
