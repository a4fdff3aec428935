import SinewZeroMQ
import Testing

/// Long enough that only a hang reaches it, on the slowest machine.
let generousDeadline = Duration.seconds(30)

/// The next message of a socket; nil when none arrives before a generous deadline.
func nextMessage(_ socket: borrowing Socket) throws -> Message? {
    var poller = Poller()
    _ = poller.add(socket)
    let end = ContinuousClock.now + generousDeadline
    while ContinuousClock.now < end {
        if let message = try socket.receive() { return message }
        try poller.wait(atMost: end - ContinuousClock.now)
    }
    return nil
}

extension Message {
    /// The frames as texts.
    var texts: [String] { frames.map { String(decoding: $0.bytes, as: UTF8.self) } }

    /// A message of texts.
    init(texts: String...) { self.init(frames: texts.map { Frame($0) }) }
}

/// Bytes that differ from their neighbours, so that a shifted or repeated block is noticed.
func pattern(_ count: Int, seed: UInt8 = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) &+ seed }
}
