import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import Testing

@Suite struct EffectorRequestTests {
    private func validate(_ request: SolveEffectorsRequest) throws -> ValidatedEffectorRequest {
        try ValidatedEffectorRequest(request, declaredItems: request.counts.shape.first ?? 0, limits: Limits())
    }

    private func part(
        _ request: some WireMessage, _ method: PoseSolver.Method, items: Int, lease: UInt64
    ) -> BatchJob.Part {
        BatchJob.Part(
            lease: LeaseToken(rawValue: lease), method: method, payload: Frame(request.encode()), declaredItems: items,
            queueMicroseconds: lease)
    }

    private func solve(_ parts: [BatchJob.Part], model: any PoseModel) -> BatchResult {
        BatchSolver(workerName: "w").solve(
            BatchJob(id: BatchID(rawValue: 1), model: model, parts: parts, cancellation: Cancellation()))
    }

    private func reply(_ answer: Answer) throws -> SolvePosesReply {
        try #require(answer.status == .ok)
        return try SolvePosesReply(decoding: answer.payload)
    }

    private func expectEqual(_ reply: SolvePosesReply, _ solved: PoseSolutions) {
        #expect(reply.theta.floats == solved.theta)
        #expect(reply.translation.floats == solved.translation)
        #expect(reply.quality.orientationResidualRad == solved.orientationResidualRadians)
        #expect(reply.theta.shape == [solved.count, 24, 3])
    }

    @Test func `callers of ragged sets share one batch and get what they would get alone`() throws {
        let requests = [reaching(3, seed: 1), reaching(1, seed: 2), reaching(6, seed: 3)]
        let model = RecomputableEffectorModel()
        let result = solve(
            requests.enumerated().map { index, request in
                part(request, .solveEffectors, items: request.counts.shape[0], lease: UInt64(index))
            }, model: model)
        #expect(model.effectorBatchSizes == [10] && result.itemCount == 10)
        for (request, answer) in zip(requests, result.answers) {
            let reply = try reply(answer)
            expectEqual(reply, try request.solvedAlone)
            #expect(reply.model == "reach" && reply.modelVersion == "2" && reply.weightsSHA256 == "def456")
            #expect(reply.worker == "w" && reply.batchSize == 10 && reply.itemErrors.isEmpty)
        }
    }

    @Test func `joints and effectors of one batch are answered each by its own`() throws {
        let (joints, effectors) = (people(2, seed: 4), reaching(3, seed: 5))
        let model = RecomputableEffectorModel()
        let result = solve(
            [
                part(effectors, .solveEffectors, items: 3, lease: 0), part(joints, .solvePoses, items: 2, lease: 1),
                part(effectors, .solveEffectors, items: 3, lease: 2),
            ], model: model)
        #expect(result.leases.map(\.rawValue) == [0, 1, 2] && result.itemCount == 8)
        #expect(model.effectorBatchSizes == [6] && model.jointBatchSizes == [2])
        for index in [0, 2] { expectEqual(try reply(result.answers[index]), try effectors.solvedAlone) }
        let found = try reply(result.answers[1])
        #expect(found.theta.floats == (try joints.solvedAlone).theta)
        #expect(found.batchSize == 2 && found.queueMicroseconds == 1)
    }

    @Test func `a model that takes no effectors says which one does`() throws {
        let result = solve(
            [part(reaching(2, seed: 6), .solveEffectors, items: 2, lease: 0)], model: RecomputableModel())
        #expect(result.answers.map(\.status) == [.invalidArgument])
        #expect(result.answers.map(\.code) == [.unsuitableModel])
        let detail = try ErrorDetail(decoding: result.answers[0].payload)
        #expect(detail.field == "model" && detail.message.contains("smpl-ik"))
    }

    @Test func `a payload of the other method is the caller's mistake`() throws {
        let request = people(2, seed: 7)
        let result = solve([part(request, .solveEffectors, items: 2, lease: 0)], model: RecomputableEffectorModel())
        #expect(result.answers.map(\.status) == [.invalidArgument] && result.itemCount == 0)
    }

