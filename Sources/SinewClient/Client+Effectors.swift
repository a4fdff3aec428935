internal import SinewCore

extension Client {
    /// Solves all people of a request from their effectors and returns them in its order.
    ///
    /// A request larger than ``ClientConfiguration/itemsPerCall`` is split into calls, of which at most
    /// ``ClientConfiguration/callsInFlightMax`` are under way together.
    /// - Parameters:
    ///   - model: a model that takes effectors, for example `smpl-ik`.
    ///   - deadline: for the whole request; nil is ``ClientConfiguration/deadline``.
    ///   - tracing: the trace that the calls belong to, and whether ``PoseReply/Part/trace`` is wanted.
    /// - Throws: ``ClientError`` when a call fails as a whole. A person that cannot be solved is an entry of
    ///   ``PoseReply/itemErrors``, not a failure.
    public func solve(
        _ effectors: EffectorRequest, model: String, deadline: Duration? = nil, tracing: CallTracing = .off
    ) async throws(ClientError) -> PoseReply {
        try effectors.validate()
        let until = clock.now + (deadline ?? configuration.deadline)
        let parts = stride(from: 0, to: effectors.count, by: configuration.itemsPerCall).map { start in
            start..<min(effectors.count, start + configuration.itemsPerCall)
        }
        let inFlightMax = configuration.callsInFlightMax
        let result = await withTaskGroup(
            of: Result<PoseReply, ClientError>.self, returning: Result<PoseReply, ClientError>.self
        ) { group in
            var whole = PoseReply(zeroed: effectors.count)
            var next = 0
            func startOne() {
                guard next < parts.count else { return }
                let rows = parts[next]
                next += 1
                group.addTask {
                    await self.solvePart(effectors, rows: rows, model: model, until: until, tracing: tracing)
                }
            }
            for _ in 0..<inFlightMax { startOne() }
            while let answer = await group.next() {
                switch answer {
                case .failure(let error):
                    group.cancelAll()
                    return .failure(error)
                case .success(let reply):
                    whole.fill(reply.parts[0].rows, with: reply)
                    startOne()
                }
            }
            return .success(whole)
        }
        return try result.get()
    }

    private func solvePart(
        _ effectors: EffectorRequest, rows: Range<Int>, model: String, until: Instant, tracing: CallTracing
    ) async -> Result<PoseReply, ClientError> {
        do throws(ClientError) {
            let answer = await answer(
                PoseSolver.SolveEffectors.self, effectors.message(rows), model: model, items: rows.count,
                deadline: until - clock.now, tracing: tracing)
            var reply = try PoseReply(try Self.decode(SolvePosesReply.self, answer), rows: rows)
            reply.parts[0].trace = try answer.get().trace(tracing, readAt: clock.now)
            return .success(reply)
        } catch {
            return .failure(error)
        }
    }
}
