/// An ordered list of frames that travels whole or not at all.
public struct Message: Sendable {
    /// The frames; at a ROUTER the first one is the peer's routing id.
    public var frames: [Frame]
    /// How many frames a peer sent beyond what the socket keeps; a well-behaved peer sends none.
    public var droppedFrames: Int
    /// Who sent it, as the authenticator of a socket with ``Socket/Security-swift.enum/server(_:domain:)`` said; nil elsewhere. A
    /// peer can choose its routing id but not this.
    public var userID: String?

    /// Creates a message.
    public init(frames: [Frame], droppedFrames: Int = 0, userID: String? = nil) {
        self.frames = frames
        self.droppedFrames = droppedFrames
        self.userID = userID
    }

    /// Creates a message of byte arrays, one frame each.
    public init(_ frames: [[UInt8]]) { self.init(frames: frames.map { Frame($0) }) }
}
