internal import CZeroMQ

/// A message where libzmq received it: for a loop that reads some of its frames, keeps one, and forgets the rest.
///
/// Costs no allocation but for the frames that are kept. A socket lends one at a time.
@safe public struct ReceivedMessage: ~Copyable {
    private let places: FramePlaces
    /// How many frames there are; at a ROUTER the first one is the peer's routing id.
    public let frameCount: Int
    /// How many frames a peer sent beyond what the socket keeps; a well-behaved peer sends none.
    public let droppedFrames: Int
    /// Who sent it, see ``Message/userID``.
    public let userID: String?

    init(_ places: FramePlaces, frameCount: Int, droppedFrames: Int, userID: String?) {
        precondition(!places.isLent, "a socket lends one message at a time")
        places.isLent = true
        self.places = places
        self.frameCount = frameCount
        self.droppedFrames = droppedFrames
        self.userID = userID
    }

    deinit {
        for index in 0..<frameCount { places.clear(index) }
        places.isLent = false
    }

    /// The bytes of all frames that have not been taken.
    public var byteCount: Int {
        var sum = 0
        for index in 0..<frameCount { sum += unsafe places.bytes(of: index).count }
        return sum
    }

    /// Reads the bytes of a frame where libzmq received them.
    public borrowing func withBytes<Result, Failure>(
        of index: Int, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(index >= 0 && index < frameCount, "frame \(index) of \(frameCount)")
        let buffer = unsafe places.bytes(of: index)
        return try unsafe body(Span(_unsafeElements: buffer.assumingMemoryBound(to: UInt8.self)))
    }

    /// Keeps a frame beyond the life of this message; it is empty here afterwards.
    public borrowing func take(_ index: Int) -> Frame {
        precondition(index >= 0 && index < frameCount, "frame \(index) of \(frameCount)")
        return Frame(storage: places.take(index))
    }
}

/// Room for the frames of one message. Belongs to one ``Socket``, and to its thread.
@safe final class FramePlaces {
    /// Initialised messages at every moment, one more than are lent.
    private let messages: UnsafeMutablePointer<zmq_msg_t>
    let count: Int
    var isLent = false

    init(count: Int) {
        self.count = count
        unsafe messages = .allocate(capacity: count + 1)
        for index in 0...count {
            unsafe (messages + index).initialize(to: zmq_msg_t())
            _ = unsafe zmq_msg_init(messages + index)
        }
    }

    deinit {
        for index in 0...count { _ = unsafe zmq_msg_close(messages + index) }
        unsafe messages.deallocate()
    }

    func place(_ index: Int) -> UnsafeMutablePointer<zmq_msg_t> {
        precondition(index >= 0 && index <= count && !isLent, "a place for frame \(index) of \(count)")
        return unsafe messages + index
    }

    /// Valid until the place is cleared or taken.
    func bytes(of index: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: zmq_msg_data(messages + index), count: zmq_msg_size(messages + index))
    }

    func take(_ index: Int) -> FrameStorage { unsafe FrameStorage(taking: &messages[index]) }

    func clear(_ index: Int) {
        _ = unsafe zmq_msg_close(messages + index)
        _ = unsafe zmq_msg_init(messages + index)
    }
}
