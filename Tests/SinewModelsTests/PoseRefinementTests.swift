import SinewBody
import SinewModels
import TestSupport
import Testing

struct PoseRefinementTests {
    /// People, and solutions that are off: every joint turned by up to `angleMax`, the root moved by up to 10 cm.
    static func disturbed(
        count: Int, seed: UInt64, angleMax: Double
    ) throws -> (people: RandomPeople, solutions: PoseSolutions) {
        var random = SplitMix64(seed: seed)
        let people = RandomPeople(count: count, angleMax: 1.2, bodies: try .shared(), using: &random)
        var rotations = people.rotations
        for offset in stride(from: 0, to: rotations.count, by: 9) {
            let axis = random.normalVector()
            let turn = AxisAngle(axis: axis / length(axis), angle: random.uniform(0...angleMax))
            (RotationMatrix(rowMajor: rotations, at: offset) * RotationMatrix(turn)).write(into: &rotations, at: offset)
        }
        var solutions = PoseFinishing.finish(
            rotations: rotations, observations: people.observations(), restJoints: people.restJoints)
        for index in solutions.translation.indices {
            solutions.translation[index] += Float(random.uniform(-0.1...0.1))
        }
        return (people, solutions)
    }

    /// The largest distance of a solved joint from the true one, metres.
    static func largestMiss(_ solutions: PoseSolutions, _ people: RandomPeople, joints: [Int]) -> Double {
        (0..<people.count).map { person in
            joints.map { joint in
                let index = person * 87 + joint * 3
                return length(solutions.joints.vector(at: index) - people.joints.vector(at: index))
            }.max() ?? 0
        }.max() ?? 0
    }

    static func refined(
        _ solutions: PoseSolutions, _ observations: PoseObservations, steps: Int
    ) throws -> PoseSolutions {
        var solutions = solutions
        try PoseRefinement.refine(
            &solutions, toward: observations, steps: [Int](repeating: steps, count: observations.count),
            isCancelled: { false })
        return solutions
    }

    @Test(arguments: [UInt64(11), 12, 13]) func `consistent joints are met to two millimetres`(seed: UInt64) throws {
        let (people, solutions) = try Self.disturbed(count: 33, seed: seed, angleMax: 0.6)
        #expect(Self.largestMiss(solutions, people, joints: Array(0..<29)) > 0.1)
        let refined = try Self.refined(solutions, people.observations(), steps: 20)
        #expect(Self.largestMiss(refined, people, joints: Array(0..<29)) < 0.002)
        #expect(refined.jointResidualMillimetres.allSatisfy { $0 < 1 })
        // Theta, beta and translation make the joints that are reported.
        let placed = PoseRows.joints(
            rotations: PoseRows.matrices(ofTheta: refined.theta), restJoints: people.restJoints)
        for index in placed.indices {
            let moved = placed[index] + refined.translation[index / 87 * 3 + index % 3]
            #expect(abs(moved - refined.joints[index]) < 1e-5)
        }
    }

    @Test func `a few position effectors are met to two millimetres`() throws {
        let (people, solutions) = try Self.disturbed(count: 40, seed: 21, angleMax: 0.6)
        let effectors = [0, 10, 11, 15, 20, 21]
        let observed = effectors.reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
        let refined = try Self.refined(solutions, people.observations(observed: observed), steps: 20)
        #expect(Self.largestMiss(refined, people, joints: effectors) < 0.002)
    }

    @Test func `what nobody observed stays where the solver put it`() throws {
        let (people, solutions) = try Self.disturbed(count: 8, seed: 22, angleMax: 0.4)
        // Only the left leg is seen, so the right leg and both arms keep their local rotations.
        let observed: UInt32 = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 7
        let refined = try Self.refined(solutions, people.observations(observed: observed), steps: 10)
        for person in 0..<8 {
            for joint in [2, 5, 8, 11, 16, 18, 20, 22, 17, 19, 21, 23, 12, 15] {
                for index in (person * 72 + joint * 3)..<(person * 72 + joint * 3 + 3) {
                    #expect(abs(refined.theta[index] - solutions.theta[index]) < 1e-6)
                }
            }
        }
        #expect(Self.largestMiss(refined, people, joints: [0, 1, 4, 7]) < 0.002)
    }

