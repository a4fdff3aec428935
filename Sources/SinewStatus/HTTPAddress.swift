internal import SinewCore

/// Where the HTTP side of a broker or worker listens: a host and a port.
package struct HTTPAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address without brackets, for example `127.0.0.1`, `::1` or `0.0.0.0`.
    package let host: String
    /// The TCP port; 0 lets the system choose.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`; an IPv6 address stands in brackets.
    ///
    /// - Returns: `nil` for any other text.
    package init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    /// As it is written in a URL.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can connect.
    package var isLoopback: Bool { EndpointReach.isLoopback(host[...]) }
}
