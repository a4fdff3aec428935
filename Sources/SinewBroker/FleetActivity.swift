internal import SinewCore
internal import SinewMetrics
internal import SinewWire

/// What all workers have done with each model since the broker started; workers that left stay counted.
///
/// Workers count since they started, and may have worked for an earlier broker, so what is added is the growth from beat to beat,
/// beginning with the counters in the hello.
struct FleetActivity {
    private var models: [ModelActivity] = []

    /// Adds what a worker did between two of its beats.
    mutating func add(from earlier: WorkerBeat, to later: WorkerBeat) {
        for model in later.models {
            let known = earlier.models.first { $0.isSameModel(as: model) } ?? ModelActivity()
            var place = models.firstIndex { $0.isSameModel(as: model) } ?? models.count
            if place == models.count {
                place = models.count
                models.append(ModelActivity(name: model.name, version: model.version))
            }
            models[place].add(model.since(known))
        }
    }

    /// By name and version, with what the workers of now have waiting and loaded.
    func told(_ workers: [WorkerStatus]) -> [ModelActivity] {
        var told = models
        for worker in workers {
            for model in worker.beat.models {
                guard let place = told.firstIndex(where: { $0.isSameModel(as: model) }) else { continue }
                told[place].queuedItems &+= model.queuedItems
                told[place].loadMicroseconds = Swift.max(told[place].loadMicroseconds, model.loadMicroseconds)
                told[place].bestBatch = Swift.max(told[place].bestBatch, model.bestBatch)
            }
        }
        return told.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }
}

extension WorkerBeat {
    /// The beat without what does not belong in it: models that were not announced, or twice, and histograms with other classes.
    /// A worker may be of another release, or lie.
    func cleaned(for models: [ModelReady]) -> WorkerBeat {
        var beat = self
        beat.batchSizes = batchSizes.cleaned
        beat.models = []
        for ready in models {
            let announced = ModelActivity(name: ready.name, version: ready.version)
            guard !beat.models.contains(where: { $0.isSameModel(as: announced) }) else { continue }
            var model = self.models.first { $0.isSameModel(as: announced) } ?? announced
            model.queueTime.clean()
            model.computeTime.clean()
            model.totalTime.clean()
            model.batchSizes = model.batchSizes.cleaned
            beat.models.append(model)
        }
        return beat
    }
}

extension TimeCounts {
    fileprivate mutating func clean() {
        if counts.count != Self.classCount { self = TimeCounts() }
    }
}

extension [BatchSizeCount] {
    /// Ascending powers of two.
    fileprivate var cleaned: [BatchSizeCount] {
        var cleaned: [BatchSizeCount] = []
        for sizeClass in prefix(UInt32.bitWidth + 1) { cleaned.note(size: sizeClass.size, count: sizeClass.count) }
        return cleaned
    }
}
