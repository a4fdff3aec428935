internal import Foundation

/// Runs a blocking call on a thread of its own, so that it never holds a thread of the cooperative pool.
func onOwnThread<Value: Sendable, Failure: Error>(
    named name: String, _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let outcome: Result<Value, Failure> = await withCheckedContinuation { continuation in
        startThread(named: name) { continuation.resume(returning: Result(catching: body)) }
    }
    return try outcome.get()
}

/// Starts a thread that ends when `body` returns.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.start()
}