    @Test func `the weighted residual never grows, whatever was observed`() throws {
        var random = SplitMix64(seed: 23)
        let bodies = try BodyLibrary.shared()
        let (people, solutions) = try Self.disturbed(count: 64, seed: 23, angleMax: 1.5)
        var observations = people.observations()
        for index in observations.joints.indices { observations.joints[index] += Float(0.2 * random.normal()) }
        for index in observations.sigma.indices { observations.sigma[index] = Float(random.uniform(0...0.5)) }
        for person in 0..<64 { observations.observed[person] = UInt32(random.next() >> 35) | 1 }
        let targets = FitTargets(observations)
        func error(_ solutions: PoseSolutions, _ person: Int, _ targets: FitTargets) -> Double {
            let fit = DenseFit(restJoints: people.restJoints, person: person, targets: targets)
            let locals = (0..<24).map {
                RotationMatrix(AxisAngle(solutions.theta.vector(at: person * 72 + $0 * 3)))
            }
            let pose = DenseFit.Pose(locals: locals, translation: solutions.translation.vector(at: person * 3))
            return fit.residuals(pose).reduce(0) { $0 + $1 * $1 }
        }
        for steps in [1, 2, 5, 30] {
            let refined = try Self.refined(solutions, observations, steps: steps)
            for person in 0..<64 {
                #expect(error(refined, person, targets) <= error(solutions, person, targets) * (1 + 1e-12))
            }
        }
        // Solved poses of exact joints: theta is only rounded, and nothing better than its rounding can be written down.
        let exact = try HybrIKModel(bodies: bodies).solve(people.observations(), isCancelled: { false })
        let once = try Self.refined(exact, people.observations(), steps: 20)
        let twice = try Self.refined(once, people.observations(), steps: 64)
        let clean = FitTargets(people.observations())
        for person in 0..<64 {
            #expect(error(twice, person, clean) <= error(once, person, clean))
            #expect(twice.jointResidualMillimetres[person] < 0.01)
        }
    }

    @Test func `a step along the tree equals the step of the full normal equations`() throws {
        var random = SplitMix64(seed: 24)
        let (people, solutions) = try Self.disturbed(count: 4, seed: 24, angleMax: 0.5)
        var targets = FitTargets(people.observations())
        for index in targets.positionWeights.indices {
            targets.positionWeights[index] = Float(random.uniform(0...2500)) * (index % 3 == 0 ? 0 : 1)
        }
        targets.orientations = people.rotations
        targets.orientationWeights = (0..<96).map { _ in Float(random.uniform(0...50)) }
        targets.lookAtDirections = (0..<96).flatMap { _ in
            let v = random.normalVector()
            return [v.x, v.y, v.z].map { Float($0 / length(v)) }
        }
        targets.lookAtPoints = (0..<288).map { _ in Float(2 * random.normal()) }
        targets.lookAtWeights = (0..<96).map { _ in Float(random.uniform(0...30)) }

        let group = LanePeople(first: 0, batchCount: 4)
        let rest = (0..<29).map { group.vector(people.restJoints, width: 87, at: $0 * 3) }
        var lanes = LaneTargets()
        lanes.read(group, targets, origin: .zero)
        var refinement = LaneRefinement(
            start: PoseRefinement.locals(group, solutions.theta), rest: rest, targets: lanes)
        refinement.run(steps: SIMD4(repeating: 1))
        var step = PoseStep()
        refinement.solve(&step)
        for person in 0..<4 {
            let fit = DenseFit(restJoints: people.restJoints, person: person, targets: targets)
            let pose = DenseFit.Pose(
                locals: refinement.pose.locals.map { $0[person] }, translation: refinement.pose.translation[person])
            let value = TargetError.value(of: refinement.pose, lanes)[person]
            #expect(abs(2 * value / fit.residuals(pose).reduce(0) { $0 + $1 * $1 } - 1) < 1e-7)
            // The springs pull at the rotations of the start.
            let start = PoseRefinement.locals(group, solutions.theta).map { $0[person] }
            let stiffness = 0.5 / (LaneRefinement.anchorDeviation * LaneRefinement.anchorDeviation)
            let slope = (0..<24).flatMap { joint -> [Double] in
                let away = start[joint].transposed * pose.locals[joint]
                return [
                    stiffness * (away.row2.y - away.row1.z), stiffness * (away.row0.z - away.row2.x),
                    stiffness * (away.row1.x - away.row0.y),
                ]
            }
            let diagonal =
                [Double](repeating: refinement.turnStiffness[person], count: 72)
                + [Double](repeating: refinement.translationStiffness[person], count: 3)
            let dense = fit.step(pose, diagonal: diagonal, slope: slope + [0, 0, 0])
            let globals = fit.place(pose).globals
            for joint in 0..<24 {
                let local = SIMD3(dense[joint * 3], dense[joint * 3 + 1], dense[joint * 3 + 2])
                #expect(length(globals[joint] * local - step.turns[joint][person]) < 1e-6)
            }
            #expect(length(SIMD3(dense[72], dense[73], dense[74]) - step.translation[person]) < 1e-6)
        }
    }

