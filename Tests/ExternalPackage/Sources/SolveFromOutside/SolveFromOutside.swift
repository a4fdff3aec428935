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

    /// People standing in about the rest pose: 29 joints, metres, y up, rounded to centimetres.
    static func restPeople(_ count: Int) -> PoseRequest {
        let joints: [Float] = [
            0, 0, 0, 0.06, -0.09, -0.01, -0.06, -0.09, -0.01, 0, 0.12, -0.02, 0.1, -0.47, -0.01, -0.1, -0.48, -0.01,
            0.01,
            0.26, 0, 0.09, -0.87, -0.05, -0.09, -0.88, -0.05, 0.01, 0.32, 0.02, 0.11, -0.93, 0.07, -0.11, -0.93, 0.07,
            0,
            0.53, -0.03, 0.08, 0.43, -0.01, -0.07, 0.43, -0.01, 0.01, 0.61, 0.02, 0.19, 0.46, -0.03, -0.18, 0.46, -0.03,
            0.45, 0.44, -0.07, -0.45, 0.44, -0.07, 0.7, 0.45, -0.07, -0.7, 0.45, -0.07, 0.79, 0.44, -0.09, -0.79, 0.44,
            -0.09, 0, 0.8, 0, 0.88, 0.44, -0.09, -0.88, 0.44, -0.09, 0.12, -0.95, 0.13, -0.12, -0.95, 0.13,
        ]
        return PoseRequest(count: count, joints: (0..<count).flatMap { _ in joints })
    }
}
