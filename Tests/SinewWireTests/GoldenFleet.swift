import SinewWire

/// The values of `fleet-status-reply` and of the beat in `worker-hello`; see `proto/vectors/make_vectors.py`.
enum GoldenFleet {
    static let times = TimeCounts(
        sumMicroseconds: 2_400, counts: [0, 1, 0, 0, 1] + [UInt64](repeating: 0, count: 14))

    static let activity = ModelActivity(
        name: "niki", version: "1", requestsOk: 2, requestsFailed: 1, itemsOk: 66, itemsFailed: 3, batches: 2,
        queuedItems: 4, busyMicroseconds: 2_100, expectedMicroseconds: 2_000, flop: 6_006_000_000,
        loadMicroseconds: 41_000, batchesFull: 1, batchesIdle: 1, computeTime: times,
        batchSizes: [BatchSizeCount(size: 2, count: 1), BatchSizeCount(size: 64, count: 1)], totalTime: times,
        bestBatch: 64, batchItems: 67)

    static let beat = beat(models: [])

    static func beat(models: [ModelActivity]) -> WorkerBeat {
        WorkerBeat(
            itemsDone: 5_000_000_000, batchesDone: 70_000, busyMicroseconds: 1_234_567, largestBatch: 256,
            batchSizes: [BatchSizeCount(size: 1, count: 3), BatchSizeCount(size: 256, count: 69_997)],
            queuedItems: 12, runningItems: 64, holding: HeldLeases(leases: [3, 1 << 40]), cpuMicroseconds: 9_876_543,
            residentBytes: 1 << 28, models: models, uptimeMicroseconds: 60_000_000, malformedMessages: 1)
    }

    static let broker: BrokerStatus = {
        var broker = BrokerStatus(
            version: "0.1.0", uptimeMicroseconds: 3_600_000_000, queuedCalls: 1, queuedItems: 2, runningCalls: 3,
            runningItems: 4, callsDone: 5, itemsDone: 6, callsFailed: 7, callsCancelled: 8, callsRedispatched: 9,
            malformedMessages: 10, clients: 11, draining: true, handshakesRefused: 12, messagesRefused: 13,
            messagesTooFast: 14, repliesDropped: 15)
        (broker.jobsOpen, broker.jobsSealed, broker.jobsFinished) = (16, 17, 18)
        (broker.jobsCancelled, broker.jobsExpired) = (19, 20)
        (broker.tasksQueued, broker.tasksLeased, broker.tasksDone) = (21, 22, 23)
        (broker.tasksFailed, broker.tasksDead) = (24, 25)
        (broker.jobItems, broker.jobItemsDone) = (26, 27)
        (broker.taskEndsDone, broker.taskEndsFailed, broker.taskEndsDead, broker.taskRetries) = (28, 29, 30, 31)
        (broker.oldestWaitingMicroseconds, broker.oldestJobMicroseconds) = (32, 33)
        (broker.leasesGiven, broker.leaseExpiries, broker.redeliveries) = (34, 35, 36)
        (broker.duplicatesDropped, broker.workersLost) = (37, 38)
        (broker.creditsTotal, broker.creditsInUse) = (39, 40)
        broker.drainMicrosecondsEstimated = 41
        (broker.storeBytes, broker.storeBreakdowns) = (42, 43)
        broker.models = [
            BrokerModelActivity(
                name: "niki",
                statuses: [
                    StatusActivity(status: 0, requests: 2, items: 66), StatusActivity(status: 3, requests: 1, items: 3),
                ], totalTime: times, queuedRequests: 46)
        ]
        (broker.cpuMicroseconds, broker.residentBytes) = (44, 45)
        return broker
    }()
}
