import SinewClient

/// Uses SinewClient as a library, from another package, with one import.
///
/// `swift run SolveFromOutside` shows that a broker that is not there is UNAVAILABLE; `swift run SolveFromOutside ENDPOINT`
/// solves two people with `hybrik` at that broker. Exits with 1 when something is not as it should be.
@main
struct SolveFromOutside {
    static func main() async throws {
        if CommandLine.arguments.count > 1 {
            try await solve(at: CommandLine.arguments[1])
        } else {
            try await expectUnavailable()
        }
    }

    /// Port 1 of this machine has no listener; the deadline ends the wait.
    static func expectUnavailable() async throws {
        let client = try Client(ClientConfiguration(endpoint: "tcp://127.0.0.1:1"))
        do throws(ClientError) {
            _ = try await client.solve(restPeople(1), model: "hybrik", deadline: .milliseconds(500))
            fatalError("a broker answered at port 1")
        } catch {
            guard error.status == .unavailable, error.code == .brokerUnreachable else {
                fatalError("expected UNAVAILABLE, got \(error)")
            }
            print("as expected without a broker: \(error)")
        }
        client.close()
    }

    static func solve(at endpoint: String) async throws {
        var configuration = ClientConfiguration(endpoint: endpoint)
        configuration.deadline = .seconds(10)
        configuration.waitForReady = true
        let client = try Client(configuration)
        let models = try await client.listModels().map(\.model.name)
        let reply = try await client.solve(restPeople(2), model: "hybrik")
        guard reply.theta.count == 2 * 24 * 3, reply.itemErrors.isEmpty else { fatalError("not solved: \(reply)") }
        for try await part in client.solveScene(restPeople(200), model: "hybrik") {
            guard part.reply.count == part.rows.count else {
                fatalError("rows \(part.rows): \(part.reply.count) people")
            }
        }
        print("models \(models); solved by \(reply.parts.map(\.worker)); residual \(reply.jointResidualMillimetres) mm")
        client.close()
    }

    /// People in the rest pose of the neutral open body: 29 joints, metres, y up, rounded to millimetres.
    static func restPeople(_ count: Int) -> PoseRequest {
        let joints: [Float] = [
            0, 0, 0, 0.105, -0.013, -0.008, -0.105, -0.013, -0.008, 0, 0.079, -0.039, 0.105, -0.406, -0.008, -0.105,
            -0.406, -0.008, 0, 0.144, -0.024, 0.105, -0.82, -0.008, -0.105, -0.82, -0.008, 0, 0.219, -0.025, 0.108,
            -0.882, 0.11, -0.108, -0.882, 0.11, 0, 0.534, -0.002, 0.023, 0.462, 0.014, -0.023, 0.462, 0.014, 0,
            0.631, 0.033, 0.17, 0.44, 0.009, -0.17, 0.44, 0.009, 0.412, 0.44, 0.009, -0.411, 0.44, 0.009, 0.647,
            0.44, 0.009, -0.647, 0.44, 0.009, 0.748, 0.44, 0.009, -0.748, 0.44, 0.009, 0, 0.779, 0.042, 0.826, 0.406,
            0.001, -0.826, 0.406, 0.001, 0.08, -0.877, 0.178, -0.08, -0.877, 0.178,
        ]
        return PoseRequest(count: count, joints: (0..<count).flatMap { _ in joints })
    }
}