    @Test func `nobody's bits depend on who shares the batch or on their steps`() throws {
        let (people, solutions) = try Self.disturbed(count: 11, seed: 25, angleMax: 0.8)
        var random = SplitMix64(seed: 26)
        var observations = people.observations()
        for index in observations.joints.indices { observations.joints[index] += Float(0.03 * random.normal()) }
        for person in 0..<11 where person % 3 == 1 { observations.observed[person] = UInt32(random.next() >> 35) | 7 }
        let steps = (0..<11).map { [0, 3, 40, 1, 8][$0 % 5] }
        var together = solutions
        try PoseRefinement.refine(
            &together, toward: observations, steps: steps, isCancelled: { false })
        for person in 0..<11 {
            var alone = PoseSolutions(count: 1)
            alone.theta = row(solutions.theta, person, 72)
            alone.translation = row(solutions.translation, person, 3)
            alone.joints = row(solutions.joints, person, 87)
            let own = PoseObservations(
                count: 1, joints: row(observations.joints, person, 87), sigma: row(observations.sigma, person, 29),
                observed: [observations.observed[person]], twists: row(observations.twists, person, 23),
                hasTwists: [true], betas: row(observations.betas, person, 10), genders: [observations.genders[person]])
            try PoseRefinement.refine(
                &alone, toward: own, steps: [steps[person]], isCancelled: { false })
            #expect(alone.theta == row(together.theta, person, 72))
            #expect(alone.translation == row(together.translation, person, 3))
            #expect(alone.joints == row(together.joints, person, 87))
            if steps[person] == 0 { #expect(alone.theta == row(solutions.theta, person, 72)) }
        }
    }

    @Test func `an orientation and a look-at target are met`() throws {
        let (people, solutions) = try Self.disturbed(count: 5, seed: 27, angleMax: 0.5)
        let globals = {
            var joints = [Float](repeating: 0, count: 5 * 87)
            var globals = [Float](repeating: 0, count: 5 * 216)
            ForwardKinematics.pose(
                count: 5, rotations: people.rotations, restJoints: people.restJoints, joints: &joints,
                globalRotations: &globals)
            return globals
        }()
        var targets = FitTargets(count: 5)
        targets.orientations = globals
        targets.orientationWeights = (0..<120).map { $0 % 24 == 20 ? 1000 : 0 }
        targets.lookAtDirections = (0..<120).flatMap { _ in [Float(0), 0, 1] }
        targets.lookAtPoints = (0..<120).flatMap { _ in [Float(0.5), 1.5, 3] }
        targets.lookAtWeights = (0..<120).map { $0 % 24 == 15 ? 1000 : 0 }
        var refined = solutions
        try PoseRefinement.refine(
            &refined, toward: targets, restJoints: people.restJoints, steps: [Int](repeating: 20, count: 5),
            isCancelled: { false })
        for person in 0..<5 {
            let chain = ForwardKinematics.Chain(
                rotations: PoseRows.matrices(ofTheta: refined.theta), rest: people.restJoints, person: person)
            let wanted = RotationMatrix(rowMajor: globals, at: person * 216 + 20 * 9)
            #expect(chain.globals[20].angle(to: wanted) < 0.01)
            let way = SIMD3(0.5, 1.5, 3) - refined.translation.vector(at: person * 3) - chain.positions[15]
            #expect(length(way / length(way) - chain.globals[15] * SIMD3(0, 0, 1)) < 0.01)
        }
    }

    @Test func `a cancelled refinement stops`() throws {
        var (people, solutions) = try Self.disturbed(count: 9, seed: 28, angleMax: 0.5)
        var asked = 0
        let error = #expect(throws: ModelError.self) {
            try PoseRefinement.refine(
                &solutions, toward: people.observations(), steps: [Int](repeating: 5, count: 9),
                isCancelled: {
                    asked += 1
                    return asked == 2
                })
        }
        #expect(error?.reason == .cancelled)
        #expect(asked == 2)
    }
}
