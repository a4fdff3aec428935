import SinewWire
import Testing

/// Bytes made by Python's msgpack, see `proto/vectors/make_vectors.py`; the values stand there a second time.
@Suite struct GoldenVectorTests {
    private static let niki = ModelReady(
        name: "niki", version: "1", architecture: "niki-twist-and-swing",
        weightsSHA256: String(repeating: "ab", count: 32))
    private static let hybrik = ModelReady(name: "hybrik", version: "1", architecture: "hybrik", weightsSHA256: "")

    private static let heads: [String: Head] = [
        "head-call": Head(
            kind: .call, method: PoseSolver.SolvePoses.name, model: "niki/1", callID: 7,
            timeoutMicroseconds: 30_000_000,
            priority: 3, tenant: "lab", items: 64),
        "head-reply-not-found": Head(
            kind: .reply, callID: .max, attempt: 2, status: .notFound, errorCode: ServiceErrorCode.unknownModel.rawValue
        ),
        "head-task": Head(
            kind: .task, method: PoseSolver.SolvePoses.name, model: "hybrik/1", callID: 70_000, timeoutMicroseconds: 0,
            lease: 1 << 40, attempt: 255, priority: 255, items: .max),
        "lenient-head-longer": Head(kind: .pong, callID: 9),
    ]

