internal import SinewCore
internal import SinewWire

/// What the broker answers itself: the state of the fleet, the models, its health.
extension BrokerLoop {
    /// The models of all ready workers, by name, then version.
    var availableModels: [ModelAvailability] {
        var available: [ModelAvailability] = []
        for status in machine.calls.workerStatuses where !status.isLeaving {
            for model in descriptions[status.id]?.hello.models ?? [] {
                let known = available.firstIndex { $0.model.name == model.name && $0.model.version == model.version }
                if let known {
                    available[known].workers += 1
                } else {
                    available.append(ModelAvailability(model: model, workers: 1))
                }
            }
        }
        return available.sorted { ($0.model.name, $0.model.version) < ($1.model.name, $1.model.version) }
    }

    /// Connected workers of a name, in the order in which they joined; nothing keeps two from having the same.
    func workers(named name: String) -> [WorkerID] {
        machine.calls.workerStatuses.map(\.id).filter { descriptions[$0]?.hello.name == name }.sorted()
    }

    var readyModels: [ModelReady] { availableModels.map(\.model) }

    func health(of service: String) -> ServingStatus {
        switch service {
        case "", Fleet.serviceName, Health.serviceName:
            machine.calls.isDraining ? .notServing : .serving
        case PoseSolver.serviceName:
            machine.calls.isDraining || availableModels.isEmpty ? .notServing : .serving
        case Jobs.serviceName:
            jobService != nil && machine.jobs.isServing && !machine.calls.isDraining ? .serving : .notServing
        default:
            .serviceUnknown
        }
    }

    func fleetStatus() -> FleetStatusReply {
        let statuses = machine.calls.workerStatuses
        var runningItems = 0
        for status in statuses { runningItems += status.inFlightItems }
        let counts = machine.calls.counts
        let broker = BrokerStatus(
            version: configuration.version, uptimeMicroseconds: (now - started).remainingMicroseconds,
            queuedCalls: UInt64(counts.queuedCalls), queuedItems: UInt64(counts.queuedItems),
            runningCalls: UInt64(machine.calls.callsHeld - counts.queuedCalls), runningItems: UInt64(runningItems),
            callsDone: counters.resultsDelivered, itemsDone: counters.itemsDelivered,
            callsFailed: counters.failuresAnswered, callsCancelled: UInt64(counts.callsCancelled),
            callsRedispatched: UInt64(counts.tasksRequeued), malformedMessages: counters.malformedMessages,
            clients: UInt64(machine.calls.clientCount), draining: machine.calls.isDraining,
            handshakesRefused: counters.handshakesWithoutKey + (authenticator?.refusedHandshakes ?? 0),
            messagesRefused: counters.messagesRefused, messagesTooFast: counters.messagesTooFast,
            repliesDropped: counters.repliesDropped)
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
                    processID: hello.processID, version: hello.version))
        }
        return FleetStatusReply(broker: broker, workers: workers.sorted { $0.name < $1.name })
    }
}
