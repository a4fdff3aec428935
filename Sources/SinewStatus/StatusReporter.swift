internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import SinewArrayFiles
internal import SinewCore
internal import SinewMetrics
internal import SinewWire

/// Looks at the fleet once a second, remembers it, and tells everybody who reads the events.
struct StatusReporter: Service {
    let fleet: FleetWatch
    let jobs: JobWatch
    let history: HistoryStore
    let hub: EventHub
    let store: StatusStore?
    let limits: Limits
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await report() }
    }

    private func report() async {
        let clock = ContinuousClock()
        var due = clock.now
        var turn = 0
        var isHistoryWritten = true
        while !Task.isCancelled {
            await look(turn, &isHistoryWritten)
            turn += 1
            // A turn that comes late is left out, not made up for.
            due = Swift.max(due + .seconds(1), clock.now)
            // A sleep that is cancelled ends the loop.
            try? await clock.sleep(until: due)
        }
    }

    private func look(_ turn: Int, _ isHistoryWritten: inout Bool) async {
        // A broker that has stopped tells nothing; this process ends with it.
        if turn % 2 == 0, let (shown, all) = try? await jobs.look() {
            await fleet.note(jobs: all)
            await fleet.note(room: store?.room)
            hub.publish("jobs", JobWatch.View.json(shown).encoded())
        }
        if let view = try? await fleet.look() {
            hub.publish("fleet", view.json(limits).encoded())
            await remember(view, &isHistoryWritten)
        }
        if turn % 15 == 14 { hub.publishComment() }
    }

    /// Says once that it does not work, and once that it does again.
    private func remember(_ view: FleetView, _ isWritten: inout Bool) async {
        do {
            try await history.record(view.historySample(at: time(nil)))
            if !isWritten { logger.info("the history is written again") }
            isWritten = true
        } catch {
            if isWritten { logger.warning("the history cannot be written", metadata: ["reason": "\(error)"]) }
            isWritten = false
        }
    }
}

extension FleetView {
    /// What is remembered of this second.
    fileprivate func historySample(at time: Int) -> HistoryStore.Sample {
        var workerRates: [String: Double] = [:]
        for (worker, rate) in zip(snapshot.workers, rates?.workers ?? []) {
            // Two of the same name are one curve.
            if let rate { workerRates[worker.name, default: 0] += rate.personsPerSecond }
        }
        return HistoryStore.Sample(
            time: time, personsPerSecond: rates?.personsPerSecond, failedPerSecond: rates?.failedPerSecond,
            queuedItems: Double(snapshot.broker.queuedItems), runningItems: Double(snapshot.broker.runningItems),
            workers: Double(snapshot.workers.count), workerRates: workerRates)
    }
}
