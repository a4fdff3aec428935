internal import SinewCore
internal import SinewZeroMQ
internal import Synchronization

/// A part of a scene that is solved.
public struct ScenePart: Sendable {
    /// The people it holds, as rows of the request.
    public let rows: Range<Int>
    /// Their poses; row 0 is person `rows.lowerBound`, item errors count in rows of the request.
    public let reply: PoseReply
}

/// The parts of a scene in the order in which they finish. Iterating sends the calls; iterating twice solves twice.
public struct SceneReplies: AsyncSequence, Sendable {
    /// A part.
    public typealias Element = ScenePart
    /// What iterating throws.
    public typealias Failure = ClientError

    private let client: Client
    private let people: PoseRequest
    private let model: String
    private let allowed: Duration
    private let until: Instant?
    private let tracing: CallTracing

    init(
        _ client: Client, _ people: PoseRequest, model: String, allowed: Duration, until: Instant?, tracing: CallTracing
    ) {
        self.client = client
        self.people = people
        self.model = model
        self.allowed = allowed
        self.until = until
        self.tracing = tracing
    }

    /// Begins to solve.
    public func makeAsyncIterator() -> Iterator {
        Iterator(SceneRun(client, people, model: model, allowed: allowed, until: until, tracing: tracing))
    }

    /// Solves everything and returns it in the order of the request.
    ///
    /// - Throws: ``ClientError`` when a part fails as a whole; the others are cancelled.
    public func collect() async throws(ClientError) -> PoseReply {
        var whole = PoseReply(zeroed: people.count)
        let iterator = makeAsyncIterator()
        while let part = try await iterator.next(isolation: #isolation) { whole.fill(part.rows, with: part.reply) }
        return whole
    }

    /// Takes the parts; a class, so that dropping it cancels what is under way.
    public final class Iterator: AsyncIteratorProtocol {
        private let run: SceneRun

        init(_ run: SceneRun) { self.run = run }

        deinit { run.cancel() }

        /// The next part that is solved, or nil after the last one.
        public func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> ScenePart? {
            try await run.next()
        }
    }
}

/// One iteration over a scene: sends parts, keeps finished ones until they are taken.
final class SceneRun: Sendable {
    private struct Answered: Sendable {
        let part: SceneStretch.Part
        let answer: Result<CallAnswer, ClientError>
    }

    private struct State {
        /// What is to be sent, each from its own start to its own end; nil before the request was looked at.
        var stretches: [SceneStretch]?
        /// Stretches of which a part may be sent now, as places in ``stretches``.
        var ready: ArraySlice<Int> = []
        /// The most rows of one call.
        var itemsPerCall = 1
        var underWay: [CallID: SceneStretch.Part] = [:]
        var answered: [Answered] = []
        /// Whoever waits for the next answer. There is one reader at most.
        var reader: CheckedContinuation<Void, Never>?
        /// After a failure or a cancellation nothing is sent or handed out.
        var isOver = false
    }

    private let client: Client
    private let people: PoseRequest
    private let model: String
    private let allowed: Duration
    private let until: Instant?
    private let tracing: CallTracing
    private let state = Mutex(State())

    init(
        _ client: Client, _ people: PoseRequest, model: String, allowed: Duration, until: Instant?, tracing: CallTracing
    ) {
        self.client = client
        self.people = people
        self.model = model
        self.allowed = allowed
        self.until = until
        self.tracing = tracing
    }

    func next() async throws(ClientError) -> ScenePart? {
        if state.withLock({ $0.isOver }) { return nil }
        do throws(ClientError) {
            try validate()
            sendWhatMay()
            guard let answered = try await nextAnswer() else { return nil }
            let message = try Client.decode(SolvePosesReply.self, answered.answer)
            let rows = answered.part.rows
            var reply = try PoseReply(message, rows: rows)
            if tracing.wantsTimings {
                reply.parts[0].trace = try answered.answer.get().trace(tracing, readAt: client.clock.now)
            }
            goOn(after: answered.part, reply)
            return ScenePart(rows: rows, reply: reply)
        } catch {
            cancel()
            throw error
        }
    }

    /// Gives up everything that is under way.
    func cancel() {
        let underWay = state.withLock { state in
            state.isOver = true
            return exchange(&state.underWay, with: [:])
        }
        for id in underWay.keys { client.mailbox.post(.cancel(id)) }
    }

