import SinewClient
import SinewWire
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct TrackTests {
    /// A call that came: first coordinates of its rows, and the first number of each start pose.
    private struct Call: Equatable, Sendable {
        let rows: [Float]
        let starts: [Float?]
        let tracks: [UInt32]
    }

    private func clip(_ tracks: [UInt32]) -> PoseRequest {
        var joints: [Float] = []
        for row in tracks.indices { joints += [Float](repeating: Float(row + 1), count: 87) }
        return PoseRequest(count: tracks.count, joints: joints, tracks: tracks)
    }

    /// Solves with calls of at most three rows; the fake broker's answer to a row is the row's number.
    private func solve(_ request: PoseRequest) async throws -> (reply: PoseReply, calls: [Call]) {
        let calls = Mutex<[Call]>([])
        let broker = try FakeBroker { head, payload in
            guard head.kind == .call, let message = try? SolvePosesRequest(decoding: payload),
                let joints = message.joints.floats
            else { return [] }
            let count = message.joints.shape[0]
            let theta = message.startTheta?.floats
            let call = Call(
                rows: (0..<count).map { joints[$0 * 87] },
                starts: (0..<count).map { row -> Float? in
                    guard let theta, !theta[row * 72].isNaN else { return nil }
                    return theta[row * 72]
                },
                tracks: message.tracks)
            calls.withLock { $0.append(call) }
            return [FakeBroker.solution(head, payload)]
        }
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 3 })
        let reply = try await client.solve(request, model: "fake")
        return (reply, calls.withLock { $0 })
    }

    @Test func `a long track goes on where the call before ended, short ones share a call`() async throws {
        let (reply, calls) = try await solve(clip([4, 4, 4, 4, 4, 4, 4, 8, 9, 9, 5]))
        let first = calls.filter { $0.tracks.contains(4) }
        let rows: [[Float]] = [[1, 2, 3], [4, 5, 6], [7]]
        let starts: [[Float?]] = [[nil, nil, nil], [3, nil, nil], [6]]
        #expect(first.map(\.rows) == rows)
        #expect(first.map(\.starts) == starts)
        let short = calls.filter { !$0.tracks.contains(4) }
        let shared: [[Float]] = [[8, 9, 10], [11]]
        #expect(short.map(\.rows).sorted { $0[0] < $1[0] } == shared)
        #expect(short.allSatisfy { call in call.starts.allSatisfy { $0 == nil } })
        let found = (0..<11).map { reply.theta[$0 * 72] }
        let numbers = (1...11).map { Float($0) }
        #expect(found == numbers)
    }

    @Test func `a row that failed is no start, and a row's own start pose is kept`() async throws {
        var request = clip([1, 1, 1, 1, 1, 1, 1, 1, 1])
        // The fake broker fails rows with negative coordinates: the third one, and all of the second call.
        for row in [2, 3, 4, 5] { for column in 0..<87 { request.joints[row * 87 + column] *= -1 } }
        let failing = try await solve(request)
        let after: [[Float?]] = [[nil, nil, nil], [2, nil, nil], [2, nil, nil]]
        #expect(failing.calls.map(\.starts) == after)
        request = clip([1, 1, 1, 1, 1])
        request.startTheta = (0..<(5 * 72)).map { index -> Float in index / 72 == 3 ? 0.75 : .nan }
        let given = try await solve(request)
        let own: [[Float?]] = [[nil, nil, nil], [0.75, nil]]
        #expect(given.calls.map(\.starts) == own)
    }

    @Test func `tracks that are mixed or too few are refused before anything is sent`() async throws {
        let broker = try FakeBroker(answer: FakeBroker.solving)
        let client = try Client(configuration(broker.endpoint) { $0.itemsPerCall = 3 })
        let mixed = await #expect(throws: ClientError.self) { try await client.solve(clip([1, 2, 1]), model: "fake") }
        #expect(mixed?.field == "tracks" && mixed?.message.contains("row 2") == true)
        var few = clip([1, 1])
        few.tracks = [1]
        let wrong = await #expect(throws: ClientError.self) { try await client.solve(few, model: "fake") }
        #expect(wrong?.field == "tracks")
    }
}
