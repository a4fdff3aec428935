import SinewBody
import SinewKernels
import SinewModels
import TestSupport
import Testing

@Suite struct SMPLIKModelTests {
    /// Every number of one person.
    private func numbers(_ solutions: PoseSolutions, _ person: Int) -> [Float] {
        func part(_ values: [Float], _ width: Int) -> [Float] {
            Array(values[(person * width)..<((person + 1) * width)])
        }
        return part(solutions.theta, 72) + part(solutions.translation, 3) + part(solutions.joints, 87)
            + part(solutions.jointResidualMillimetres, 1) + part(solutions.orientationResidualRadians, 1)
            + part(solutions.boneLengthChange, 1) + [Float(solutions.unobservedJoints[person])]
    }

    private func solve(_ model: any EffectorPoseModel, _ observations: EffectorObservations) throws -> PoseSolutions {
        try model.solve(observations, isCancelled: { false })
    }

    @Test(arguments: EffectorGolden.names)
    func `a person gets the same bits whoever shares the batch`(name: String) throws {
        let golden = try EffectorGolden(name)
        let model = try golden.model()
        // More effectors than one group holds and more people than one block holds.
        let copies = 60
        let people = (0..<copies).flatMap { _ in Array(golden.people.indices) }
        let together = try solve(model, golden.observations(of: people))
        for person in golden.people.indices {
            let alone = numbers(try solve(model, golden.observations(of: [person])), 0)
            for copy in stride(from: person, to: people.count, by: golden.people.count) {
                #expect(numbers(together, copy) == alone, "person \(person) of copy \(copy)")
            }
        }
    }

    @Test(arguments: EffectorGolden.names)
    func `the order of the effectors changes no bit`(name: String) throws {
        let golden = try EffectorGolden(name)
        let model = try golden.model()
        let expected = try solve(model, golden.observations())
        let seed: UInt64 = 77
        var generator = SplitMix64(seed: seed)
        for _ in 0..<5 {
            let shuffled = try solve(model, golden.observations { $1.shuffled(using: &generator) })
            for person in golden.people.indices {
                #expect(numbers(shuffled, person) == numbers(expected, person), "seed \(seed), person \(person)")
            }
        }
    }

    @Test(arguments: EffectorGolden.names)
    func `an effector of weight zero changes no bit, and one of another weight does`(name: String) throws {
        let golden = try EffectorGolden(name)
        let model = try golden.model()
        let expected = try solve(model, golden.observations())
        for weight in [Float(0), 0.5] {
            let more = golden.observations { _, effectors in
                effectors + [
                    .position(3, at: SIMD3(9, 9, 9), weight: weight),
                    .rotation(4, RotationMatrix(AxisAngle(SIMD3(1, 2, 3))), tolerance: 0.05, weight: weight),
                    .lookAt(15, target: SIMD3(-4, 1, 2), weight: weight),
                ]
            }
            let found = try solve(model, more)
            for person in golden.people.indices {
                #expect((numbers(found, person) == numbers(expected, person)) == (weight == 0))
            }
        }
    }

    @Test(arguments: EffectorGolden.names)
    func `moving all effectors moves the person and nothing else`(name: String) throws {
        let golden = try EffectorGolden(name)
        let model = try golden.model()
        let shift = SIMD3<Double>(2, -0.5, 4)
        func moved(_ effectors: [Effector]) -> [Effector] {
            effectors.map { effector in
                guard effector.kind != .rotation else { return effector }
                var moved = effector
                for axis in 0..<3 { moved.values[axis] += Float(shift[axis]) }
                return moved
            }
        }
        let expected = try solve(model, golden.observations())
        let found = try solve(model, golden.observations { moved($1) })
        // The coordinates themselves are rounded to about 3e-7 m out there.
        #expect(largestDifference(found.theta, expected.theta) <= 2e-4)
        for person in golden.people.indices {
            for axis in 0..<3 {
                let difference = found.translation[person * 3 + axis] - expected.translation[person * 3 + axis]
                #expect(abs(difference - Float(shift[axis])) <= 2e-5)
            }
        }
    }

