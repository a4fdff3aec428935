/// How far an endpoint or an address reaches.
package enum EndpointReach {
    /// Whether what is sent through an endpoint may be seen outside this machine: all but loopback, `ipc` and `inproc`.
    ///
    /// A text that is no endpoint leads nowhere: libzmq refuses it.
    package static func leavesThisMachine(_ endpoint: String) -> Bool {
        guard let separator = endpoint.firstRange(of: "://") else { return false }
        switch endpoint[..<separator.lowerBound] {
        case "inproc", "ipc": return false
        default:
            let address = endpoint[separator.upperBound...]
            let host = address[..<(address.lastIndex(of: ":") ?? address.endIndex)]
            // An IPv6 address stands in brackets here.
            return !isLoopback(host == "[::1]" ? "::1" : host)
        }
    }

    /// Whether only this machine can connect to a host, without brackets. A name other than `localhost` counts as outside: who
    /// resolves it decides where it leads.
    package static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
