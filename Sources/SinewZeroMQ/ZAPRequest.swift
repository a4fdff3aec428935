/// libzmq's question whether a peer may connect (ZeroMQ RFC 27), as a ROUTER at ``endpoint`` receives it.
package struct ZAPRequest: Sendable {
    /// Where libzmq asks; a ROUTER of the context must be bound here before a socket with `Socket.Security.server` is.
    package static let endpoint = "inproc://zeromq.zap.01"
    /// Frames of a question with one credential and its routing id, and some to see that there are too many.
    package static let framesMax = 12

    /// The `domain` of the socket that the peer connects to.
    package let domain: String
    /// The peer's address.
    package let address: String
    /// The key that the peer has proved to hold; nil when the mechanism is not CURVE.
    package let publicKey: CurvePublicKey?
    private let route: Frame
    private let requestID: Frame

    /// What to tell libzmq.
    package enum Answer: Sendable, Equatable {
        /// Let it in; `userID` comes with each of its messages as ``Message/userID``.
        case admitted(userID: String)
        /// Refuse it; the peer learns the status 400 and nothing else.
        case refused
    }

    /// Reads a question; nil when it is none that this version knows.
    package init?(_ message: Message) {
        let frames = message.frames
        guard message.droppedFrames == 0, frames.count >= 8, frames[1].isEmpty, frames[2].bytes == Array("1.0".utf8)
        else {
            return nil
        }
        route = frames[0]
        requestID = frames[3]
        domain = String(decoding: frames[4].bytes, as: UTF8.self)
        address = String(decoding: frames[5].bytes, as: UTF8.self)
        let isCurve = frames[7].bytes == Array("CURVE".utf8)
        publicKey = isCurve && frames.count == 9 ? CurvePublicKey(bytes: frames[8].bytes) : nil
    }

    /// The message that answers.
    package func reply(_ answer: Answer) -> Message {
        let (status, userID) =
            switch answer {
            case .admitted(let userID): ("200", userID)
            case .refused: ("400", "")
            }
        let words = ["1.0"].map { Frame($0) } + [requestID] + [status, "", userID, ""].map { Frame($0) }
        return Message(frames: [route, Frame([])] + words)
    }
}
