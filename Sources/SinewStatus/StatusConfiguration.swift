internal import Glibc
package import SinewCore
package import SinewMetrics

/// Where the HTTP side listens and what it takes on.
package struct StatusConfiguration: Sendable {
    package var address: HTTPAddress
    /// Whoever shows it may send workers away and cancel jobs; nil: nobody may.
    package var operatorToken: OperatorToken?
    /// Whether an address that leaves this machine may go without a token, and any name may be used for this machine.
    package var allowsInsecure = false
    /// What the broker keeps jobs in; the history lies beside them. Nil: the history is in memory only.
    package var store: StatusStore?
    /// Where this process counts what snapshots do not tell.
    package var metrics = MetricRegistry()
    package var limits = Limits()

    package init(address: HTTPAddress) { self.address = address }

    /// An address that leaves this machine needs a token, or somebody's word that it does not.
    package func checkReach() throws(StatusError) {
        guard !address.isLoopback, operatorToken == nil, !allowsInsecure else { return }
        throw StatusError(
            .insecure,
            "--http \(address) leaves this machine, and whoever reaches it can read how the fleet does: give it an "
                + "operator's token (--http-token-file), use 127.0.0.1, or add --insecure on a network you trust")
    }
}

/// The folder of a job store, and what it may hold.
package struct StatusStore: Sendable, Equatable {
    package var folder: String
    package var bytesMax: Int

    package init(folder: String, bytesMax: Int) {
        self.folder = folder
        self.bytesMax = bytesMax
    }

    var historyPath: String { folder + "/history.sqlite3" }

    /// Cost: one system call.
    var room: StoreRoom {
        var status = statvfs()
        guard unsafe statvfs(folder, &status) == 0 else { return StoreRoom(bytesMax: bytesMax, bytesFree: nil) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return StoreRoom(bytesMax: bytesMax, bytesFree: overflow ? .max : Int(clamping: bytes))
    }
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
        /// The process has no thread, descriptor or memory left.
        case resourcesExhausted
    }

    package let reason: Reason
    package let message: String
    package var description: String { message }

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
