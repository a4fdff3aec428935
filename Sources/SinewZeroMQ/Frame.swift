internal import CZeroMQ

/// The bytes of one frame of a message, immutable and shared.
///
/// Forwarding a frame, to one socket or to several, copies a reference and not the bytes.
@safe public struct Frame: Sendable {
    let storage: FrameStorage

    /// From this many bytes on, an array is lent to libzmq; below, copying costs less than the bookkeeping.
    static let lendingBytesMin = 1024

    init(storage: FrameStorage) { self.storage = storage }

    /// Makes a frame of an array; a large one is not copied.
    public init(_ bytes: [UInt8]) {
        if bytes.count >= Frame.lendingBytesMin {
            storage = FrameStorage(lending: bytes)
        } else {
            storage = unsafe bytes.withUnsafeBytes { unsafe FrameStorage(copying: $0) }
        }
    }

    /// Makes a frame of the UTF-8 bytes of a text.
    public init(_ text: String) { self.init(Array(text.utf8)) }

    /// The number of bytes.
    public var count: Int { storage.count }

    /// Whether the frame has no bytes.
    public var isEmpty: Bool { count == 0 }

    /// A copy of the bytes.
    public var bytes: [UInt8] { withBytes { span in unsafe span.withUnsafeBufferPointer { unsafe Array($0) } } }

    /// Reads the bytes where libzmq received them.
    public func withBytes<Result, Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The storage outlives the call: `self` holds it.
        try withExtendedLifetime(storage) { () throws(Failure) -> Result in
            let buffer = unsafe storage.buffer
            return try unsafe body(Span(_unsafeElements: buffer.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// Reads the bytes through a pointer, for C libraries; the pointer must not leave the closure.
    public func withUnsafeBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(storage) { () throws(Failure) -> Result in
            try unsafe body(storage.buffer)
        }
    }
}
