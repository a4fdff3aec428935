import Foundation

/// Runs code that blocks on a thread of its own.
///
/// A test that reads from a socket must not hold one of the few threads on which the server it asks does its work.
public func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
