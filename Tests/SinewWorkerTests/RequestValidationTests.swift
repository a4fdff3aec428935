import SinewBody
import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import Testing

@Suite struct RequestValidationTests {
    private func validated(_ request: SolvePosesRequest, declaredItems: Int? = nil) throws -> ValidatedRequest {
        try ValidatedRequest(request, declaredItems: declaredItems ?? request.joints.shape[0])
    }

    @Test func `every field reaches the observations in its row`() throws {
        let request = people(3, seed: 1)
        let valid = try validated(request)
        #expect(valid.rows == [0, 1, 2])
        #expect(valid.errors.isEmpty)
        let seen = valid.observations
        let joints = try #require(request.joints.floats)
        let flags = try #require(request.observed?.bytes)
        for index in 0..<3 * 29 {
            let isSeen = flags[index] == 1
            #expect((seen.observed[index / 29] >> UInt32(index % 29)) & 1 == (isSeen ? 1 : 0))
            for axis in 0..<3 { #expect(seen.joints[index * 3 + axis] == (isSeen ? joints[index * 3 + axis] : 0)) }
            if isSeen { #expect(seen.sigma[index] == request.sigma?.floats?[index]) }
        }
        #expect(seen.twists == request.twists?.floats)
        #expect(seen.hasTwists == [true, true, true])
        #expect(seen.betas == request.betas?.floats)
        #expect(seen.genders == [.neutral, .female, .male])
    }

    @Test func `what is left out gets its documented default`() throws {
        var request = people(2, seed: 2)
        request.sigma = nil
        request.observed = nil
        request.twists = nil
        request.betas = nil
        request.genders = []
        let seen = try validated(request).observations
        #expect(seen.sigma.allSatisfy { $0 == 0.02 })
        #expect(seen.observed == [(1 << 29) - 1, (1 << 29) - 1])
        #expect(seen.hasTwists == [false, false])
        #expect(seen.betas.allSatisfy { $0 == 0 })
        #expect(seen.genders == [.neutral, .neutral])
    }

    @Test func `joints of a detector are put where SMPL has them`() throws {
        var request = people(2, seed: 5, skeleton: "BODY_25")
        let given = try #require(request.joints.floats)
        var observed = [UInt8](repeating: 1, count: 50)
        observed[25 + 9] = 0  // the second person's right hip
        request.observed = Tensor(.uint8(observed), shape: [2, 25])
        let seen = try validated(request).observations
        let skeleton = Skeleton.body25
        let elbow = try #require(skeleton.index(of: "left_elbow"))
        for axis in 0..<3 {
            #expect(seen.joints[18 * 3 + axis] == given[elbow * 3 + axis])
            let hips = (given[9 * 3 + axis] + given[12 * 3 + axis]) / 2
            #expect(abs(seen.joints[axis] - hips) < 1e-6, "the pelvis is the middle of the hips")
        }
        let sigma = try #require(request.sigma?.floats)
        #expect(seen.sigma[18] == sigma[elbow])
        let missing = ["spine1", "spine2", "spine3", "left_collar", "right_collar", "left_foot", "right_foot"]
        for (joint, name) in Skeleton.smpl29.jointNames.enumerated() {
            let isTold = !skeleton.missingJoints.contains(name)
            let isHandOrTop = name == "head_top" || name.hasSuffix("hand") || name.hasSuffix("middle")
            #expect(isTold != (missing.contains(name) || isHandOrTop), "\(name)")
            #expect((seen.observed[0] & 1 << UInt32(joint) != 0) == isTold, "\(name)")
        }
        let blind = [0, 2, 12].reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
        #expect(seen.observed[1] == seen.observed[0] & ~blind, "what needs the hip was not seen")
    }

    @Test func `24 joints leave the leaves unobserved`() throws {
        var request = people(2, seed: 3, skeleton: "smpl-24")
        request.observed = nil
        let seen = try validated(request).observations
        #expect(seen.observed == [(1 << 24) - 1, (1 << 24) - 1])
        let joints = try #require(request.joints.floats)
        for person in 0..<2 {
            #expect(
                Array(seen.joints[person * 87..<person * 87 + 72]) == Array(joints[person * 72..<(person + 1) * 72]))
            #expect(seen.joints[person * 87 + 72..<(person + 1) * 87].allSatisfy { $0 == 0 })
        }
    }

    @Test func `one beta and one gender stand for all`() throws {
        var request = people(3, seed: 4)
        let beta = (0..<10).map { Float($0) / 10 }
        request.betas = Tensor(beta, shape: [10])
        request.genders = ["female"]
        let seen = try validated(request).observations
        #expect(seen.betas == beta + beta + beta)
        #expect(seen.genders == [.female, .female, .female])
    }

    @Test func `double precision is accepted and integers are not`() throws {
        var request = people(1, seed: 5)
        let floats = try #require(request.joints.floats)
        request.joints = Tensor(.float64(floats.map { Double($0) }), shape: [1, 29, 3])
        #expect(try validated(request).observations.count == 1)
        request.joints = Tensor(.int32(floats.map { Int32($0) }), shape: [1, 29, 3])
        let failure = #expect(throws: CallFailure.self) { try validated(request) }
        #expect(failure?.code == .wrongShape)
        #expect(failure?.message.contains("int32 [1, 29, 3]") == true)
    }

    /// A request that is wrong as a whole, and what the failure must name.
    struct WholeCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: ServiceErrorCode
        let field: String
        let change: @Sendable (inout SolvePosesRequest) -> Void
    }

