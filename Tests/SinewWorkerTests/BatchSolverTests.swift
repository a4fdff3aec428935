import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import SinewZeroMQ
import Testing

@Suite struct BatchSolverTests {
    private func solve(
        _ requests: [SolvePosesRequest], model: any PoseModel = RecomputableModel(),
        cancellation: Cancellation = Cancellation()
    ) -> BatchResult {
        let parts = requests.enumerated().map { index, request in
            BatchJob.Part(
                lease: LeaseToken(rawValue: UInt64(index)), payload: Frame(request.encode()),
                declaredItems: request.joints.shape[0], queueMicroseconds: UInt64(index))
        }
        let job = BatchJob(id: BatchID(rawValue: 1), model: model, parts: parts, cancellation: cancellation)
        return BatchSolver(workerName: "w").solve(job)
    }

    private func reply(_ answer: Answer) throws -> SolvePosesReply {
        try #require(answer.status == .ok)
        return try SolvePosesReply(decoding: answer.payload)
    }

    private func expectEqual(_ reply: SolvePosesReply, _ solved: PoseSolutions) {
        #expect(reply.theta.floats == solved.theta)
        #expect(reply.translation.floats == solved.translation)
        #expect(reply.joints.floats == solved.joints)
        #expect(reply.quality.latentNorm == solved.latentNorm)
        #expect(reply.quality.jointResidualMillimetres == solved.jointResidualMillimetres)
        #expect(reply.quality.boneLengthChange == solved.boneLengthChange)
        #expect(reply.quality.unobservedJoints == solved.unobservedJoints)
        #expect(reply.theta.shape == [solved.count, 24, 3])
        #expect(reply.translation.shape == [solved.count, 3])
        #expect(reply.joints.shape == [solved.count, 29, 3])
    }

    @Test func `callers who share a batch get what they would get alone`() throws {
        let requests = [people(3, seed: 11), people(1, seed: 12), people(5, seed: 13, skeleton: "smpl-24")]
        let model = RecomputableModel()
        let result = solve(requests, model: model)
        #expect(model.batchSizes == [9])
        #expect(result.itemCount == 9)
        #expect(result.leases.map(\.rawValue) == [0, 1, 2])
        for (index, request) in requests.enumerated() {
            let reply = try reply(result.answers[index])
            expectEqual(reply, try request.solvedAlone)
            #expect(reply.batchSize == 9)
            #expect(reply.queueMicroseconds == UInt64(index))
            #expect(reply.model == "recomputable" && reply.modelVersion == "1" && reply.weightsSHA256 == "abc123")
            #expect(reply.worker == "w")
            #expect(reply.itemErrors.isEmpty)
        }
    }

    /// Counts each row's place in its track, and adds 100 for a start pose.
    private struct CountingModel: PoseModel {
        let identity = ModelIdentity(name: "counting", version: "1", weightsSHA256: "", architecture: "arithmetic")
        let isSequential = true

        func solve(_ people: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
            var solutions = PoseSolutions(count: people.count)
            for row in 0..<people.count {
                let before = (0..<row).count { !people.tracks.isEmpty && people.tracks[$0] == people.tracks[row] }
                let hasStart = !people.hasStart.isEmpty && people.hasStart[row]
                solutions.latentNorm[row] = Float(before) + (hasStart ? people.startTheta[row * 72] : 0)
                solutions.outcome[row] = hasStart ? .startKept : .solved
            }
            return solutions
        }
    }

    @Test func `tracks and start poses stay within their request`() throws {
        // The same track numbers in every request, requests without tracks and without start poses in between.
        var first = people(4, seed: 31)
        first.tracks = [0, 1, 0, 1]
        let plain = people(3, seed: 32)
        var second = people(3, seed: 33)
        second.tracks = [1, 1, 1]
        let values = (0..<216).map { index -> Float in index / 72 == 1 ? 5 : .nan }
        second.startTheta = Tensor(values, shape: [3, 24, 3])
        for order in [[first, plain, second], [second, first, plain], [plain, second, first]] {
            let result = solve(order, model: CountingModel())
            for (request, answer) in zip(order, result.answers) {
                let quality = try reply(answer).quality
                if request == first {
                    #expect(quality.latentNorm == [0, 0, 1, 1] && quality.outcome == [0, 0, 0, 0])
                } else if request == plain {
                    #expect(quality.latentNorm == [0, 0, 0] && quality.outcome == [0, 0, 0])
                } else {
                    #expect(quality.latentNorm == [0, 6, 2] && quality.outcome == [0, 1, 0])
                }
            }
        }
    }

    @Test func `a start pose for a model that starts from none is refused, and its neighbours stay`() throws {
        var wrong = people(2, seed: 34)
        wrong.startTheta = Tensor([Float](repeating: 0, count: 144), shape: [2, 24, 3])
        let good = people(2, seed: 35)
        let result = solve([wrong, good])
        #expect(result.answers[0].status == .invalidArgument && result.answers[0].code == .malformedRequest)
        let detail = try ErrorDetail(decoding: result.answers[0].payload)
        #expect(detail.field == "start_theta" && detail.message.contains("recomputable/1"))
        expectEqual(try reply(result.answers[1]), try good.solvedAlone)
    }

