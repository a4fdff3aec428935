package import SinewCore
package import SinewMetrics

/// Where the HTTP side listens and what it takes on.
package struct StatusConfiguration: Sendable {
    package var address: HTTPAddress
    /// Whoever shows it may send workers away and cancel jobs; nil: nobody may.
    package var operatorToken: OperatorToken?
    /// Whether an address that leaves this machine may go without a token, and any name may be used for this machine.
    package var allowsInsecure = false
    package var limits = Limits()
    /// What the process counts besides the fleet's snapshot; told by `/metrics`.
    package var metrics = MetricRegistry()

    package init(address: HTTPAddress) { self.address = address }
}

/// Why the HTTP side could not start: what, where, why, and what to type next.
package struct StatusError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// Somebody else listens there.
        case addressInUse
        /// The address is not of this machine, or may not be used.
        case cannotListen
        /// It leaves this machine, and whoever reaches it could use it.
        case insecure
        /// The file with the operator's token cannot be used.
        case unusableToken
    }

    package let reason: Reason
    package let message: String
    package var description: String { message }

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
