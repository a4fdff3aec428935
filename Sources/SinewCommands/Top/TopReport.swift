internal import SinewWire

/// A moment of the fleet as a line of JSON: the names and units of `/api/v1/fleet` where both have a figure.
struct TopReport: Encodable {
    struct Worker: Encodable {
        let name, state, host, version, isa: String
        let processId, credits, inFlightItems, queuedItems, runningItems: UInt32
        let itemsDone, residentBytes: UInt64
        let personsPerSecond, batchFill, meanBatch, latencyP50Us, latencyP99Us, cpuCores, gflopPerSecond: Double?
    }
    struct Job: Encodable {
        let id, state, model, label: String
        let tasks, done, failed, dead, cancelled, items, itemsDone, createdUnixUs: UInt64
        let personsPerSecond, etaSeconds: Double?
    }

    let timeUnixUs, queuedItems, runningItems, itemsDone, callsFailed, oldestWaitingUs: UInt64
    let drainUsEstimated: UInt64?
    let personsPerSecond, callsPerSecond, failedPerSecond, cpuCores: Double?
    let workers: [Worker]
    let jobs: [Job]?

    init(_ fleet: TopFleet) {
        let broker = fleet.broker
        timeUnixUs = fleet.timeUnixMicroseconds
        (queuedItems, runningItems, itemsDone) = (broker.queuedItems, broker.runningItems, broker.itemsDone)
        (callsFailed, oldestWaitingUs) = (broker.callsFailed, broker.oldestWaitingMicroseconds)
        drainUsEstimated = broker.drainMicrosecondsEstimated
        (personsPerSecond, callsPerSecond) = (fleet.personsPerSecond, fleet.callsPerSecond)
        (failedPerSecond, cpuCores) = (fleet.failedPerSecond, fleet.brokerCores)
        workers = fleet.workers.map { worker in
            Worker(
                name: worker.name, state: worker.state, host: worker.host, version: worker.version, isa: worker.isa,
                processId: worker.processID, credits: worker.credits, inFlightItems: worker.inFlight,
                queuedItems: worker.queued, runningItems: worker.running, itemsDone: worker.itemsDone,
                residentBytes: worker.residentBytes, personsPerSecond: worker.personsPerSecond,
                batchFill: worker.batchFill, meanBatch: worker.meanBatch, latencyP50Us: worker.latencyP50,
                latencyP99Us: worker.latencyP99, cpuCores: worker.cores, gflopPerSecond: worker.gflopPerSecond)
        }
        jobs = fleet.jobs.map { jobs in
            jobs.map { job in
                Job(
                    id: job.id, state: job.state, model: job.model, label: job.label, tasks: job.tasks, done: job.done,
                    failed: job.failed, dead: job.dead, cancelled: job.cancelled, items: job.items,
                    itemsDone: job.itemsDone, createdUnixUs: job.createdUnixMicroseconds,
                    personsPerSecond: job.personsPerSecond, etaSeconds: job.remainingSeconds)
            }
        }
    }
}