    @Test func `a wrong person leaves zeros in its row and nothing in others`() throws {
        let good = people(3, seed: 14)
        var wrong = good
        wrong.observed = nil
        wrong = wrong.changingJoint(at: 87, to: .nan)
        let neighbour = people(2, seed: 15)
        let result = solve([neighbour, wrong, neighbour])
        expectEqual(try reply(result.answers[0]), try neighbour.solvedAlone)
        expectEqual(try reply(result.answers[2]), try neighbour.solvedAlone)
        let mixed = try reply(result.answers[1])
        #expect(mixed.itemErrors.map(\.item) == [1])
        let theta = try #require(mixed.theta.floats)
        #expect(theta[72..<144].allSatisfy { $0 == 0 })
        var undisturbed = good
        undisturbed.observed = nil
        let alone = try undisturbed.solvedAlone
        #expect(Array(theta[0..<72]) == Array(alone.theta[0..<72]))
        #expect(Array(theta[144..<216]) == Array(alone.theta[144..<216]))
    }

    @Test func `a request that cannot be read fails alone`() throws {
        let good = people(2, seed: 16)
        var unknown = people(2, seed: 17)
        unknown.skeleton = "horse"
        let result = solve([unknown, good])
        #expect(result.answers[0].status == .invalidArgument)
        let detail = try ErrorDetail(decoding: result.answers[0].payload)
        #expect(detail.field == "skeleton")
        #expect(detail.message.contains("horse") && detail.message.contains("smpl-24, smpl-29"))
        expectEqual(try reply(result.answers[1]), try good.solvedAlone)
    }

    @Test func `callers with other numbers of refinement steps share a batch`() throws {
        let model = HybrIKModel(bodies: try BodyLibrary.shared())
        let requests = [0, 3, 0, 9].enumerated().map { index, steps in
            var request = people(3, seed: 31 + UInt64(index))
            request.refine = steps == 0 ? nil : UInt32(steps)
            return request
        }
        let result = solve(requests, model: model)
        for (index, request) in requests.enumerated() {
            let observations = try ValidatedRequest(request, declaredItems: 3).observations
            var alone = try model.solve(observations, isCancelled: { false })
            let before = alone
            let steps = Int(request.refine ?? 0)
            try PoseRefinement.refine(
                &alone, toward: observations, steps: [steps, steps, steps], isCancelled: { false })
            #expect((alone.theta == before.theta) == (steps == 0))
            expectEqual(try reply(result.answers[index]), alone)
        }
    }

    @Test func `a payload that is no request, or missing, is the caller's mistake`() throws {
        for payload in [Frame([0xC1, 0x00]), nil] {
            let part = BatchJob.Part(
                lease: LeaseToken(rawValue: 1), payload: payload, declaredItems: 1, queueMicroseconds: 0)
            let model = RecomputableModel()
            let job = BatchJob(
                id: BatchID(rawValue: 1), model: model, parts: [part], cancellation: Cancellation())
            let result = BatchSolver(workerName: "w").solve(job)
            #expect(result.answers.map(\.status) == [.invalidArgument])
            #expect(result.answers.map(\.code) == [.malformedRequest])
            #expect(result.itemCount == 0)
        }
    }

    @Test func `numbers that are not finite are caught before they leave`() throws {
        let request = people(4, seed: 18).tricking(2, with: RecomputableModel.Trick.answersNaN)
        let reply = try reply(solve([request]).answers[0])
        #expect(reply.itemErrors.map(\.item) == [2])
        #expect(reply.itemErrors[0].status == UInt32(StatusCode.internal.rawValue))
        #expect(reply.itemErrors[0].code == UInt32(ServiceErrorCode.solutionNotFinite.rawValue))
        let theta = try #require(reply.theta.floats)
        #expect(theta.allSatisfy { $0.isFinite })
        #expect(theta[2 * 72..<3 * 72].allSatisfy { $0 == 0 })
        #expect(theta[3 * 72] != 0)
    }

    @Test(
        arguments: [
            [0], [5], [2], [1, 3], [0, 1, 2, 3, 4, 5],
        ], [RecomputableModel.Trick.refusesByNumber, RecomputableModel.Trick.refusesTheBatch])
    func `people that a model refuses are taken out and the rest is solved`(refused: [Int], trick: Float) throws {
        let good = people(6, seed: 19)
        var request = good
        for person in refused { request = request.tricking(person, with: trick) }
        // Somebody else comes first in the batch, so that rows of the batch and of the request differ.
        let reply = try reply(solve([people(2, seed: 23), request]).answers[1])
        #expect(reply.itemErrors.map(\.item) == refused.map { UInt32($0) })
        #expect(reply.itemErrors.allSatisfy { $0.code == UInt32(ServiceErrorCode.nothingObserved.rawValue) })
        #expect(reply.itemErrors.map(\.message) == refused.map { "person \($0): cannot be solved" })
        let theta = try #require(reply.theta.floats)
        let alone = try good.solvedAlone.theta
        for person in 0..<6 {
            let row = person * 72..<(person + 1) * 72
            if refused.contains(person) {
                #expect(theta[row].allSatisfy { $0 == 0 })
            } else {
                #expect(theta[row] == alone[row])
            }
        }
    }

    @Test func `a model that breaks answers with a status`() throws {
        let request = people(2, seed: 20).tricking(1, with: RecomputableModel.Trick.breaks)
        let result = solve([request, people(1, seed: 21)])
        #expect(result.answers.map(\.status) == [.internal, .internal])
        #expect(result.answers.map(\.code) == [.solverFailed, .solverFailed])
        #expect(try ErrorDetail(decoding: result.answers[0].payload).message.contains("the weights are gone"))
    }

    @Test func `a cancelled batch ends inside the model`() throws {
        let gate = try Gate()
        gate.open()
        let cancellation = Cancellation()
        cancellation.cancel()
        let result = solve(
            [people(1, seed: 22)], model: RecomputableModel(gate: gate), cancellation: cancellation)
        #expect(result.answers.map(\.status) == [.cancelled])
        #expect(gate.sawCancellation)
    }
}