    private static let messages: [String: any WireMessage] = [
        "solve-poses-request": SolvePosesRequest(
            joints: Tensor([0, 1.5, -2.25, 3, 0.1, 1e-20], shape: [2, 1, 3]), skeleton: "smpl-29",
            sigma: Tensor([0.02, 0.4], shape: [2, 1]), observed: Tensor(.uint8([1, 0]), shape: [2, 1]),
            betas: Tensor(Array(repeating: 0.5, count: 10), shape: [10]), genders: ["female", "male"],
            startTheta: Tensor([0.25, -0.5, 1, 3, 0, -3], shape: [2, 1, 3]), tracks: [7, 7], refine: 12),
        "lenient-solve-poses-request": SolvePosesRequest(
            joints: Tensor(.float64([0.25, 1, -8.5]), shape: [1, 1, 3]), skeleton: "smpl-24"),
        "solve-poses-reply": SolvePosesReply(
            theta: Tensor([0.5, -0.5, 3.25, 0, 0, 0], shape: [2, 1, 3]),
            translation: Tensor([1, 2, 3, 0, 0, 0], shape: [2, 3]),
            joints: Tensor([9, 8, 7, 0, 0, 0], shape: [2, 1, 3]),
            quality: SolveQuality(
                latentNorm: [0.75, 0], jointResidualMillimetres: [12.5, 0], boneLengthChange: [0.03125, 0],
                unobservedJoints: [3, 0], outcome: [1, 0], orientationResidualRad: [0, 0]),
            model: "niki", modelVersion: "1", weightsSHA256: String(repeating: "0f", count: 32), worker: "anna-17",
            batchSize: 40, queueMicroseconds: 300, computeMicroseconds: 70_000,
            itemErrors: [
                ItemError(
                    item: 1, status: UInt32(StatusCode.invalidArgument.rawValue),
                    code: UInt32(ServiceErrorCode.notFinite.rawValue), field: "joints", message: "joint 4 is NaN")
            ]),
        "solve-effectors-request": SolveEffectorsRequest(
            counts: Tensor(.int32([2, 1]), shape: [2]), kinds: Tensor(.uint8([0, 2, 0]), shape: [3]),
            joints: Tensor(.uint8([0, 15, 20]), shape: [3]),
            values: Tensor([0.5, 1, 0, 0, 0, 0, 0, 1.5, 4, 0, 0, 1, -0.25, 1, 2, 0, 0, 0], shape: [3, 6]),
            tolerances: Tensor([0, 0.125, 0.5], shape: [3]), weights: Tensor([1, 0.5, 2], shape: [3]),
            betas: Tensor(Array(repeating: 0.25, count: 10), shape: [10]), genders: ["male"], refine: 12),
        "error-detail": ErrorDetail(
            message: "the queue is full – wait", code: UInt32(ServiceErrorCode.queueFull.rawValue), field: "", item: 4,
            retryAfterMicroseconds: 250_000),
        "error-detail-required": ErrorDetail(
            message: "no model “niky”", code: UInt32(ServiceErrorCode.unknownModel.rawValue), field: "model"),
        "worker-hello": WorkerHello(
            name: "anna-17", models: [niki], credits: 512, computeThreads: 2, isa: "avx512", host: "anna",
            processID: 4_194_304, version: "0.1.0", incarnation: 1 << 63, beat: GoldenFleet.beat),
        "worker-welcome": WorkerWelcome(
            beatIntervalMicroseconds: 1_000_000, leaseMicroseconds: 5_000_000, payloadBytesMax: 16_777_216,
            version: "0.1.0"),
        "fleet-status-reply": FleetStatusReply(
            broker: GoldenFleet.broker,
            workers: [
                WorkerStatus(
                    name: "anna-17", state: .draining, models: [niki], credits: 512, inFlightItems: 64,
                    beat: GoldenFleet.beat(models: [GoldenFleet.activity]),
                    heardMicrosecondsAgo: 250_000, computeThreads: 2, isa: "avx2", host: "anna", processID: 17,
                    version: "0.1.0", itemsAnswered: 63_999_936)
            ],
            timeUnixMicroseconds: 1_700_000_000_000_000, models: [GoldenFleet.activity]),
        "list-models-reply": ListModelsReply(models: [
            ModelAvailability(model: hybrik, workers: 2), ModelAvailability(model: niki, workers: 1),
        ]),
        "submit-job-request": SubmitJobRequest(
            id: Array(0..<16), method: PoseSolver.SolvePoses.name, model: "niki", label: "monday",
            contentSHA256: Array(repeating: 15, count: 32), timeToLiveMicroseconds: 3_600_000_000),
        "append-tasks-request": AppendTasksRequest(
            id: Array(0..<16),
            tasks: [
                TaskBlock(
                    index: 0, items: 64, sha256: Array(repeating: 0x11, count: 32), payload: [0x81, 0xA1, 0x61, 1],
                    label: "a.npz 0-63"),
                TaskBlock(index: 1 << 24 - 1, items: 1, sha256: Array(repeating: 0x22, count: 32), payload: [0x80]),
            ]),
        "job-status": JobStatus(
            id: Array(0..<16), state: .sealed, label: "monday", method: PoseSolver.SolvePoses.name, model: "niki",
            tenant: "lab", priority: 3, createdUnixMicroseconds: 1_700_000_000_000_000,
            giveUpUnixMicroseconds: 1_700_003_600_000_000, nextIndex: 21, tasks: 21, items: 1_300, queued: 1,
            leased: 2, done: 3, failed: 4, dead: 5, cancelled: 6, itemsDone: 192, payloadBytes: 460_000,
            resultBytes: 70_000,
            history: JobHistory(
                startedUnixMicroseconds: 1_700_000_001_000_000, firstDoneUnixMicroseconds: 1_700_000_002_000_000,
                firstFailedUnixMicroseconds: 1_700_000_003_000_000, firstDeadUnixMicroseconds: 1_700_000_004_000_000,
                retries: 7, redeliveries: 8)),
        "job-results-reply": JobResultsReply(
            results: [
                TaskResult(index: 7, outcome: .done, label: "a.npz 0-63", items: 64, attempts: 1, payload: [0x80]),
                TaskResult(
                    index: 3, outcome: .dead, status: 13, items: 2, attempts: 4, payload: [0x81, 0xA1, 0x61, 1]),
            ], nextCursor: 1 << 40, complete: true),
        "call-metadata": CallMetadata(
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", sinewTrace: 1),
        "lenient-call-metadata": CallMetadata(sinewTrace: 1),
        "reply-metadata": ReplyMetadata(
            worker: WorkerTimings(
                worker: "anna-17", queueMicroseconds: 300, computeMicroseconds: 70_000, finishMicroseconds: 40,
                batchID: 1 << 33, batchSize: 64),
            broker: BrokerTimings(
                waitMicroseconds: 1_200, retryMicroseconds: 3_000_000, awayMicroseconds: 71_000, dispatches: 2)),
        "health-check-reply": HealthCheckReply(status: .notServing),
    ]

    @Test func `every vector has its values here, and the other way round`() throws {
        #expect(try GoldenVector.names() == (Array(Self.heads.keys) + Array(Self.messages.keys)).sorted())
    }

    @Test(arguments: heads.keys.sorted())
    func `a head decodes to its values and encodes to the same bytes`(name: String) throws {
        let bytes = try GoldenVector.bytes(name)
        let expected = try #require(Self.heads[name])
        #expect(try Head(decoding: bytes) == expected)
        if !name.hasPrefix("lenient") { #expect(expected.encode() == bytes) }
    }

    @Test(arguments: messages.keys.sorted())
    func `a message decodes to its values and encodes to the same bytes`(name: String) throws {
        let bytes = try GoldenVector.bytes(name)
        func check(_ expected: some WireMessage) throws {
            #expect(try Swift.type(of: expected).init(decoding: bytes) == expected)
            if !name.hasPrefix("lenient") { #expect(expected.encode() == bytes) }
        }
        let expected: any WireMessage = try #require(Self.messages[name])
        try check(expected)
    }
}
