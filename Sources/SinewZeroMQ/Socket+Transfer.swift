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
            guard index == 0 else {
                try requireSent(failure)
                continue
            }
            return try outcome(failure)
        }
        return .sent
    }

    /// Sends a message of a head that is only lent and what follows it, at a ROUTER behind the route. Like ``send(_:)``, without a
    /// ``Message``.
    ///
    /// - Throws: as ``send(_:)`` does.
    /// - Cost: one allocation of libzmq's and a copy for a head of more than 33 bytes.
    public borrowing func send(
        to route: Frame? = nil, head: RawSpan, metadata: Frame? = nil, payload: Frame? = nil
    ) throws(ZeroMQError) -> SendOutcome {
        handle.claimThread()
        if let route, let failure = transfer(route, flags: ZMQ_DONTWAIT | ZMQ_SNDMORE) { return try outcome(failure) }
        let isWhole = metadata == nil && payload == nil
        let failure = transfer(head, flags: isWhole ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE)
        if route == nil, let failure { return try outcome(failure) }
        try requireSent(failure)
        if let metadata {
            try requireSent(transfer(metadata, flags: payload == nil ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE))
        }
        if let payload { try requireSent(transfer(payload, flags: ZMQ_DONTWAIT)) }
        return .sent
    }

    /// What a refusal of a message's first frame means.
    private func outcome(_ failure: Int32) throws(ZeroMQError) -> SendOutcome {
        switch failure {
        case EAGAIN: return .wouldBlock
        case EHOSTUNREACH: return .unroutable
        default: throw ZeroMQError(failure, operation: "send")
        }
    }

    /// libzmq decides about a whole message at its first frame; a later refusal cannot be taken back.
    private func requireSent(_ failure: Int32?) throws(ZeroMQError) {
        guard let failure else { return }
        throw ZeroMQError(
            failure, operation: "send", reason: failure == errorTerminated ? .terminated : .brokenMessage)
    }

    private borrowing func transfer(_ bytes: RawSpan, flags: Int32) -> Int32? {
        var message = zmq_msg_t()
        precondition(unsafe zmq_msg_init_size(&message, bytes.byteCount) == 0, "out of memory")
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe zmq_msg_data(&message).copyMemory(from: base, byteCount: source.count)
        }
        return transfer(&message, flags: flags)
    }

    /// Sends one frame; returns the error number, or nil when libzmq took it.
    private borrowing func transfer(_ frame: Frame, flags: Int32) -> Int32? {
        var shared = zmq_msg_t()
        frame.share(into: &shared)
        return transfer(&shared, flags: flags)
    }

    private borrowing func transfer(_ shared: inout zmq_msg_t, flags: Int32) -> Int32? {
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
        guard let received = try receiveLent() else { return nil }
        var frames: [Frame] = []
        frames.reserveCapacity(received.frameCount)
        for index in 0..<received.frameCount { frames.append(received.take(index)) }
        return Message(frames: frames, droppedFrames: received.droppedFrames, userID: received.userID)
    }

    /// The next message where libzmq received it, or nil when none waits. It must be gone before the next is received.
    ///
    /// - Throws: as ``receive()`` does.
    public borrowing func receiveLent() throws(ZeroMQError) -> ReceivedMessage? {
        handle.claimThread()
        let places = handle.places
        var count = 0
        var droppedFrames = 0
        while true {
            // What is beyond the limit is received into a place that is not lent, over the one before.
            let place = unsafe places.place(count)
            guard try unsafe fill(place) else {
                precondition(count == 0 && droppedFrames == 0, "libzmq delivers messages whole")
                return nil
            }
            if count < places.count { count += 1 } else { droppedFrames += 1 }
            guard unsafe zmq_msg_more(place) == 0 else { continue }
            // libzmq 4.3.4 may lose it on the first frames of a message at a ROUTER, never on the last.
            let userID = handle.knowsUsers ? unsafe Self.userID(of: place) : nil
            return ReceivedMessage(places, frameCount: count, droppedFrames: droppedFrames, userID: userID)
        }
    }

    private static func userID(of frame: UnsafeMutablePointer<zmq_msg_t>) -> String? {
        guard let text = unsafe zmq_msg_gets(frame, "User-Id") else { return nil }
        return unsafe String(cString: text)
    }

    /// Receives one frame into an initialised message; false when none waits.
    private borrowing func fill(_ message: UnsafeMutablePointer<zmq_msg_t>) throws(ZeroMQError) -> Bool {
        while unsafe zmq_msg_recv(message, handle.pointer, ZMQ_DONTWAIT) < 0 {
            let failure = zmq_errno()
            if failure == EINTR { continue }
            if failure == EAGAIN { return false }
            throw ZeroMQError(failure, operation: "receive")
        }
        return true
    }
}