    @Test func `turning all effectors turns the person where the heading is canonical`() throws {
        let golden = try EffectorGolden("smpl_ik_heading")
        let model = try golden.model()
        let turn = RotationMatrix(AxisAngle(axis: SIMD3(0, 1, 0), angle: 2.1))
        func turned(_ effectors: [Effector]) -> [Effector] {
            effectors.map { effector in
                let values = effector.values
                let place = turn * SIMD3(Double(values[0]), Double(values[1]), Double(values[2]))
                let axis = SIMD3(Double(values[3]), Double(values[4]), Double(values[5]))
                let (joint, weight, tolerance) = (effector.joint, effector.weight, effector.tolerance)
                switch effector.kind {
                case .position: return .position(joint, at: place, tolerance: tolerance, weight: weight)
                case .lookAt:
                    return .lookAt(joint, target: place, direction: axis, tolerance: tolerance, weight: weight)
                case .rotation:
                    let own = Rotation6DRows(values: SIMD8<Double>(values)).matrix
                    return .rotation(joint, turn * own, tolerance: tolerance, weight: weight)
                }
            }
        }
        let expected = try solve(model, golden.observations())
        let found = try solve(model, golden.observations { turned($1) })
        // The first two people say nothing about their heading.
        for person in 2..<golden.people.count {
            #expect(
                largestDifference(
                    Array(found.theta[(person * 72 + 3)..<(person * 72 + 72)]),
                    Array(expected.theta[(person * 72 + 3)..<(person * 72 + 72)])) <= 1e-3, "person \(person)")
            for joint in 0..<29 {
                let (a, b) = (vector(found.joints, person, joint), turn * vector(expected.joints, person, joint))
                let difference = a - b
                #expect((difference * difference).sum().squareRoot() <= 1e-4, "person \(person), joint \(joint)")
            }
        }
    }

    private func vector(_ joints: [Float], _ person: Int, _ joint: Int) -> SIMD3<Double> {
        let first = person * 87 + joint * 3
        return SIMD3(Double(joints[first]), Double(joints[first + 1]), Double(joints[first + 2]))
    }

    @Test func `a person without a positional effector is refused by number and by reason`() throws {
        let golden = try EffectorGolden("smpl_ik_small")
        let model = try golden.model()
        for weight in [Float(1), 0] {
            let observations = golden.observations { person, effectors in
                person == 2
                    ? [
                        .rotation(0, .identity), .lookAt(15, target: SIMD3(0, 1, 5)),
                        weight == 1 ? .rotation(1, .identity) : .position(0, at: .zero, weight: 0),
                    ] : effectors
            }
            let error = #expect(throws: ModelError.self) { try solve(model, observations) }
            #expect(error?.reason == .degenerateInput && error?.person == 2)
            #expect(error?.message.contains("positional effector") == true)
        }
    }

    @Test func `the most effectors of a person are solved, and one more is refused`() throws {
        let golden = try EffectorGolden("smpl_ik_heading")
        let model = try golden.model()
        func observations(_ count: Int) -> EffectorObservations {
            var observations = EffectorObservations()
            let effectors = (0..<count).map { index in
                Effector.position(UInt8(index % 24), at: SIMD3(0.01 * Double(index), 1, 0))
            }
            observations.append(effectors, betas: [Float](repeating: 0, count: 10), gender: .neutral)
            return observations
        }
        let solved = try solve(model, observations(EffectorObservations.perPersonMax))
        #expect(!solved.theta.contains { !$0.isFinite })
        let error = #expect(throws: ModelError.self) {
            try solve(model, observations(EffectorObservations.perPersonMax + 1))
        }
        #expect(error?.reason == .degenerateInput && error?.message.contains("129") == true)
    }

    @Test func `the residuals measure the solved pose against the effectors`() throws {
        let golden = try EffectorGolden("smpl_ik_heading")
        let model = try golden.model()
        let base: [Effector] = [.position(0, at: SIMD3(0, 1, 0)), .position(20, at: SIMD3(0.5, 1, 0.2))]
        func solution(_ more: [Effector]) throws -> PoseSolutions {
            var observations = EffectorObservations()
            observations.append(base + more, betas: [Float](repeating: 0, count: 10), gender: .female)
            return try solve(model, observations)
        }
        let solved = try solution([])
        var expected = 0.0
        for effector in base {
            let found = vector(solved.joints, 0, Int(effector.joint))
            let asked = SIMD3(Double(effector.values[0]), Double(effector.values[1]), Double(effector.values[2]))
            expected += 500 * ((asked - found) * (asked - found)).sum().squareRoot()
        }
        #expect(abs(Double(solved.jointResidualMillimetres[0]) - expected) <= 1e-3 * expected)
        #expect(solved.orientationResidualRadians[0] == 0 && solved.unobservedJoints[0] == 27)
        #expect(solved.boneLengthChange[0] == 0)
        // What the pose already does costs nothing, when it is asked for: the root's rotation, and the line it looks along.
        let turned = try solution([.rotation(0, .identity)])
        let theta = SIMD3(Double(turned.theta[0]), Double(turned.theta[1]), Double(turned.theta[2]))
        let angle = (theta * theta).sum().squareRoot()
        #expect(abs(Double(turned.orientationResidualRadians[0]) - angle) <= 1e-5)
    }

    @Test func `observed joints are positional effectors, as uncertain as their sigma`() throws {
        let golden = try EffectorGolden("smpl_ik_heading")
        let model = try golden.model()
        var random = SplitMix64(seed: 5)
        let people = RandomPeople(count: 6, angleMax: 0.5, bodies: try .shared(), using: &random)
        var seen = people.observations()
        seen.observed = (0..<seen.count).map { $0 == 1 ? 0x00F0_1F0F : 0x1FFF_FFFF }
        seen.sigma = seen.sigma.indices.map { $0 % 3 == 0 ? 0.35 : 0.01 }
        let solved = try model.solve(seen, isCancelled: { false })
        var effectors = EffectorObservations()
        for person in 0..<seen.count {
            let joints = (0..<24).filter { seen.observed[person] & (1 << UInt32($0)) != 0 }
            effectors.append(
                joints.map { joint in
                    .position(
                        UInt8(joint), at: vector(seen.joints, person, joint),
                        tolerance: min(0.1, seen.sigma[person * 29 + joint]))
                }, betas: Array(seen.betas[(person * 10)..<(person * 10 + 10)]), gender: seen.genders[person])
        }
        let direct = try solve(model, effectors)
        #expect(solved.theta == direct.theta)
        // Joints are measured as every solver's are: pelvis on pelvis.
        for axis in 0..<3 { #expect(abs(solved.joints[axis] - seen.joints[axis]) <= 1e-6) }
        #expect(solved.unobservedJoints[1] == Int32(29 - (0x00F0_1F0F).nonzeroBitCount))
    }

    @Test func `several threads give the same poses and the same quality`() throws {
        let model = try EffectorGolden("smpl_ik_heading").model()
        var random = SplitMix64(seed: 8)
        let seen = RandomPeople(count: 11, angleMax: 0.5, bodies: try .shared(), using: &random).observations()
        let alone = try model.solve(seen, isCancelled: { false })
        let team = ComputeTeam(try ThreadTeam(count: 3))
        let shared = try model.solve(seen, on: team, isCancelled: { false })
        #expect(shared.count == 11)
        for person in 0..<11 { #expect(numbers(shared, person) == numbers(alone, person)) }
    }

    @Test func `a person of whom only leaves were observed is refused`() throws {
        let model = try EffectorGolden("smpl_ik_small").model()
        var random = SplitMix64(seed: 6)
        var seen = RandomPeople(count: 2, angleMax: 0.5, bodies: try .shared(), using: &random).observations()
        seen.observed[1] = 0x1F00_0000
        let error = #expect(throws: ModelError.self) { try model.solve(seen, isCancelled: { false }) }
        #expect(error?.reason == .degenerateInput && error?.person == 1)
    }
}
