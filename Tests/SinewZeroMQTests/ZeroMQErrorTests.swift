import SinewZeroMQ
import Testing

@Suite struct ZeroMQErrorTests {
    @Test func `a taken endpoint is named together with a way out`() throws {
        let context = try Context()
        let first = try Socket(.router, in: context)
        let endpoint = try first.bind(to: "tcp://127.0.0.1:*")
        let second = try Socket(.router, in: context)
        let error = try #require(throws: ZeroMQError.self) { try second.bind(to: endpoint) }
        #expect(error.reason == .addressInUse)
        #expect(error.endpoint == endpoint)
        #expect(error.description.contains(endpoint))
        #expect(error.description.contains("another port"))
    }

    @Test(arguments: ["nonsense", "tcp://", "carrier-pigeon://roof"])
    func `a malformed endpoint is refused`(endpoint: String) throws {
        let context = try Context()
        let socket = try Socket(.dealer, in: context)
        let error = try #require(throws: ZeroMQError.self) { try socket.connect(to: endpoint) }
        #expect(error.reason == .invalidEndpoint)
        #expect(error.description.contains("tcp://127.0.0.1:7690"))
    }

    @Test func `an address of another machine cannot be bound`() throws {
        let context = try Context()
        let socket = try Socket(.router, in: context)
        // 192.0.2.0/24 is reserved for documentation (RFC 5737) and never assigned.
        let error = try #require(throws: ZeroMQError.self) { try socket.bind(to: "tcp://192.0.2.1:7690") }
        #expect(error.reason == .addressUnavailable)
    }

    @Test func `a context without room refuses one socket more`() throws {
        let context = try Context(socketsMax: 2)
        let first = try Socket(.dealer, in: context)
        let second = try Socket(.dealer, in: context)
        let error = try #require(throws: ZeroMQError.self) { _ = try Socket(.dealer, in: context) }
        #expect(error.reason == .resourcesExhausted)
        first.close()
        second.close()
    }
}
