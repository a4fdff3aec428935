internal import SinewClient
internal import SinewModels

/// Solves the scene with each model through the service, and measures accuracy and speed then and there.
struct DemoRun {
    /// Each model is kept busy at least this long for its speed; its accuracy comes from the first round.
    static let measuringDuration = Duration.seconds(2)
    /// Beats carry the workers' counters and come every second.
    static let reportLimit = Duration.seconds(10)

    let scene: DemoScene
    let observations: DemoObservations
    let client: Client
    let workers: Int

    /// The poses of one model with its figures.
    struct Outcome {
        let reply: PoseReply
        /// For each row of the scene, the row of the reply that holds it.
        let places: [Int]
        let accuracy: DemoAccuracy
        let speed: DemoSpeed
    }

    /// Waits until every worker has joined the broker.
    func waitForWorkers() async throws {
        _ = try await report(until: { $0.workers.count >= workers }, waitingFor: "\(workers) workers to join")
    }

    /// Solves with one model.
    func solve(with model: String) async throws -> Outcome {
        let order = try await order(for: model)
        var request = observations.request(inOrder: order.rows, isTracked: order.isTracked, people: scene.people)
        request.keepsTracksWhole = order.seesWholeTracks
        let reply = try await client.solve(request, model: model)
        if let error = reply.itemErrors.first {
            throw CommandFailure(
                .software,
                "\(model) could not solve row \(error.item) of the demo: \(error.message); "
                    + "\(reply.itemErrors.count) rows failed in all")
        }
        let before = try await settledReport()
        var items = 0
        let clock = ContinuousClock()
        let start = clock.now
        while clock.now - start < Self.measuringDuration {
            items += try await client.solve(request, model: model).count
        }
        let duration = clock.now - start
        let done = before.workers.reduce(0) { $0 + $1.beat.itemsDone } + UInt64(items)
        let after = try await report(
            until: { $0.workers.reduce(0) { $0 + $1.beat.itemsDone } >= done }, waitingFor: "the workers' counters")
        var places = [Int](repeating: 0, count: scene.rows)
        for (place, row) in order.rows.enumerated() { places[row] = place }
        let theta = places.flatMap { reply.theta[($0 * 72)..<($0 * 72 + 72)] }
        return Outcome(
            reply: reply, places: places,
            accuracy: DemoAccuracy(model: model, theta: theta, observations: observations, scene: scene),
            speed: DemoSpeed(model: model, duration: duration, before: before, after: after))
    }

    /// The rows as the model wants them: person by person where frames depend on each other, else as they are.
    private func order(for model: String) async throws -> (rows: [Int], isTracked: Bool, seesWholeTracks: Bool) {
        let ready = try await client.listModels().first { $0.model.name == model }
        guard let ready, ModelDescription.Architecture.isSequential(named: ready.model.architecture) else {
            return (Array(0..<scene.rows), false, false)
        }
        let people = (0..<scene.people).flatMap { stride(from: $0, to: scene.rows, by: scene.people) }
        let architecture = ready.model.architecture
        return (people, true, ModelDescription.Architecture.seesWholeTracks(named: architecture))
    }

    /// The fleet's state once the workers' counters include all that the broker has seen done.
    private func settledReport() async throws -> FleetStatusReply {
        try await report(
            until: { status in
                status.broker.runningItems == 0
                    && status.workers.reduce(0) { $0 + $1.beat.itemsDone } >= status.broker.itemsDone
            }, waitingFor: "the workers' counters")
    }

    private func report(
        until isGood: (FleetStatusReply) -> Bool, waitingFor what: String
    ) async throws -> FleetStatusReply {
        let clock = ContinuousClock()
        let end = clock.now + Self.reportLimit
        while true {
            let status = try await client.fleetStatus()
            if isGood(status) { return status }
            guard clock.now < end else {
                throw CommandFailure(
                    .unavailable, "waited \(Self.reportLimit) for \(what) in vain; see the messages above")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
