internal import CZeroMQ
internal import Glibc

extension Socket {
    /// What became of a message handed to ``Socket/send(_:)``.
    public enum SendOutcome: Sendable, Equatable {
        /// libzmq has taken it; it may still be lost with its connection.
        case sent
        /// The peer named by the first frame is unknown or gone (ROUTER only).
        case unroutable
        /// Nothing is connected yet that could take it; nothing was sent.
        case wouldBlock
    }

    /// Sends all frames or none, without waiting and without copying their bytes.
    ///
    /// - Precondition: the message has at least one frame.
    /// - Throws: ``ZeroMQError``; after `terminated` or `brokenMessage` the socket can only be closed.
    /// - Cost: one reference count per frame; frames of up to 33 bytes are copied.
    @discardableResult
    public borrowing func send(_ message: Message) throws(ZeroMQError) -> SendOutcome {
        handle.claimThread()
        precondition(!message.frames.isEmpty, "a message needs at least one frame")
        let last = message.frames.count - 1
        for (index, frame) in message.frames.enumerated() {
            let flags = ZMQ_DONTWAIT | (index < last ? ZMQ_SNDMORE : 0)
            guard let failure = transfer(frame, flags: flags) else { continue }
            // libzmq decides about a whole message at its first frame; a later refusal cannot be taken back.
            if index > 0 {
                throw ZeroMQError(
                    failure, operation: "send", reason: failure == errorTerminated ? .terminated : .brokenMessage)
            }
            switch failure {
            case EAGAIN: return .wouldBlock
            case EHOSTUNREACH: return .unroutable
            default: throw ZeroMQError(failure, operation: "send")
            }
        }
        return .sent
    }

    /// Sends one frame; returns the error number, or nil when libzmq took it.
    private borrowing func transfer(_ frame: Frame, flags: Int32) -> Int32? {
        var shared = zmq_msg_t()
        frame.storage.share(into: &shared)
        while unsafe zmq_msg_send(&shared, handle.pointer, flags) < 0 {
            let failure = zmq_errno()
            if failure == EINTR { continue }
            _ = unsafe zmq_msg_close(&shared)
            return failure
        }
        return nil
    }

    /// The next message, or nil when none waits.
    ///
    /// - Throws: ``ZeroMQError``; after `terminated` the socket can only be closed.
    /// - Cost: one allocation per frame and one for the message; bytes stay where libzmq received them.
    public borrowing func receive() throws(ZeroMQError) -> Message? {
        handle.claimThread()
        var frames: [Frame] = []
        var droppedFrames = 0
        while true {
            var received = zmq_msg_t()
            unsafe zmq_msg_init(&received)
            guard try fill(&received) else {
                precondition(frames.isEmpty, "libzmq delivers messages whole")
                return nil
            }
            let hasMore = unsafe zmq_msg_more(&received) != 0
            // libzmq 4.3.4 may lose it on the first frames of a message at a ROUTER, never on the last.
            let userID = !hasMore && handle.knowsUsers ? Self.userID(of: &received) : nil
            let storage = FrameStorage(taking: &received)
            if frames.count < handle.framesMax {
                frames.append(Frame(storage: storage))
            } else {
                droppedFrames += 1
            }
            if !hasMore { return Message(frames: frames, droppedFrames: droppedFrames, userID: userID) }
        }
    }

    private static func userID(of frame: inout zmq_msg_t) -> String? {
        guard let text = unsafe zmq_msg_gets(&frame, "User-Id") else { return nil }
        return unsafe String(cString: text)
    }

    /// Receives one frame into an initialised message; false when none waits.
    private borrowing func fill(_ message: inout zmq_msg_t) throws(ZeroMQError) -> Bool {
        while unsafe zmq_msg_recv(&message, handle.pointer, ZMQ_DONTWAIT) < 0 {
            let failure = zmq_errno()
            if failure == EINTR { continue }
            _ = unsafe zmq_msg_close(&message)
            if failure == EAGAIN { return false }
            throw ZeroMQError(failure, operation: "receive")
        }
        return true
    }
}