    private func validate() throws(ClientError) {
        guard state.withLock({ $0.stretches == nil }) else { return }
        try people.validate()
        let runs = try people.trackRuns()
        let itemsPerCall = try itemsPerCall(for: runs)
        let stretches = SceneStretch.stretches(of: people.count, tracks: runs, itemsPerCall: itemsPerCall)
        state.withLock { state in
            state.stretches = stretches
            state.itemsPerCall = itemsPerCall
            state.ready = ArraySlice(stretches.indices)
        }
        guard !model.isEmpty, model.utf8.count <= Head.modelBytesMax else {
            throw ClientError(
                .unknownModel,
                "“\(model)” is no model name; say for example niki or niki/1 (sinew status lists what is ready)",
                field: "model")
        }
    }

    /// The most rows of one call.
    ///
    /// A track goes into one call whole where its frames see later ones. So does one that is refined: the answer then holds the
    /// refined pose, and the next frame has to start from the model's own.
    private func itemsPerCall(for tracks: [Range<Int>]?) throws(ClientError) -> Int {
        let configured = client.configuration.itemsPerCall
        guard people.refine > 0 || people.keepsTracksWhole, let longest = tracks?.map(\.count).max(),
            longest > configured
        else { return configured }
        let most = Limits().itemsPerCallMax
        guard longest <= most else {
            guard people.refine > 0 else {
                throw ClientError(
                    .payloadTooLarge,
                    "a track of \(longest) rows has to go into one call for \(model), and a call holds at most \(most); cut "
                        + "it into shorter ones", field: "tracks")
            }
            throw ClientError(
                .payloadTooLarge,
                "a track of \(longest) rows that is refined needs one call, which holds at most \(most); solve it without refine "
                    + "first, then refine those poses in a request without tracks", field: "tracks")
        }
        return longest
    }

    private func sendWhatMay() {
        while let (part, start) = claimPart() {
            let made = client.clock.now
            let id = client.nextCallID()
            state.withLock { $0.underWay[id] = part }
            let call = PendingCall(
                id: id, method: PoseSolver.SolvePoses.name, model: model, items: part.rows.count,
                priority: client.configuration.priority,
                payload: Frame(people.message(part.rows, start: start).encode()),
                metadata: tracing.frame, made: made, deadline: until ?? made + allowed, allowed: allowed,
                complete: { [weak self] answer in self?.finish(id, answer) })
            client.mailbox.post(.call(call))
        }
    }

    private func claimPart() -> (SceneStretch.Part, start: [Float]?)? {
        state.withLock { state in
            guard state.underWay.count + state.answered.count < client.configuration.callsInFlightMax,
                let place = state.ready.first, var stretch = state.stretches?[place]
            else { return nil }
            let rows = stretch.claim(atMost: state.itemsPerCall)
            if stretch.isSent || stretch.isChain { state.ready.removeFirst() }
            state.stretches?[place] = stretch
            return (SceneStretch.Part(rows: rows, stretch: place), stretch.start)
        }
    }

    /// The next part of a chain starts where this one ended.
    private func goOn(after part: SceneStretch.Part, _ reply: PoseReply) {
        state.withLock { state in
            guard var stretch = state.stretches?[part.stretch], stretch.isChain, !stretch.isSent else { return }
            let failed = Set(reply.itemErrors.map { Int($0.item) - part.rows.lowerBound })
            if let last = (0..<part.rows.count).last(where: { !failed.contains($0) }) {
                stretch.start = Array(reply.theta[(last * 72)..<(last * 72 + 72)])
            }
            state.stretches?[part.stretch] = stretch
            state.ready.append(part.stretch)
        }
    }

    private func nextAnswer() async throws(ClientError) -> Answered? {
        while true {
            let (answered, isDone) = state.withLock { state in
                let first = state.answered.isEmpty ? nil : state.answered.removeFirst()
                return (first, state.underWay.isEmpty)
            }
            if let answered { return answered }
            if Task.isCancelled { throw ClientError(.cancelled, "the call was cancelled") }
            if isDone { return nil }
            await waitForAnswer()
        }
    }

    /// Returns when an answer is there, or at once after a cancellation.
    private func waitForAnswer() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.answered.isEmpty || Task.isCancelled { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            wakeReader()
        }
    }

    private func wakeReader() { state.withLock { $0.reader.take() }?.resume() }

    /// Called by the socket thread.
    private func finish(_ id: CallID, _ answer: Result<CallAnswer, ClientError>) {
        state.withLock { state in
            guard let part = state.underWay.removeValue(forKey: id) else { return }
            state.answered.append(Answered(part: part, answer: answer))
        }
        wakeReader()
    }
}
