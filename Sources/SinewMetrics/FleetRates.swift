package import SinewWire

/// What happened between two snapshots of a fleet, per second: the one place where rates are made of counters.
///
/// What the broker counts, the people that each worker solved among it, is taken over the time between the snapshots, what only the
/// worker knows over the time between the beats in them, by the clock of whoever counted; so neither a late beat nor a wall clock that
/// was set changes a rate. Workers beat once a second: what the broker counts may be compared over less than that, beats may not.
package struct FleetRates: Sendable, Equatable {
    /// What a worker did.
    package struct Worker: Sendable, Equatable {
        /// Between its beats.
        package let seconds: Double
        /// People in its results, as the broker counts them.
        package let personsPerSecond: Double
        /// People in failed requests and people that could not be solved.
        package let failedPerSecond: Double
        /// People in a batch; nil when there was no batch.
        package let meanBatch: Double?
        /// People in a batch over the best size of its model, 0…1; nil when there was no batch.
        package let batchFill: Double?
        /// From a request's arrival in the worker to its answer, microseconds; nil when none was answered.
        package let latencyP50Microseconds: Double?
        package let latencyP99Microseconds: Double?
        /// Processor seconds per second, of the process.
        package let processorCores: Double
        /// Compute threads at work, on average.
        package let busyThreads: Double
        /// Of the networks, in 10⁹ operations.
        package let gflopPerSecond: Double
        /// The time that the measured tables promise over the time the batches took; nil when no table or no batch.
        package let batchEfficiency: Double?
        /// By model, in the order of the beat.
        package let models: [Model]
    }

    /// What a worker did with one model.
    package struct Model: Sendable, Equatable {
        package let name: String
        package let version: String
        package let personsPerSecond: Double
        package let failedPerSecond: Double
        package let gflopPerSecond: Double
    }

    /// Between the snapshots, by the broker's clock.
    package let seconds: Double
    /// People in answered calls and tasks.
    package let personsPerSecond: Double
    /// Calls and tasks answered with a result.
    package let callsPerSecond: Double
    /// Calls and tasks answered with a status other than OK.
    package let failedPerSecond: Double
    /// Processor seconds per second, of the broker's process.
    package let processorCores: Double
    /// The later snapshot's workers, in its order; nil for one that has not sent two beats.
    package let workers: [Worker?]

    /// Compares two snapshots of one broker.
    ///
    /// - Parameter beatsFrom: an older snapshot for what is compared beat by beat; nil: `earlier`.
    /// - Returns: nil when `later` is not later, or is of a broker that was started anew.
    package init?(
        from earlier: FleetStatusReply, beatsFrom: FleetStatusReply? = nil, to later: FleetStatusReply
    ) {
        guard later.broker.uptimeMicroseconds > earlier.broker.uptimeMicroseconds else { return nil }
        let (old, new) = (earlier.broker, later.broker)
        let seconds = Double(new.uptimeMicroseconds - old.uptimeMicroseconds) / 1e6
        self.seconds = seconds
        personsPerSecond = Double(new.itemsDone.growth(since: old.itemsDone)) / seconds
        callsPerSecond = Double(new.callsDone.growth(since: old.callsDone)) / seconds
        failedPerSecond = Double(new.callsFailed.growth(since: old.callsFailed)) / seconds
        processorCores = Double(new.cpuMicroseconds.growth(since: old.cpuMicroseconds)) / 1e6 / seconds
        var beats: [WorkerKey: WorkerBeat] = [:]
        var items: [WorkerKey: UInt64] = [:]
        for worker in (beatsFrom ?? earlier).workers { beats[WorkerKey(worker)] = worker.beat }
        for worker in earlier.workers { items[WorkerKey(worker)] = worker.itemsAnswered }
        workers = later.workers.map { worker in
            let key = WorkerKey(worker)
            guard let beat = beats[key], let before = items[key] else { return nil }
            let people = Double(worker.itemsAnswered.growth(since: before))
            return Worker(from: beat, to: worker.beat, personsPerSecond: people / seconds)
        }
    }

    /// Names are for people, and two workers may have the same one.
    private struct WorkerKey: Hashable {
        let name: String
        let host: String
        let processID: UInt32

        init(_ worker: WorkerStatus) {
            name = worker.name
            host = worker.host
            processID = worker.processID
        }
    }
}

extension FleetRates.Worker {
    /// Compares two beats of one worker.
    ///
    /// - Parameter personsPerSecond: what the broker counted.
    /// - Returns: nil when the second is the first, or of a process that was started anew.
    package init?(from earlier: WorkerBeat, to later: WorkerBeat, personsPerSecond: Double) {
        guard later.uptimeMicroseconds > earlier.uptimeMicroseconds else { return nil }
        let seconds = Double(later.uptimeMicroseconds - earlier.uptimeMicroseconds) / 1e6
        let models = later.models.map { model in
            model.since(earlier.models.first { $0.isSameModel(as: model) } ?? ModelActivity())
        }
        var sum = ModelActivity()
        var (room, inTables) = (0.0, 0.0)
        for model in models {
            sum.add(model)
            room += Double(model.batches) * Double(Swift.max(model.bestBatch, 1))
            if model.expectedMicroseconds > 0 { inTables += Double(model.busyMicroseconds) }
        }
        let batches = later.batchesDone.growth(since: earlier.batchesDone)
        let items = Double(later.itemsDone.growth(since: earlier.itemsDone))
        self.seconds = seconds
        self.personsPerSecond = personsPerSecond
        failedPerSecond = Double(sum.itemsFailed) / seconds
        meanBatch = batches > 0 ? items / Double(batches) : nil
        batchFill = room > 0 ? Swift.min(items / room, 1) : nil
        latencyP50Microseconds = sum.totalTime.quantile(0.5)
        latencyP99Microseconds = sum.totalTime.quantile(0.99)
        processorCores = Double(later.cpuMicroseconds.growth(since: earlier.cpuMicroseconds)) / 1e6 / seconds
        busyThreads = Double(later.busyMicroseconds.growth(since: earlier.busyMicroseconds)) / 1e6 / seconds
        gflopPerSecond = Double(sum.flop) / 1e9 / seconds
        batchEfficiency = inTables > 0 ? Double(sum.expectedMicroseconds) / inTables : nil
        self.models = models.map { model in
            FleetRates.Model(
                name: model.name, version: model.version, personsPerSecond: Double(model.itemsOk) / seconds,
                failedPerSecond: Double(model.itemsFailed) / seconds,
                gflopPerSecond: Double(model.flop) / 1e9 / seconds)
        }
    }
}