    static let wholeCases = [
        WholeCase(testDescription: "unknown skeleton", code: .unknownSkeleton, field: "skeleton") {
            $0.skeleton = "horse-17"
        },
        WholeCase(testDescription: "joints of another skeleton", code: .wrongShape, field: "joints") {
            $0.skeleton = "smpl-24"
        },
        WholeCase(testDescription: "joints without the person axis", code: .wrongShape, field: "joints") {
            $0.joints = Tensor([Float](repeating: 0, count: 87), shape: [29, 3])
        },
        WholeCase(testDescription: "no people", code: .wrongShape, field: "joints") {
            $0 = SolvePosesRequest(joints: Tensor([], shape: [0, 29, 3]), skeleton: "smpl-29")
        },
        WholeCase(testDescription: "sigma of other people", code: .wrongShape, field: "sigma") {
            $0.sigma = Tensor([Float](repeating: 0, count: 29), shape: [1, 29])
        },
        WholeCase(testDescription: "observed as floats", code: .wrongShape, field: "observed") {
            $0.observed = Tensor([Float](repeating: 1, count: 58), shape: [2, 29])
        },
        WholeCase(testDescription: "24 twists", code: .wrongShape, field: "twists") {
            $0.twists = Tensor([Float](repeating: 1, count: 48), shape: [2, 24])
        },
        WholeCase(testDescription: "16 betas", code: .wrongShape, field: "betas") {
            $0.betas = Tensor([Float](repeating: 1, count: 16), shape: [16])
        },
        WholeCase(testDescription: "3 genders for 2 people", code: .wrongShape, field: "genders") {
            $0.genders = ["male", "male", "male"]
        },
        WholeCase(testDescription: "65 refinement steps", code: .outOfRange, field: "refine") { $0.refine = 65 },
        WholeCase(testDescription: "start poses of 23 joints", code: .wrongShape, field: "start_theta") {
            $0.startTheta = Tensor([Float](repeating: 0, count: 138), shape: [2, 23, 3])
        },
        WholeCase(testDescription: "one track for 2 people", code: .wrongShape, field: "tracks") { $0.tracks = [4] },
        WholeCase(testDescription: "one unknown gender for all", code: .unknownGender, field: "genders") {
            $0.genders = ["robot"]
        },
    ]

