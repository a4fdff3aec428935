internal import SinewCore
package import SinewModels
internal import SinewWire

/// The models of a worker and the names they answer to.
package struct LoadedModels: Sendable {
    /// In the order given.
    let all: [any PoseModel]
    private let indexOfName: [String: Int]

    /// - Throws: ``WorkerError`` when there is none, or two are the same version of the same model.
    package init(_ models: [any PoseModel]) throws(WorkerError) {
        guard !models.isEmpty else {
            throw WorkerError(.models, "a worker needs at least one model; `sinew model list` shows those installed")
        }
        var indexOfName: [String: Int] = [:]
        for (index, model) in models.enumerated() {
            let identity = model.identity
            guard indexOfName.updateValue(index, forKey: identity.description) == nil else {
                throw WorkerError(.models, "model \(identity) was given twice; name it once")
            }
            // The bare name means the newest version.
            if let known = indexOfName[identity.name],
                !LoadedModels.isNewer(identity.version, than: models[known].identity.version)
            {
                continue
            }
            indexOfName[identity.name] = index
        }
        all = models
        self.indexOfName = indexOfName
    }

    /// Versions are numbers; one that is not is older than any number.
    private static func isNewer(_ version: String, than other: String) -> Bool {
        switch (Int(version), Int(other)) {
        case (let version?, let other?): version > other
        case (_?, nil): true
        case (nil, _?): false
        case (nil, nil): version > other
        }
    }

    /// The model of a name such as `niki` or `niki/1`, or nil.
    package func index(named name: String) -> Int? { indexOfName[name] }

    /// The key under which the batching machine knows a model.
    func key(of index: Int) -> ModelKey { ModelKey(all[index].identity.description) }

    /// The counters of a model that has done nothing yet.
    func activity(of index: Int, _ configuration: WorkerConfiguration, bestBatch: Int) -> ModelActivity {
        let identity = all[index].identity
        return ModelActivity(
            name: identity.name, version: identity.version,
            loadMicroseconds: configuration.loadTimes[identity.description]?.remainingMicroseconds ?? 0,
            bestBatch: UInt32(clamping: bestBatch))
    }

    /// What the broker is told.
    var ready: [ModelReady] {
        all.map { model in
            ModelReady(
                name: model.identity.name, version: model.identity.version, architecture: model.identity.architecture,
                weightsSHA256: model.identity.weightsSHA256)
        }
    }
}
