import SinewStatus
import Testing

@Suite struct `HTTP addresses` {
    @Test(arguments: [
        ("127.0.0.1:9464", "127.0.0.1", 9464, true), ("localhost:0", "localhost", 0, true),
        ("[::1]:80", "::1", 80, true),
        ("0.0.0.0:9464", "0.0.0.0", 9464, false), ("[::]:65535", "::", 65535, false),
        ("fleet.lab:9464", "fleet.lab", 9464, false),
        ("127.0.0.1.evil:1", "127.0.0.1.evil", 1, false),
    ])
    func `host and port are read, and loopback is known`(text: String, host: String, port: Int, isLoopback: Bool) throws
    {
        let address = try #require(HTTPAddress(parsing: text))
        #expect(address == HTTPAddress(host: host, port: port))
        #expect(address.isLoopback == isLoopback)
    }

    @Test(arguments: [
        "", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1:80", "[]:80",
    ])
    func `what is no address is refused`(text: String) {
        #expect(HTTPAddress(parsing: text) == nil)
    }
}
