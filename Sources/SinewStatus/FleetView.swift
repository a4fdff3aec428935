package import SinewMetrics
package import SinewWire

/// The fleet at one instant and what it did in the window before: what everybody is told who asks over HTTP.
package struct FleetView: Sendable {
    /// A worker that is not connected any more.
    package struct Gone: Sendable, Equatable {
        /// What it was when it was seen last.
        package let status: WorkerStatus
        /// For how long it is missing, microseconds.
        package let microseconds: UInt64

        package init(status: WorkerStatus, microseconds: UInt64) {
            self.status = status
            self.microseconds = microseconds
        }
    }

    package let snapshot: FleetStatusReply
    /// Since the beginning of the window; nil while there is only one snapshot.
    package let rates: FleetRates?
    /// Missing for a minute at most, by name.
    package let gone: [Gone]
    package let alerts: [FleetAlert]
}

/// What a worker's row says it is.
enum WorkerCondition: String, Sendable {
    case serving, draining, silent, gone
    /// A state that a later version may know.
    case unknown

    /// - Parameter silence: how long a worker may say nothing.
    init(_ status: WorkerStatus, silence: Duration) {
        if Duration.microseconds(Int64(clamping: status.heardMicrosecondsAgo)) > silence {
            self = .silent
        } else {
            switch status.state {
            case .serving: self = .serving
            case .draining: self = .draining
            case .unspecified, .unrecognized: self = .unknown
            }
        }
    }
}
