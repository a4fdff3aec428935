internal import CZeroMQ
internal import Synchronization

/// Bytes that were sent to a peer and that libzmq still has, because the peer does not read.
///
/// libzmq bounds what waits for a peer by messages, and a message may be large. Frames from ``counting(_:)`` are counted from the
/// moment they are sent until the last of them has gone to the system, or was dropped with its connection.
public final class UnsentBytes: Sendable {
    private let count = Atomic<Int>(0)

    /// Creates a counter for one peer.
    public init() {}

    /// The bytes of now.
    public var value: Int { count.load(ordering: .acquiring) }

    /// Whether so many more are not beyond the limit.
    public func hasRoom(for byteCount: Int, max: Int) -> Bool { value + byteCount <= max }

    /// The same bytes as a frame that is counted here whenever it is sent; they are not copied.
    public func counting(_ frame: Frame) -> Frame { Frame(counted: CountedFrame(frame: frame, by: self)) }

    fileprivate func add(_ byteCount: Int) { count.wrappingAdd(byteCount, ordering: .acquiringAndReleasing) }
}

/// A frame and who counts it.
final class CountedFrame: Sendable {
    let frame: Frame
    private let counter: UnsentBytes

    init(frame: Frame, by counter: UnsentBytes) {
        self.frame = frame
        self.counter = counter
    }

    /// One time that the frame was sent; libzmq ends it on one of its own threads.
    private final class Sending: Sendable {
        private let frame: Frame
        private let counter: UnsentBytes

        init(_ frame: Frame, _ counter: UnsentBytes) {
            self.frame = frame
            self.counter = counter
            counter.add(frame.count)
        }

        deinit { counter.add(-frame.count) }
    }

    /// Makes a message that refers to the bytes.
    func share(into other: inout zmq_msg_t) {
        let sending = unsafe Unmanaged.passRetained(Sending(frame, counter)).toOpaque()
        let result = unsafe frame.withUnsafeBytes { bytes in
            unsafe zmq_msg_init_data(
                &other, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count,
                { _, hint in
                    guard let hint = unsafe hint else { return }
                    unsafe Unmanaged<Sending>.fromOpaque(hint).release()
                }, sending)
        }
        precondition(result == 0, "out of memory")
    }
}
