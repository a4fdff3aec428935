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
}
