package import SinewCore

/// Where a broker listens and how much it takes on.
package struct BrokerConfiguration: Sendable {
    /// For clients. Port `*` lets the system choose one; see ``BrokerServer/clientEndpoint``.
    package var clientEndpoint = "tcp://127.0.0.1:7690"
    /// For workers; a port of its own, so that a firewall can tell the two apart.
    package var workerEndpoint = "tcp://127.0.0.1:7691"
    package var limits = Limits()
    /// The release of Sinew, for operators.
    package var version = ""

    package init() {}
}

/// Why a broker could not start: what, where, why, and what to type next.
package struct BrokerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// The limits contradict each other.
        case invalidLimits
        /// An endpoint cannot be listened on.
        case cannotListen
        /// The process has no thread, descriptor or memory left.
        case resourcesExhausted
    }

    package let reason: Reason
    package let message: String
    package var description: String { message }
}
