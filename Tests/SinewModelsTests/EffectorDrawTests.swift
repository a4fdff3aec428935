import SinewBody
import SinewModels
import TestSupport
import Testing

/// The effectors that SMPL-IK is measured with.
@Suite struct EffectorDrawTests {
    private let people: EvaluationPeople
    /// The true poses, as a solver would answer.
    private let truth: PoseSolutions

    init() throws {
        var random = SplitMix64(seed: 81)
        let poses = try RandomPeople(count: 40, angleMax: 0.8, bodies: .shared(), using: &random).theta
        let people = EvaluationPeople(
            count: 2000, poses: poses, bodies: try .shared(), drawsGender: true, using: &random)
        self.people = people
        var solutions = PoseSolutions(count: people.count)
        solutions.theta = people.theta
        solutions.joints = PoseRows.joints(
            rotations: PoseRows.matrices(ofTheta: people.theta), restJoints: people.restJoints)
        truth = solutions
    }

    private func draw(_ draw: EffectorDraw, seed: UInt64 = 82) -> EffectorObservations {
        var random = SplitMix64(seed: seed)
        return draw.effectors(of: people, using: &random)
    }

    @Test func `every person has three to sixteen effectors, at least three positions, and a body of the three`() {
        let effectors = draw(.random)
        #expect(effectors.count == 2000 && effectors.genders == people.genders && effectors.betas == people.betas)
        for gender in Gender.allCases { #expect(abs(people.genders.count { $0 == gender } - 667) < 90) }
        var kinds = [Int](repeating: 0, count: 3)
        var totals = [Int](repeating: 0, count: 24)
        for person in 0..<effectors.count {
            let own = effectors.effectors(of: person).map { effectors[$0] }
            #expect(effectors.problem(of: person) == nil)
            let positions = own.filter { $0.kind == .position }.map(\.joint)
            let rotations = own.filter { $0.kind == .rotation }.map(\.joint)
            #expect(positions.count >= 3 && Set(positions).count == positions.count)
            #expect(Set(rotations).count == rotations.count)
            for effector in own { kinds[Int(effector.kind.rawValue)] += 1 }
            totals[own.count] += 1
        }
        // Totals 3…16 by the draw, up to 19 where positions were added to reach three.
        #expect(totals[..<3].allSatisfy { $0 == 0 } && totals[20...].allSatisfy { $0 == 0 })
        // Rotations and look-ats: a third of 9.5 on average each.
        for kind in 1...2 { #expect(abs(Double(kinds[kind]) / 2000 - 9.5 / 3) < 0.15, "\(kinds)") }
    }

    @Test func `goals are those of the true pose, off by as much as their tolerance says`() throws {
        let effectors = draw(.random)
        let misses = effectors.positionMisses(of: truth)
        #expect(misses.count > 2000 && misses.allSatisfy { $0 < 6 })
        var globals = [Float](repeating: 0, count: people.count * 216)
        var joints = [Float](repeating: 0, count: people.count * 87)
        ForwardKinematics.pose(
            count: people.count, rotations: PoseRows.matrices(ofTheta: people.theta), restJoints: people.restJoints,
            joints: &joints, globalRotations: &globals)
        var (squares, count) = (0.0, 0)
        for person in 0..<people.count {
            for index in effectors.effectors(of: person) {
                let effector = effectors[index]
                let joint = Int(effector.joint)
                let turned = RotationMatrix(rowMajor: globals, at: person * 216 + joint * 9)
                let place = joints.vector(at: person * 87 + joint * 3)
                let values = (0..<6).map { Double(effector.values[$0]) }
                switch effector.kind {
                case .position:
                    guard effector.tolerance > 1e-3 else { continue }
                    let error = SIMD3(values[0], values[1], values[2]) - place
                    squares += dot(error, error) / Double(effector.tolerance * effector.tolerance) / 3
                    count += 1
                case .rotation:
                    let wanted = Rotation6DRows(values[0], values[1], values[2], values[3], values[4], values[5])
                    #expect(wanted.matrix.angle(to: turned) <= 6 * Double(effector.tolerance) + 1e-5)
                case .lookAt:
                    let toward = SIMD3(values[0], values[1], values[2]) - place
                    let direction = turned * SIMD3(values[3], values[4], values[5])
                    #expect(dot(toward, direction) / length(toward) > 0.999 && effector.tolerance == 0)
                }
            }
        }
        // Errors over tolerances have unit variance; 2 u¹³-distributed tolerances in seven are above a millimetre.
        #expect(count > 1000 && abs(squares / Double(count) - 1) < 0.1, "\(squares / Double(count)) of \(count)")
    }

    @Test func `the six positions are exact, and the same goals can be given to another body`() {
        let effectors = draw(.sixPositions)
        #expect(effectors.effectorCount == 6 * 2000)
        #expect(effectors.positionMisses(of: truth).allSatisfy { $0 < 1e-3 })
        let genders = [Gender](repeating: .male, count: 2000)
        let betas = [Float](repeating: 0.5, count: 20_000)
        let other = effectors.reshaped(betas: betas, genders: genders)
        #expect(other.values == effectors.values && other.joints == effectors.joints)
        #expect(other.betas == betas && other.genders == genders)
        var moved = truth
        for person in 0..<2000 { moved.joints[person * 87 + 3 * 20] += 0.06 }
        // One of six joints by 60 mm.
        let moves = effectors.positionMoves(from: truth, to: moved)
        #expect(abs(moves.reduce(0, +) / Double(moves.count) - 10) < 1e-2)
        #expect(moves.count == 12_000)
    }
}
