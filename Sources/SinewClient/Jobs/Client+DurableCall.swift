internal import SinewCore

extension Client {
    /// Makes a call of the service `Jobs`, again and again until it is answered, refused for good, or its time is up.
    ///
    /// Each of these methods may be sent twice without harm, so a broker that is restarted, silent or full costs the caller time and no
    /// error. Pushback is kept; without it the waits grow to two seconds.
    /// - Parameters:
    ///   - wait: how long the broker may hold the answer back, as the request says.
    ///   - deadline: over all attempts; nil is ``ClientConfiguration/jobDeadline``.
    func durableCall<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request, model: String = "", priority: UInt8? = nil,
        wait: Duration = .zero, deadline: Duration?, tracing: CallTracing = .off
    ) async throws(ClientError) -> Method.Reply {
        let until = clock.now + (deadline ?? configuration.jobDeadline)
        var backoff = RetryBudget(limits: Limits(), seed: UInt64.random(in: .min ... .max))
        var attempts = 0
        while true {
            do throws(ClientError) {
                let allowed = Swift.min(until - clock.now, wait + Self.attemptDuration)
                return try await call(
                    method, request, model: model, priority: priority, deadline: allowed, tracing: tracing)
            } catch {
                attempts += 1
                let pause = backoff.backoff(afterAttempts: attempts, pushback: error.retryAfter)
                guard error.isWorthSendingAgain, clock.now + pause < until else { throw error }
                configuration.whenJobCallWaits?(error)
                // Only cancellation ends it early.
                do { try await Task.sleep(for: pause) } catch {
                    throw ClientError(.cancelled, "the call was cancelled")
                }
            }
        }
    }

    /// How long a broker that speaks may take over one attempt.
    private static let attemptDuration = Duration.seconds(30)
}

extension ClientError {
    /// Whether the same message may fare better later. A job's calls have no other wish than to arrive.
    var isWorthSendingAgain: Bool {
        if code == .hashMismatch { return true }
        switch status {
        case .unavailable, .resourceExhausted, .deadlineExceeded: return true
        case .ok, .cancelled, .unknown, .invalidArgument, .notFound, .alreadyExists, .permissionDenied,
            .failedPrecondition, .aborted, .outOfRange, .unimplemented, .internal, .dataLoss, .unauthenticated:
            return false
        }
    }
}