    @Test func `a person that the model refuses is named and the others are solved`() throws {
        let good = reaching(4, seed: 8)
        let request = good.changing(\.betas, at: 29, to: RecomputableModel.Trick.refusesByNumber)
        let result = solve(
            [
                part(reaching(2, seed: 9), .solveEffectors, items: 2, lease: 0),
                part(request, .solveEffectors, items: 4, lease: 1),
            ], model: RecomputableEffectorModel())
        let found = try reply(result.answers[1])
        #expect(found.itemErrors.map(\.item) == [2])
        #expect(found.itemErrors.map(\.message) == ["person 2: cannot be solved"])
        let (theta, alone) = (try #require(found.theta.floats), try good.solvedAlone.theta)
        #expect(Array(theta[..<144]) == Array(alone[..<144]) && Array(theta[216...]) == Array(alone[216...]))
        #expect(!theta[144..<216].contains { $0 != 0 })
    }

    // MARK: What is wrong with one person

    /// Person 2 has the effectors 3, 4 and 5: a position, a rotation and a look-at.
    private static let spoiled:
        [(String, ServiceErrorCode, @Sendable (SolveEffectorsRequest) -> SolveEffectorsRequest)] = [
            ("kinds", .outOfRange, { $0.changing(\.kinds, at: 4, to: 3) }),
            ("joints", .outOfRange, { $0.changing(\.joints, at: 4, to: 24) }),
            ("values", .notFinite, { $0.changing(\.values, at: 31, to: .nan) }),
            ("values", .outOfRange, { $0.changing(\.values, at: 18, to: 1001) }),
            ("values", .outOfRange, { $0.changing(\.values, at: 24, to: 0.5) }),
            ("values", .outOfRange, { $0.changing(\.values, at: 34, to: 3) }),
            ("tolerances", .outOfRange, { $0.changing(\.tolerances, at: 5, to: 1.01) }),
            ("tolerances", .notFinite, { $0.changing(\.tolerances, at: 5, to: .infinity) }),
            ("weights", .outOfRange, { $0.changing(\.weights, at: 4, to: -1) }),
            ("weights", .outOfRange, { $0.changing(\.weights, at: 4, to: 0.0001) }),
            ("betas", .outOfRange, { $0.changing(\.betas, at: 25, to: 11) }),
            ("kinds", .nothingObserved, { $0.changing(\.weights, at: 3, to: 0) }),
        ]

    @Test(arguments: spoiled.indices)
    func `a wrong effector costs its person alone and is named with its field`(index: Int) throws {
        let (field, code, spoil) = Self.spoiled[index]
        let valid = try validate(spoil(reaching(4, seed: 10)))
        #expect(valid.rows == [0, 1, 3])
        let error = try #require(valid.errors.first)
        #expect(valid.errors.count == 1 && error.item == 2)
        #expect(error.field == field && error.code == UInt32(code.rawValue))
        #expect(error.message.hasPrefix("person 2: "))
        if field != "betas", code != .nothingObserved { #expect(error.message.contains("effector ")) }
        let good = try validate(reaching(4, seed: 10)).effectors
        for (kept, original) in [(0, 0), (1, 1), (2, 3)] {
            #expect(
                valid.effectors.effectors(of: kept).map { valid.effectors[$0] }
                    == good.effectors(of: original).map { good[$0] })
        }
    }

    @Test func `an unknown gender costs its person alone`() throws {
        var request = reaching(3, seed: 11)
        request.genders[1] = "horse"
        let valid = try validate(request)
        #expect(valid.rows == [0, 2] && valid.errors.map(\.field) == ["genders"])
    }

    @Test func `the most effectors of a person are taken, and one more is refused`() throws {
        let most = Limits().effectorsPerPersonMax
        #expect(most <= EffectorObservations.perPersonMax)
        func request(_ count: Int) -> SolveEffectorsRequest {
            SolveEffectorsRequest(
                counts: Tensor(.int32([Int32(count), 1]), shape: [2]),
                kinds: Tensor(.uint8(Array(repeating: 0, count: count + 1)), shape: [count + 1]),
                joints: Tensor(.uint8(Array(repeating: 5, count: count + 1)), shape: [count + 1]),
                values: Tensor(Array(repeating: 0, count: (count + 1) * 6), shape: [count + 1, 6]))
        }
        #expect(try validate(request(most)).rows == [0, 1])
        let over = try validate(request(most + 1))
        #expect(over.rows == [1] && over.errors.map(\.field) == ["counts"])
        #expect(over.errors[0].message.contains("\(most + 1)"))
    }

    @Test func `a person without effectors is refused`() throws {
        let request = SolveEffectorsRequest(
            counts: Tensor(.int32([0]), shape: [1]), kinds: Tensor(.uint8([]), shape: [0]),
            joints: Tensor(.uint8([]), shape: [0]), values: Tensor([], shape: [0, 6]))
        #expect(try validate(request).errors.map(\.code) == [UInt32(ServiceErrorCode.nothingObserved.rawValue)])
    }

    // MARK: What is wrong with the request

    private static let malformed: [(String, ServiceErrorCode, @Sendable (inout SolveEffectorsRequest) -> Void)] = [
        ("counts", .wrongShape, { $0.counts = Tensor([1, 2], shape: [2]) }),
        ("counts", .wrongShape, { $0.counts = Tensor(.int32([]), shape: [0]) }),
        ("counts", .outOfRange, { $0.counts = Tensor(.int32([1, -1, 2]), shape: [3]) }),
        ("kinds", .wrongShape, { $0.counts = Tensor(.int32([1, 1, 1]), shape: [3]) }),
        ("kinds", .wrongShape, { $0.counts = Tensor(.int32([.max, .max, .max]), shape: [3]) }),
        ("joints", .wrongShape, { $0.joints = Tensor(.uint8([1]), shape: [1]) }),
        ("values", .wrongShape, { $0.values = Tensor([0, 0, 0, 0, 0, 0], shape: [6, 1]) }),
        ("tolerances", .wrongShape, { $0.tolerances = Tensor([0], shape: [1]) }),
        ("weights", .wrongShape, { $0.weights = Tensor(.uint8([1, 1, 1, 1, 1, 1]), shape: [6]) }),
        ("betas", .wrongShape, { $0.betas = Tensor([0], shape: [1]) }),
        ("refine", .outOfRange, { $0.refine = 65 }),
        ("genders", .wrongShape, { $0.genders = ["male", "male"] }),
    ]

    @Test(arguments: malformed.indices)
    func `a field of the wrong shape fails the call and is named`(index: Int) throws {
        let (field, code, spoil) = Self.malformed[index]
        var request = reaching(3, seed: 12)
        spoil(&request)
        let error = #expect(throws: CallFailure.self) { try validate(request) }
        #expect(error?.status == .invalidArgument && error?.field == field && error?.code == code)
    }

    @Test func `a head that says another number of people is refused`() throws {
        let error = #expect(throws: CallFailure.self) {
            try ValidatedEffectorRequest(reaching(3, seed: 13), declaredItems: 4, limits: Limits())
        }
        #expect(error?.code == .malformedRequest && error?.message.contains("4") == true)
    }
}
