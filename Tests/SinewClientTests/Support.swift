import SinewClient
import Synchronization

/// People whose first coordinates are 0, 1, 2, …
func people(_ count: Int) -> PoseRequest {
    let joints = (0..<count).flatMap { [Float($0)] + Array(repeating: Float(0.125), count: 86) }
    return PoseRequest(count: count, joints: joints)
}

func configuration(_ endpoint: String, _ change: (inout ClientConfiguration) -> Void = { _ in }) -> ClientConfiguration
{
    var configuration = ClientConfiguration(endpoint: endpoint)
    configuration.deadline = .seconds(60)
    change(&configuration)
    return configuration
}

/// Runs a call that should fail and returns its error.
func failure<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(ClientError) -> Value
) async -> ClientError? {
    do throws(ClientError) {
        _ = try await body()
        return nil
    } catch { return error }
}

/// A number shared by a test and its broker's thread.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .sequentiallyConsistent) }
    @discardableResult func increment() -> Int { number.add(1, ordering: .sequentiallyConsistent).newValue }
}
