internal import UnixSignals

/// Runs `body` until it ends or Ctrl-C (or SIGTERM) comes; then `body` is cancelled, cleans up, and the command is
/// interrupted.
///
/// - Parameter explanation: what the person reads then; asked for when `body` has cleaned up.
/// - Throws: what `body` threw, or ``CommandFailure`` with `interrupted`.
func interruptible<Value: Sendable>(
    explanation: @escaping @Sendable () -> String = { "interrupted; no output was written" },
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let signals = await stoppingSignals()
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in signals { return nil }
            return nil
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() ?? nil else {
            group.cancelAll()
            // The body's own clean-up (children, files) runs before the process ends.
            while (try? await group.next()) != nil {}
            throw CommandFailure(.interrupted, explanation())
        }
        return value
    }
}
