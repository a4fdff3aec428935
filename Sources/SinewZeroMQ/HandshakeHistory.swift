/// What a side that connects makes of its handshakes.
package struct HandshakeHistory: Sendable {
    /// Why keys keep a connection from coming about.
    package enum Trouble: Sendable, Equatable {
        /// The other side does not admit this key.
        case refused
        /// One side has no key, or expects another one of its peer.
        case incompatible
    }

    /// After so many handshakes in a row that broke off, the other side does so on purpose.
    private static let brokenOffMax = 3
    private var brokenOff = 0
    /// The trouble as it stands; nil after a success, and while nothing is known.
    package private(set) var trouble: Trouble?

    package init() {}

    package mutating func note(_ outcome: HandshakeMonitor.Outcome) {
        switch outcome {
        case .succeeded: self = HandshakeHistory()
        case .refused: trouble = .refused
        case .incompatible: trouble = .incompatible
        case .brokenOff:
            brokenOff += 1
            if brokenOff >= Self.brokenOffMax, trouble == nil { trouble = .incompatible }
        }
    }
}
