/// Which addresses may be used without keys: loopback, `ipc` and `inproc`; everything else only when a person says so.
package enum EndpointPolicy {
    /// Checks an endpoint before a socket sees it.
    ///
    /// - Throws: ``CommandFailure`` with `usage` when it is malformed, `refused` when it leaves the machine.
    package static func check(_ endpoint: String, option: String, isInsecureAllowed: Bool) throws(CommandFailure) {
        guard let separator = endpoint.firstRange(of: "://") else {
            throw CommandFailure(
                .usage,
                "\(option) '\(endpoint)' is no endpoint: write tcp://HOST:PORT, for example tcp://127.0.0.1:7690")
        }
        let address = endpoint[separator.upperBound...]
        switch endpoint[..<separator.lowerBound] {
        case "ipc": return
        case "tcp":
            guard let colon = address.lastIndex(of: ":"), isPort(address[address.index(after: colon)...]) else {
                throw CommandFailure(
                    .usage, "\(option) '\(endpoint)' has no port: write tcp://HOST:PORT (0…65535, or * for any)")
            }
            guard !isInsecureAllowed, !isLoopback(address[..<colon]) else { return }
            throw CommandFailure(
                .refused,
                "\(option) '\(endpoint)' leaves this machine, and the traffic is neither encrypted nor authenticated: "
                    + "use 127.0.0.1 (through an SSH tunnel, say), or add --insecure on a network you trust")
        default:
            throw CommandFailure(.usage, "\(option) '\(endpoint)': only tcp:// and ipc:// are served")
        }
    }

    private static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func isPort(_ text: Substring) -> Bool { text == "*" || UInt16(text) != nil }
}
