internal import SinewCore
internal import SinewMetrics
package import SinewWire

/// What `sinew top` shows of a fleet at one instant: a snapshot, what changed since an earlier one, and the jobs.
package struct TopFleet: Sendable, Equatable {
    package struct Worker: Sendable, Equatable {
        /// Names of strangers are made harmless here, once; ``name`` alone is what the broker knows it by.
        package let name: String
        package let shownName, state, host, version, isa: String
        package let processID: UInt32
        package let credits, inFlight, queued, running: UInt32
        package let itemsDone, residentBytes: UInt64
        package let personsPerSecond, batchFill, meanBatch, latencyP50, latencyP99, cores, gflopPerSecond: Double?
        /// Tells namesakes apart.
        package var key: String { "\(shownName) \(host) \(processID)" }
    }

    package struct Job: Sendable, Equatable {
        package let id, state, model, label: String
        package let tasks, done, failed, dead, cancelled, items, itemsDone: UInt64
        package let personsPerSecond: Double?
        /// Until its end at the present rate, seconds.
        package let remainingSeconds: Double?
        package let createdUnixMicroseconds: UInt64
    }

    package let broker: BrokerStatus
    package let timeUnixMicroseconds: UInt64
    package let personsPerSecond, callsPerSecond, failedPerSecond, brokerCores: Double?
    package let workers: [Worker]
    /// Nil when the broker keeps none, or has not answered yet.
    package let jobs: [Job]?

    /// - Parameters:
    ///   - earlier: a snapshot before this one, for what happened per second; nil leaves the rates out.
    ///   - beatsSince: an older one for what only the workers know; nil: `earlier`.
    ///   - jobs: newest first; nil: not known.
    ///   - earlierJobs: the jobs at another time, and how many seconds before.
    package init(
        _ later: FleetStatusReply, since earlier: FleetStatusReply?, beatsSince: FleetStatusReply? = nil,
        jobs: [JobStatus]? = nil, earlierJobs: (jobs: [JobStatus], seconds: Double)? = nil
    ) {
        let rates = earlier.flatMap { FleetRates(from: $0, beatsFrom: beatsSince, to: later) }
        broker = later.broker
        timeUnixMicroseconds = later.timeUnixMicroseconds
        personsPerSecond = rates?.personsPerSecond
        callsPerSecond = rates?.callsPerSecond
        failedPerSecond = rates?.failedPerSecond
        brokerCores = rates?.processorCores
        workers = later.workers.enumerated().map { index, worker in Worker(worker, rates?.workers[index]) }
        self.jobs = jobs.map { jobs in
            jobs.map { job in
                Job(
                    job,
                    since: earlierJobs.flatMap { earlier in
                        earlier.jobs.first { $0.id == job.id }.map { ($0, earlier.seconds) }
                    })
            }
        }
    }
}

extension TopFleet.Worker {
    init(_ worker: WorkerStatus, _ rates: FleetRates.Worker?) {
        name = worker.name
        shownName = TerminalText.harmless(worker.name)
        let silence = Duration.microseconds(Int64(clamping: worker.heardMicrosecondsAgo))
        state = silence > Limits().beatInterval * 2 ? "silent" : worker.state.word
        host = TerminalText.harmless(worker.host)
        version = TerminalText.harmless(worker.version)
        isa = TerminalText.harmless(worker.isa)
        processID = worker.processID
        (credits, inFlight) = (worker.credits, worker.inFlightItems)
        (queued, running) = (worker.beat.queuedItems, worker.beat.runningItems)
        (itemsDone, residentBytes) = (worker.beat.itemsDone, worker.beat.residentBytes)
        personsPerSecond = rates?.personsPerSecond
        batchFill = rates?.batchFill
        meanBatch = rates?.meanBatch
        latencyP50 = rates?.latencyP50Microseconds
        latencyP99 = rates?.latencyP99Microseconds
        cores = rates?.processorCores
        gflopPerSecond = rates?.gflopPerSecond
    }
}

extension TopFleet.Job {
    init(_ job: JobStatus, since earlier: (job: JobStatus, seconds: Double)?) {
        id = JobReport(job).job
        state = job.state.word
        model = TerminalText.harmless(job.model)
        label = TerminalText.harmless(job.label)
        (tasks, done, failed, dead, cancelled) = (job.tasks, job.done, job.failed, job.dead, job.cancelled)
        (items, itemsDone) = (job.items, job.itemsDone)
        createdUnixMicroseconds = job.createdUnixMicroseconds
        let rate = earlier.flatMap { earlier -> Double? in
            guard earlier.seconds > 0, job.itemsDone >= earlier.job.itemsDone else { return nil }
            return Double(job.itemsDone - earlier.job.itemsDone) / earlier.seconds
        }
        personsPerSecond = rate
        // An open job may get more tasks; nobody knows how long it takes.
        let isSealed = job.state == .sealed
        remainingSeconds = rate.flatMap { rate in
            isSealed && rate > 0 && job.items >= job.itemsDone ? Double(job.items - job.itemsDone) / rate : nil
        }
    }

    /// Tasks without a result.
    package var lost: UInt64 { failed + dead + cancelled }
    var isRunning: Bool { state == JobState.open.word || state == JobState.sealed.word }
}
