internal import UnixSignals

/// What a broker and a worker have in common for the command line.
protocol StoppableService: Sendable {
    func run() async
    func beginDrain(within limit: Duration)
    func stop()
}

/// How long running work may take after the first signal.
let drainLimit = Duration.seconds(10)

/// The signals that stop a service. They are trapped before it says that it is ready: whoever reads that may send one at once.
func stoppingSignals() async -> UnixSignalsSequence { await UnixSignalsSequence(trapping: .sigint, .sigterm) }

/// Runs a service until a signal (or the parent's end) stops it: the first drains, the second stops at once.
func runService(
    _ service: some StoppableService, until signals: UnixSignalsSequence, stopsWithParent: Bool
) async {
    if stopsWithParent {
        // Nobody is left to take results from us, so there is nothing to drain for.
        Lifeline.whenParentEnds { service.stop() }
    }
    await withTaskGroup(of: Void.self) { group in
        group.addTask { await service.run() }
        group.addTask {
            var isDraining = false
            for await _ in signals {
                if isDraining { return service.stop() }
                isDraining = true
                service.beginDrain(within: drainLimit)
            }
        }
        await group.next()
        group.cancelAll()
    }
}