    @Test(arguments: wholeCases)
    func `a request that is wrong as a whole names the field`(_ wrong: WholeCase) throws {
        var request = people(2, seed: 6)
        wrong.change(&request)
        let failure = #expect(throws: CallFailure.self) { try validated(request) }
        #expect(failure?.status == .invalidArgument)
        #expect(failure?.code == wrong.code)
        #expect(failure?.field == wrong.field)
        #expect(failure?.message.isEmpty == false)
    }

    @Test func `as many refinement steps as the limit are taken, and none by default`() throws {
        var request = people(2, seed: 8)
        #expect(try validated(request).refineSteps == 0)
        request.refine = 64
        #expect(try validated(request).refineSteps == 64)
        var limits = Limits()
        limits.refineStepsMax = 63
        let failure = #expect(throws: CallFailure.self) {
            try ValidatedRequest(request, declaredItems: 2, limits: limits)
        }
        #expect(failure?.field == "refine" && failure?.message.contains("0…63") == true)
    }

    @Test func `a head that counts other people is refused`() throws {
        let failure = #expect(throws: CallFailure.self) { try validated(people(3, seed: 7), declaredItems: 2) }
        #expect(failure?.code == .malformedRequest)
        #expect(failure?.message.contains("3 people") == true)
    }

    /// One wrong person among good ones.
    struct PersonCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: ServiceErrorCode
        let field: String
        let words: String
        let change: @Sendable (SolvePosesRequest) -> SolvePosesRequest
    }

    static let personCases = [
        PersonCase(testDescription: "NaN joint", code: .notFinite, field: "joints", words: "joints[2, 1] (right_hip y)")
        {
            $0.changingJoint(at: 87 + 7, to: .nan)
        },
        PersonCase(testDescription: "infinite joint", code: .notFinite, field: "joints", words: "pelvis x") {
            $0.changingJoint(at: 87, to: .infinity)
        },
        PersonCase(testDescription: "far away", code: .outOfRange, field: "joints", words: "millimetres") {
            $0.changingJoint(at: 87, to: 1000.5)
        },
        PersonCase(testDescription: "a giant", code: .outOfRange, field: "joints", words: "mean") {
            $0.changingJoint(at: 87 + 6, to: 40)
        },
        PersonCase(testDescription: "negative sigma", code: .outOfRange, field: "sigma", words: "sigma[0] (pelvis)") {
            $0.changing(\.sigma, at: 29, to: -0.1)
        },
        PersonCase(testDescription: "NaN sigma", code: .notFinite, field: "sigma", words: "sigma[28]") {
            $0.changing(\.sigma, at: 57, to: .nan)
        },
        PersonCase(testDescription: "twist in degrees", code: .outOfRange, field: "twists", words: "degrees") {
            $0.changing(\.twists, at: 23 + 4, to: 90)
        },
        PersonCase(testDescription: "NaN twist", code: .notFinite, field: "twists", words: "twists[22] (right_hand)") {
            $0.changing(\.twists, at: 45, to: .nan)
        },
        PersonCase(testDescription: "wild beta", code: .outOfRange, field: "betas", words: "betas[3]") {
            $0.changing(\.betas, at: 13, to: 11)
        },
        PersonCase(testDescription: "unknown gender", code: .unknownGender, field: "genders", words: "robot") {
            var changed = $0
            changed.genders[1] = "robot"
            return changed
        },
        PersonCase(
            testDescription: "half a start pose", code: .notFinite, field: "start_theta",
            words: "start_theta[1, 0] (left_hip x)"
        ) {
            var changed = $0
            changed.startTheta = Tensor(
                (0..<216).map { index -> Float in index == 75 ? .nan : 0.5 }, shape: [3, 24, 3])
            return changed
        },
        PersonCase(testDescription: "start in degrees", code: .outOfRange, field: "start_theta", words: "degrees") {
            var changed = $0
            changed.startTheta = Tensor((0..<216).map { index -> Float in index == 80 ? -45 : 0.5 }, shape: [3, 24, 3])
            return changed
        },
        PersonCase(testDescription: "nothing observed", code: .nothingObserved, field: "observed", words: "no joint") {
            var changed = $0
            changed.observed = Tensor(.uint8((0..<87).map { $0 / 29 == 1 ? 0 : 1 }), shape: [3, 29])
            return changed
        },
        PersonCase(testDescription: "observed 2", code: .outOfRange, field: "observed", words: "observed[0] (pelvis)") {
            var changed = $0
            changed.observed = Tensor(.uint8((0..<87).map { $0 == 29 ? 2 : 1 }), shape: [3, 29])
            return changed
        },
    ]

    @Test(arguments: personCases)
    func `a wrong person gets its own error and its neighbours stay`(_ wrong: PersonCase) throws {
        var good = people(3, seed: 8)
        good.observed = nil
        let valid = try validated(wrong.change(good))
        #expect(valid.rows == [0, 2])
        #expect(valid.itemCount == 3)
        try #require(valid.errors.count == 1)
        let error = valid.errors[0]
        #expect(error.item == 1)
        #expect(error.status == UInt32(StatusCode.invalidArgument.rawValue))
        #expect(error.code == UInt32(wrong.code.rawValue))
        #expect(error.field == wrong.field)
        #expect(error.message.contains("person 1"))
        #expect(error.message.contains(wrong.words))
        let undisturbed = try validated(good).observations
        #expect(valid.observations.joints == undisturbed.rows(0..<1).joints + undisturbed.rows(2..<3).joints)
        #expect(valid.observations.betas == undisturbed.rows(0..<1).betas + undisturbed.rows(2..<3).betas)
    }

    @Test func `values at the edge of their ranges are accepted`() throws {
        var request = people(1, seed: 9)
        request.observed = nil
        request = request.changing(\.sigma, at: 0, to: 0).changing(\.sigma, at: 1, to: 10)
            .changing(\.twists, at: 0, to: -6.2831855).changing(\.betas, at: 0, to: 10)
        #expect(try validated(request).rows == [0])
        let far = try #require(request.joints.floats).enumerated().map { $0.offset % 3 == 0 ? Float(1000) : $0.element }
        request.joints = Tensor(far, shape: [1, 29, 3])
        #expect(try validated(request).rows == [0])
    }

    @Test func `a row of NaN has no start pose, and tracks keep the rows that are left`() throws {
        var request = people(4, seed: 21)
        let values = (0..<288).map { index -> Float in index / 72 == 1 ? .nan : Float(index) / 100 }
        request.startTheta = Tensor(values, shape: [4, 24, 3])
        request.tracks = [9, 9, 2, 9]
        let seen = try validated(request.changing(\.betas, at: 20, to: .nan)).observations
        #expect(seen.hasStart == [true, false, true] && seen.tracks == [9, 9, 9])
        #expect(seen.startTheta == Array(values[..<72]) + Array(repeating: 0, count: 72) + Array(values[216...]))
        let plain = try validated(people(4, seed: 21)).observations
        #expect(plain.hasStart.isEmpty && plain.startTheta.isEmpty && plain.tracks.isEmpty)
    }

    @Test func `a joint that was not observed may be anything`() throws {
        var request = people(1, seed: 10)
        request.observed = Tensor(.uint8((0..<29).map { $0 == 5 ? 0 : 1 }), shape: [1, 29])
        let broken = request.changingJoint(at: 15, to: .nan).changing(\.sigma, at: 5, to: .infinity)
        let valid = try validated(broken)
        #expect(valid.rows == [0])
        #expect(valid.observations.joints[15..<18].allSatisfy { $0 == 0 })
        #expect(valid.observations.sigma.allSatisfy { $0.isFinite })
    }
}
