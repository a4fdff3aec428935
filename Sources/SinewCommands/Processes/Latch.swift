internal import Synchronization

/// A value that is set once and that any number of tasks may wait for.
package final class Latch<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var nextTicket: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Value?, Never>] = [:]
        /// Waits that were cancelled before they began.
        var cancelled: Set<UInt64> = []
    }
    private let state = Mutex(State())

    package init() {}

    /// The value, `nil` before it is set.
    package var value: Value? { state.withLock { $0.value } }

    /// Sets the value and wakes everyone; a second call changes nothing.
    package func set(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [CheckedContinuation<Value?, Never>]() }
            state.value = value
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// Waits for the value; `nil` when the waiting task is cancelled first.
    package func wait() async -> Value? {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isOver, value) = state.withLock { state -> (Bool, Value?) in
                    if state.value != nil || state.cancelled.remove(ticket) != nil { return (true, state.value) }
                    state.waiters[ticket] = continuation
                    return (false, nil)
                }
                if isOver { continuation.resume(returning: value) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: ticket)
                if waiter == nil { state.cancelled.insert(ticket) }
                return waiter
            }
            waiter?.resume(returning: nil)
        }
    }

    /// Waits at most `limit`; `nil` when the value is not there then.
    package func wait(atMost limit: Duration) async -> Value? {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await self.wait() }
            // A cancelled sleep means that the value came first.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        return value
    }
}
