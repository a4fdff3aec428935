internal import SinewCore
internal import SinewMetrics
internal import SinewWire

/// The snapshot of the fleet: what `Fleet/Status` answers, and what everything that shows the fleet is made of.
extension BrokerLoop {
    /// Cost: O(workers × models + tasks + jobs).
    func fleetStatus() -> FleetStatusReply {
        let statuses = machine.calls.workerStatuses
        var workers: [WorkerStatus] = []
        for status in statuses {
            guard let description = descriptions[status.id] else { continue }
            let hello = description.hello
            workers.append(
                WorkerStatus(
                    name: hello.name, state: status.isLeaving ? .draining : .serving, models: hello.models,
                    credits: UInt32(clamping: status.creditItems),
                    inFlightItems: UInt32(clamping: status.inFlightItems), beat: description.beat,
                    heardMicrosecondsAgo: (now - status.heard).remainingMicroseconds,
                    computeThreads: hello.computeThreads, isa: hello.isa, host: hello.host,
                    processID: hello.processID, version: hello.version,
                    itemsAnswered: itemsAnswered[status.id] ?? 0))
        }
        workers.sort { ($0.name, $0.host, $0.processID) < ($1.name, $1.host, $1.processID) }
        return FleetStatusReply(
            broker: brokerStatus(statuses), workers: workers, timeUnixMicroseconds: UInt64(clamping: wall.microseconds),
            models: fleetActivity.told(workers))
    }

    private func brokerStatus(_ workers: [BrokerStateMachine.WorkerStatus]) -> BrokerStatus {
        let counts = machine.calls.counts
        var status = BrokerStatus(
            version: configuration.version, uptimeMicroseconds: (now - started).remainingMicroseconds,
            queuedCalls: UInt64(counts.queuedCalls), queuedItems: UInt64(counts.queuedItems),
            runningCalls: UInt64(machine.calls.callsHeld - counts.queuedCalls),
            callsDone: counters.resultsDelivered, itemsDone: counters.itemsDelivered,
            callsFailed: counters.failuresAnswered, callsCancelled: UInt64(counts.callsCancelled),
            callsRedispatched: UInt64(counts.tasksRequeued), malformedMessages: counters.malformedMessages,
            clients: UInt64(machine.calls.clientCount), draining: machine.calls.isDraining,
            handshakesRefused: counters.handshakesWithoutKey + (authenticator?.refusedHandshakes ?? 0),
            messagesRefused: counters.messagesRefused, messagesTooFast: counters.messagesTooFast,
            repliesDropped: counters.repliesDropped)
        for worker in workers {
            status.runningItems += UInt64(worker.inFlightItems)
            guard !worker.isLeaving else { continue }
            status.creditsTotal += UInt64(worker.creditItems)
            status.creditsInUse += UInt64(worker.inFlightItems)
        }
        tellLeases(counts, in: &status)
        tellJobs(in: &status)
        status.models = activity.told(machine.calls.modelStatuses)
        let usage = ProcessUsage.now
        status.cpuMicroseconds = usage.processorMicroseconds
        status.residentBytes = usage.residentBytes
        return status
    }

    private func tellLeases(_ counts: BrokerStateMachine.Counts, in status: inout BrokerStatus) {
        status.leasesGiven = UInt64(counts.leasesGiven)
        status.leaseExpiries = UInt64(counts.leasesExpired)
        status.redeliveries = UInt64(counts.leasesRepeated)
        status.duplicatesDropped = UInt64(counts.staleLeases)
        status.workersLost = UInt64(counts.workersLost)
        status.drainMicrosecondsEstimated = machine.calls.drainTime?.remainingMicroseconds
        let waiting = [machine.calls.oldestWaiting, machine.jobs.oldestUnserved].compactMap { $0 }.min()
        status.oldestWaitingMicroseconds = waiting.map { (now - $0).remainingMicroseconds } ?? 0
    }

    private func tellJobs(in status: inout BrokerStatus) {
        let (totals, counts) = (machine.jobs.totals, machine.jobs.counts)
        status.jobsOpen = UInt64(totals.jobsOfState.open)
        status.jobsSealed = UInt64(totals.jobsOfState.sealed)
        status.jobsFinished = UInt64(totals.jobsOfState.finished)
        status.jobsCancelled = UInt64(totals.jobsOfState.cancelled)
        status.jobsExpired = UInt64(totals.jobsOfState.expired)
        status.tasksQueued = UInt64(totals.tasksQueued)
        status.tasksLeased = UInt64(totals.tasksLeased)
        status.tasksDone = UInt64(totals.tasksDone)
        status.tasksFailed = UInt64(totals.tasksFailed)
        status.tasksDead = UInt64(totals.tasksDead)
        status.jobItems = UInt64(totals.items)
        status.jobItemsDone = UInt64(totals.itemsDone)
        status.taskEndsDone = UInt64(counts.tasksDone)
        status.taskEndsFailed = UInt64(counts.tasksFailed)
        status.taskEndsDead = UInt64(counts.tasksDead)
        status.taskRetries = UInt64(counts.tasksRetried)
        status.oldestJobMicroseconds =
            totals.oldestWaiting.map { UInt64(clamping: wall.microseconds - $0.microseconds) } ?? 0
        status.storeBytes = UInt64(clamping: totals.bytesStored)
        status.storeBreakdowns = UInt64(counts.storeBreakdowns)
    }
}
