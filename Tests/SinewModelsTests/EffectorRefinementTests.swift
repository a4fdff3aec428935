import SinewBody
import SinewModels
import TestSupport
import Testing

struct EffectorRefinementTests {
    /// Consistent effectors of every kind, and the orientations of the true poses.
    private static func effectors(
        _ people: RandomPeople, reversed: Bool = false
    ) -> (observations: EffectorObservations, globals: [Float]) {
        var joints = [Float](repeating: 0, count: people.count * 87)
        var globals = [Float](repeating: 0, count: people.count * 216)
        ForwardKinematics.pose(
            count: people.count, rotations: people.rotations, restJoints: people.restJoints, joints: &joints,
            globalRotations: &globals)
        var all = EffectorObservations()
        for person in 0..<people.count {
            func place(_ joint: Int) -> SIMD3<Double> { joints.vector(at: person * 87 + joint * 3) }
            func turn(_ joint: Int) -> RotationMatrix {
                RotationMatrix(rowMajor: globals, at: person * 216 + joint * 9)
            }
            let ahead = place(15) + 2 * (turn(15) * SIMD3(0, 0, 1))
            var one: [Effector] = [0, 7, 8, 20, 21].map { .position(UInt8($0), at: place($0)) }
            // Twice the same goal, and one of weight 0 that says something else.
            one.append(.position(20, at: place(20), tolerance: 0.01, weight: 2))
            one.append(.position(21, at: SIMD3(9, 9, 9), weight: 0))
            one.append(.rotation(0, turn(0)))
            one.append(.rotation(18, turn(18), tolerance: 0.02))
            one.append(.rotation(18, turn(18), weight: 0.5))
            one.append(.lookAt(15, target: ahead))
            all.append(
                reversed ? one.reversed() : one, betas: row(people.betas, person, 10), gender: people.genders[person])
        }
        return (all, globals)
    }

    private static func refined(
        _ solutions: PoseSolutions, _ effectors: EffectorObservations, steps: Int = 20
    ) throws -> PoseSolutions {
        var solutions = solutions
        try PoseRefinement.refine(
            &solutions, toward: effectors, steps: [Int](repeating: steps, count: solutions.count),
            isCancelled: { false })
        return solutions
    }

    @Test func `consistent effectors of every kind are met`() throws {
        let (people, solutions) = try PoseRefinementTests.disturbed(count: 21, seed: 51, angleMax: 0.5)
        let (effectors, globals) = Self.effectors(people)
        let refined = try Self.refined(solutions, effectors)
        #expect(PoseRefinementTests.largestMiss(refined, people, joints: [0, 7, 8, 20, 21]) < 0.002)
        #expect(refined.jointResidualMillimetres.allSatisfy { $0 < 1 })
        #expect(refined.orientationResidualRadians.allSatisfy { $0 < 0.01 })
        for person in 0..<people.count {
            let chain = ForwardKinematics.Chain(
                rotations: PoseRows.matrices(ofTheta: refined.theta), rest: people.restJoints, person: person)
            let wanted = RotationMatrix(rowMajor: globals, at: person * 216 + 18 * 9)
            #expect(chain.globals[18].angle(to: wanted) < 0.02)
        }
    }

    @Test func `neither the order of effectors nor the batch changes a bit`() throws {
        let (people, solutions) = try PoseRefinementTests.disturbed(count: 6, seed: 52, angleMax: 0.5)
        let effectors = Self.effectors(people).observations
        let refined = try Self.refined(solutions, effectors, steps: 4)
        let reversed = try Self.refined(solutions, Self.effectors(people, reversed: true).observations, steps: 4)
        #expect(reversed.theta == refined.theta && reversed.translation == refined.translation)
        var own = EffectorObservations()
        own.append([4], of: effectors)
        var alone = PoseSolutions(count: 1)
        alone.theta = row(solutions.theta, 4, 72)
        alone.translation = row(solutions.translation, 4, 3)
        alone.joints = row(solutions.joints, 4, 87)
        let single = try Self.refined(alone, own, steps: 4)
        #expect(single.theta == row(refined.theta, 4, 72) && single.joints == row(refined.joints, 4, 87))
        #expect(single.jointResidualMillimetres[0] == refined.jointResidualMillimetres[4])
    }

    @Test func `effectors that contradict each other are met in the middle`() throws {
        let (people, solutions) = try PoseRefinementTests.disturbed(count: 1, seed: 53, angleMax: 0.1)
        let hand = people.joints.vector(at: 20 * 3)
        var effectors = EffectorObservations()
        effectors.append(
            [
                .position(0, at: people.joints.vector(at: 0)), .position(20, at: hand + SIMD3(0.02, 0, 0)),
                .position(20, at: hand - SIMD3(0.02, 0, 0)),
            ], betas: people.betas, gender: people.genders[0])
        let refined = try Self.refined(solutions, effectors)
        #expect(length(refined.joints.vector(at: 20 * 3) - hand) < 0.001)
        // The mean distance over the three effectors: nothing at the pelvis, 2 cm at each of the others.
        #expect(abs(refined.jointResidualMillimetres[0] - 40.0 / 3) < 0.5)
    }
}
