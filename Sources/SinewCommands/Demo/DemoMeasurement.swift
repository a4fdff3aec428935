internal import SinewClient
internal import SinewModels

/// Errors over one group of rows.
struct DemoErrors: Encodable, Equatable {
    let mpjpeMm: Double
    let paMpjpeMm: Double
    /// Not there for joints without rotations.
    let geRad: Double?

    init(_ metrics: PoseMetrics) {
        mpjpeMm = metrics.mpjpe
        paMpjpeMm = metrics.paMPJPE
        geRad = metrics.geodesic
    }
}

/// How accurate a model, or the input itself, was.
struct DemoAccuracy: Encodable {
    let name: String
    let standard: DemoErrors
    let armLost: DemoErrors

    /// The observed joints against the true ones.
    init(input observations: DemoObservations, scene: DemoScene) {
        name = "input"
        func errors(_ rows: [Int]) -> DemoErrors {
            DemoErrors(
                .compare(
                    joints: pick(rows, 87, observations.request.joints), truth: pick(rows, 87, scene.joints)))
        }
        standard = errors(observations.standardRows)
        armLost = errors(observations.lostRows)
    }

    /// Solved poses against the true ones, both through forward kinematics with the true shape.
    init(model: String, theta: [Float], observations: DemoObservations, scene: DemoScene) {
        name = model
        func errors(_ rows: [Int]) -> DemoErrors {
            DemoErrors(
                .compare(
                    theta: pick(rows, 72, theta), truth: pick(rows, 72, scene.theta),
                    restJoints: pick(rows, 87, scene.restJoints)))
        }
        standard = errors(observations.standardRows)
        armLost = errors(observations.lostRows)
    }
}

/// Rows of a row-major array.
private func pick(_ rows: [Int], _ columns: Int, _ values: [Float]) -> [Float] {
    rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
}

/// How fast a model was through the service.
struct DemoSpeed: Encodable {
    struct Worker: Encodable {
        let name: String
        let items: UInt64
        let itemsPerSecond: Double
        let batches: UInt64
        let meanBatch: Double
        /// Batches by the upper bound of their size class, largest class last.
        let batchSizes: [BatchSize]
    }
    struct BatchSize: Encodable, Equatable {
        let size: UInt32
        let count: UInt64
    }
    let name: String
    let seconds: Double
    let itemsPerSecond: Double
    let workers: [Worker]

    /// What the workers did between two reports.
    init(model: String, duration: Duration, before: FleetStatusReply, after: FleetStatusReply) {
        name = model
        let elapsed = SinewCommands.seconds(duration)
        seconds = elapsed
        workers = after.workers.map { worker in
            let earlier = before.workers.first { $0.processID == worker.processID }?.beat
            let items = worker.beat.itemsDone - (earlier?.itemsDone ?? 0)
            let batches = worker.beat.batchesDone - (earlier?.batchesDone ?? 0)
            let sizes = worker.beat.batchSizes.map { size in
                let old = earlier?.batchSizes.first { $0.size == size.size }?.count ?? 0
                return BatchSize(size: size.size, count: size.count - old)
            }
            return Worker(
                name: worker.name, items: items, itemsPerSecond: Double(items) / elapsed, batches: batches,
                meanBatch: batches > 0 ? Double(items) / Double(batches) : 0,
                batchSizes: sizes.filter { $0.count > 0 }.sorted { $0.size < $1.size })
        }
        itemsPerSecond = workers.reduce(0) { $0 + $1.itemsPerSecond }
    }
}
