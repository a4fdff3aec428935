public import SinewZeroMQ

/// Where the broker is and how calls are made.
public struct ClientConfiguration: Sendable {
    /// The broker's endpoint for clients.
    public var endpoint = "tcp://127.0.0.1:7690"
    /// What this client proves itself with, and whose broker it talks to; nil is for a broker on this machine that asks for no keys.
    public var keys: CurveClientKeys?
    /// Whether a broker outside this machine may be used without ``keys``: whoever is on the way can read and change everything.
    public var allowsInsecure = false
    /// How long a call may take when it says nothing else.
    public var deadline: Duration = .seconds(30)
    /// The most people in one call; a larger request is split. 64 people fill a batch and make a frame of 30 KiB.
    public var itemsPerCall = 64
    /// The most calls of this client that are under way; further ones wait in the client.
    public var callsInFlightMax = 16
    /// Larger is sooner among this tenant's calls.
    public var priority: UInt8 = 0
    /// On whose account the work goes; empty is the default tenant. A broker with keys takes the tenant of ``keys`` instead.
    public var tenant = ""
    /// Whether a call waits for a broker and a worker until its deadline, instead of failing once neither is found.
    public var waitForReady = false
    /// How long a call about a durable job goes on when it says nothing else, over a broker's restarts and full disks.
    public var jobDeadline: Duration = .seconds(3_600)
    /// Told each time such a call was refused or unanswered and will be sent again, with the reason; from any thread.
    public var whenJobCallWaits: (@Sendable (ClientError) -> Void)?

    /// The local broker with the default settings.
    public init() {}

    /// A broker with the default settings.
    public init(endpoint: String) { self.endpoint = endpoint }
}
