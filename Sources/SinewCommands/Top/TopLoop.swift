internal import Glibc
internal import SinewClient
internal import Synchronization
internal import UnixSignals

/// `sinew top` in a terminal: news, keys and signals come in, ``TopModel`` decides, the screen is drawn.
struct TopLoop {
    private enum Event: Sendable {
        case fleet(TopFleet)
        case failed(any Error)
        case keys([TopModel.Key])
        case resized, continued, stopped
        case said(String)
    }

    let client: Client
    let interval: Duration

    /// Runs until a key or a signal ends it; the terminal is then as it was.
    ///
    /// - Throws: what the first question threw; ``CommandFailure`` when the terminal refuses.
    func run() async throws {
        // The first answer before anything is drawn: without a broker there is a message, not a screen.
        var watch = TopWatch(client)
        let first = try await watch.next()
        let (events, feed) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(256))
        let isOver = Flag()
        defer {
            isOver.raise()
            feed.finish()
        }
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup, .sigwinch, .sigcont)
        var terminal = RawTerminal()
        try terminal.enter()
        defer { terminal.leave() }
        startThread(named: "keys") { Self.readKeys(into: feed, until: isOver) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { [watch] in await ask(watch, feed) }
            group.addTask {
                for await signal in signals {
                    feed.yield(signal == .sigwinch ? .resized : signal == .sigcont ? .continued : .stopped)
                }
            }
            var model = TopModel()
            model.take(first)
            draw(model)
            for await event in events {
                switch event {
                case .fleet(let fleet): model.take(fleet)
                case .failed(let error): model.fail("\(error)")
                case .said(let text): model.say(text)
                case .resized: break
                case .continued:
                    // Whoever stopped us may have changed the terminal.
                    terminal.leave()
                    try terminal.enter()
                case .stopped: return
                case .keys(let keys):
                    for key in keys {
                        switch model.handle(key) {
                        case .none: break
                        case .quit: return
                        case .suspend: try suspend(&terminal)
                        case .drain(let name): group.addTask { await drain(name, feed) }
                        }
                    }
                }
                draw(model)
            }
        }
    }

    private func draw(_ model: TopModel) {
        let size = RawTerminal.size
        RawTerminal.draw(TopScreen(width: size.width, height: size.height, style: .data).lines(model))
    }

    /// Stops like any program at Ctrl-Z, with the whole job that the shell knows, and goes on where it was.
    private func suspend(_ terminal: inout RawTerminal) throws {
        terminal.leave()
        _ = kill(0, SIGTSTP)
        try terminal.enter()
    }

    private func ask(_ watch: TopWatch, _ feed: AsyncStream<Event>.Continuation) async {
        var watch = watch
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
                feed.yield(.fleet(try await watch.next()))
            } catch is CancellationError {
                return
            } catch {
                feed.yield(.failed(error))
            }
        }
    }

    private func drain(_ name: String, _ feed: AsyncStream<Event>.Continuation) async {
        do {
            let told = try await client.drainWorker(named: name, deadline: .seconds(5))
            feed.yield(.said("\(name): \(told == 1 ? "the worker was" : "\(told) workers were") told to leave"))
        } catch {
            feed.yield(.said("\(name) stays: \(error)"))
        }
    }

    private static func readKeys(into feed: AsyncStream<Event>.Continuation, until isOver: Flag) {
        var decoder = KeyDecoder()
        while !isOver.isRaised {
            guard let bytes = RawTerminal.read(within: 100) else {
                // The terminal is gone: its window was closed.
                feed.yield(.stopped)
                return
            }
            let keys = bytes.isEmpty ? decoder.flush() : decoder.keys(in: bytes)
            if !keys.isEmpty { feed.yield(.keys(keys)) }
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isRaised: Bool { value.load(ordering: .relaxed) }
        func raise() { value.store(true, ordering: .relaxed) }
    }
}
