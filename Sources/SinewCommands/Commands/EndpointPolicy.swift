internal import SinewCore

/// Which addresses may be used without keys: loopback and `ipc`; everything else only when a person says so.
package enum EndpointPolicy {
    /// Checks an endpoint before a socket sees it.
    ///
    /// - Throws: ``CommandFailure`` with `usage` when it is malformed, `refused` when it leaves the machine.
    package static func check(
        _ endpoint: String, option: String, hasKeys: Bool, isInsecureAllowed: Bool
    ) throws(CommandFailure) {
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
            guard !hasKeys, !isInsecureAllowed, EndpointReach.leavesThisMachine(endpoint) else { return }
            throw CommandFailure(
                .refused,
                "\(option) '\(endpoint)' leaves this machine, and without keys the traffic is neither encrypted nor "
                    + "authenticated: make keys with sinew keys generate and add --key, use 127.0.0.1, or add --insecure on a "
                    + "network you trust")
        default:
            throw CommandFailure(.usage, "\(option) '\(endpoint)': only tcp:// and ipc:// are served")
        }
    }

    private static func isPort(_ text: Substring) -> Bool { text == "*" || UInt16(text) != nil }
}
