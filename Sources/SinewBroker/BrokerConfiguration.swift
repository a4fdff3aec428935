package import SinewCore
package import SinewMetrics
package import SinewZeroMQ

/// Where a broker listens and how much it takes on.
package struct BrokerConfiguration: Sendable {
    /// For clients. Port `*` lets the system choose one; see ``BrokerServer/clientEndpoint``.
    package var clientEndpoint = "tcp://127.0.0.1:7690"
    /// For workers; a port of its own, so that a firewall can tell the two apart.
    package var workerEndpoint = "tcp://127.0.0.1:7691"
    /// Who may connect; nil admits everybody, and is for endpoints on this machine.
    package var security: BrokerSecurity?
    /// Whether endpoints may leave this machine without ``security``.
    package var allowsInsecure = false
    package var limits = Limits()
    /// Where jobs are kept; nil: this broker keeps none.
    package var store: JobStoreConfiguration?
    /// The release of Sinew, for operators.
    package var version = ""
    /// Where the broker counts what its snapshots do not tell.
    package var metrics = MetricRegistry()

    package init() {}
}

/// What a broker proves itself with, and whom it admits.
package struct BrokerSecurity: Sendable {
    package var keys: CurveKeyPair
    /// A file as ``AuthorizedKeys`` reads it. It is read again when it changes.
    package var authorizedKeysPath: String

    package init(keys: CurveKeyPair, authorizedKeysPath: String) {
        self.keys = keys
        self.authorizedKeysPath = authorizedKeysPath
    }
}

/// Where a broker keeps jobs.
package struct JobStoreConfiguration: Sendable {
    /// Made if it is not there; one broker at a time.
    package var folder: String
    /// Bytes it may hold before new jobs and tasks are refused.
    package var bytesMax: Int

    package init(folder: String, bytesMax: Int = Limits().storeBytesMax) {
        self.folder = folder
        self.bytesMax = bytesMax
    }
}

/// Why a broker could not start: what, where, why, and what to type next.
package struct BrokerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// The limits contradict each other.
        case invalidLimits
        /// An endpoint leaves this machine and nobody would have to prove who he is.
        case insecure
        /// The list of keys cannot be read.
        case unusableKeys
        /// An endpoint cannot be listened on.
        case cannotListen
        /// The folder of jobs cannot be used.
        case cannotOpenStore
        /// The process has no thread, descriptor or memory left.
        case resourcesExhausted
    }

    package let reason: Reason
    package let message: String
    package var description: String { message }
}
