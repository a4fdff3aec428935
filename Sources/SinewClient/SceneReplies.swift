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

    init(_ client: Client, _ people: PoseRequest, model: String, allowed: Duration, until: Instant?) {
        self.client = client
        self.people = people
        self.model = model
        self.allowed = allowed
        self.until = until
    }

    /// Begins to solve.
    public func makeAsyncIterator() -> Iterator {
        Iterator(SceneRun(client, people, model: model, allowed: allowed, until: until))
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
        let rows: Range<Int>
        let answer: Result<Frame, ClientError>
    }

    private struct State {
        /// The first row that was not sent.
        var nextRow = 0
        var underWay: [CallID: Range<Int>] = [:]
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
    private let state = Mutex(State())

    init(_ client: Client, _ people: PoseRequest, model: String, allowed: Duration, until: Instant?) {
        self.client = client
        self.people = people
        self.model = model
        self.allowed = allowed
        self.until = until
    }

    func next() async throws(ClientError) -> ScenePart? {
        if state.withLock({ $0.isOver }) { return nil }
        do throws(ClientError) {
            try validate()
            sendWhatMay()
            guard let answered = try await nextAnswer() else { return nil }
            let message = try Client.decode(SolvePosesReply.self, answered.answer)
            return ScenePart(rows: answered.rows, reply: try PoseReply(message, rows: answered.rows))
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
        guard state.withLock({ $0.nextRow == 0 }) else { return }
        try people.validate()
        guard !model.isEmpty, model.utf8.count <= Head.modelBytesMax else {
            throw ClientError(
                .unknownModel,
                "“\(model)” is no model name; say for example niki or niki/1 (sinew status lists what is ready)",
                field: "model")
        }
    }

    private func sendWhatMay() {
        while let rows = claimRows() {
            let id = client.nextCallID()
            state.withLock { $0.underWay[id] = rows }
            let call = PendingCall(
                id: id, method: PoseSolver.SolvePoses.name, model: model, items: rows.count,
                payload: Frame(people.message(rows).encode()), deadline: until ?? client.clock.now + allowed,
                allowed: allowed, complete: { [weak self] answer in self?.finish(id, answer) })
            client.mailbox.post(.call(call))
        }
    }

    private func claimRows() -> Range<Int>? {
        state.withLock { state in
            guard state.nextRow < people.count,
                state.underWay.count + state.answered.count < client.configuration.callsInFlightMax
            else { return nil }
            let rows = state.nextRow..<min(people.count, state.nextRow + client.configuration.itemsPerCall)
            state.nextRow = rows.upperBound
            return rows
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
    private func finish(_ id: CallID, _ answer: Result<Frame, ClientError>) {
        state.withLock { state in
            guard let rows = state.underWay.removeValue(forKey: id) else { return }
            state.answered.append(Answered(rows: rows, answer: answer))
        }
        wakeReader()
    }
}
