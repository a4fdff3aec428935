internal import SinewCore

extension Client {
    /// Solves all people of a request and returns them in its order.
    ///
    /// A request larger than ``ClientConfiguration/itemsPerCall`` is split into calls that are under way together.
    /// - Parameters:
    ///   - model: `name` for any version or `name/version`, for example `niki` or `hybrik/1`.
    ///   - deadline: for the whole request; nil is ``ClientConfiguration/deadline``.
    ///   - tracing: the trace that the calls belong to, and whether ``PoseReply/Part/trace`` is wanted.
    /// - Throws: ``ClientError`` when a call fails as a whole. A person that cannot be solved is an entry of
    ///   ``PoseReply/itemErrors``, not a failure.
    public func solve(
        _ people: PoseRequest, model: String, deadline: Duration? = nil, tracing: CallTracing = .off
    ) async throws(ClientError) -> PoseReply {
        let until = clock.now + (deadline ?? configuration.deadline)
        let replies = SceneReplies(
            self, people, model: model, allowed: deadline ?? configuration.deadline, until: until, tracing: tracing)
        return try await replies.collect()
    }

    /// Solves a scene or clip and hands out its parts as they finish, in whatever order that is.
    ///
    /// At most ``ClientConfiguration/callsInFlightMax`` parts are under way or wait to be taken: a slow reader slows the
    /// sending, and memory stays bounded for a clip of any length. Leaving the loop cancels what is under way.
    /// - Parameters:
    ///   - model: `name` for any version or `name/version`.
    ///   - deadline: for each part, from when it is sent; nil is ``ClientConfiguration/deadline``.
    ///   - tracing: the trace that the calls belong to, and whether ``PoseReply/Part/trace`` is wanted.
    /// - Returns: a sequence whose iteration throws ``ClientError`` when a part fails as a whole.
    public func solveScene(
        _ people: PoseRequest, model: String, deadline: Duration? = nil, tracing: CallTracing = .off
    ) -> SceneReplies {
        SceneReplies(
            self, people, model: model, allowed: deadline ?? configuration.deadline, until: nil, tracing: tracing)
    }
}
