internal import CZeroMQ

/// The bytes of one frame of a message, immutable and shared.
///
/// Forwarding a frame, to one socket or to several, copies a reference and not the bytes.
@safe public struct Frame: Sendable {
    private enum Storage {
        case message(FrameStorage)
        case packed(PackedBytes.Reference)
        case counted(CountedFrame)
    }

    private let storage: Storage

    /// From this many bytes on, an array is lent to libzmq; below, copying costs less than the bookkeeping.
    static let lendingBytesMin = 1024

    init(storage: FrameStorage) { self.storage = .message(storage) }

    init(counted: CountedFrame) { storage = .counted(counted) }

    /// Makes a frame of an array; a large one is not copied.
    public init(_ bytes: [UInt8]) {
        if bytes.count >= Frame.lendingBytesMin {
            storage = .message(FrameStorage(lending: bytes))
        } else {
            storage = .message(unsafe bytes.withUnsafeBytes { unsafe FrameStorage(copying: $0) })
        }
    }

    /// Makes a frame of the UTF-8 bytes of a text.
    public init(_ text: String) { self.init(Array(text.utf8)) }

    /// The same bytes in memory of their own, with the least around them: for a frame that waits, where a received one may keep a whole
    /// buffer of libzmq's. A large frame has one of its own already, and is returned as it is.
    public func packed() -> Frame {
        switch storage {
        case .message(let message):
            unsafe message.buffer.count <= Frame.packingBytesMax ? Frame(packed: .copy(of: message.buffer)) : self
        case .packed, .counted: self
        }
    }

    /// Above this many bytes, what stands around them is less than one part in two hundred.
    static let packingBytesMax = 64 << 10

    private init(packed bytes: PackedBytes) { storage = .packed(.init(object: bytes)) }

    private var buffer: UnsafeRawBufferPointer {
        switch storage {
        case .message(let message): unsafe message.buffer
        case .packed(let bytes): unsafe bytes.object.buffer
        case .counted(let counted): unsafe counted.frame.buffer
        }
    }

    /// Makes `other` a second reference to the same bytes.
    func share(into other: inout zmq_msg_t) {
        switch storage {
        case .message(let message): message.share(into: &other)
        case .packed(let bytes): bytes.object.share(into: &other)
        case .counted(let counted): counted.share(into: &other)
        }
    }

    /// The number of bytes.
    public var count: Int { unsafe buffer.count }

    /// Whether the frame has no bytes.
    public var isEmpty: Bool { count == 0 }

    /// A copy of the bytes.
    public var bytes: [UInt8] { withBytes { span in unsafe span.withUnsafeBufferPointer { unsafe Array($0) } } }

    /// Reads the bytes where libzmq received them.
    public func withBytes<Result, Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The storage outlives the call: `self` holds it.
        try withExtendedLifetime(self) { () throws(Failure) -> Result in
            let buffer = unsafe self.buffer
            return try unsafe body(Span(_unsafeElements: buffer.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// Reads the bytes through a pointer, for C libraries; the pointer must not leave the closure.
    public func withUnsafeBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) -> Result in
            try unsafe body(buffer)
        }
    }
}
