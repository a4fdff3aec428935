internal import CZeroMQ
internal import Synchronization

/// The one owner of a `zmq_msg_t`; its bytes never change after creation.
///
/// A small message keeps its bytes inside the `zmq_msg_t`, so the struct must never move: it lives in a mutex stored in
/// this object, whose address is fixed. The mutex guards the hidden writes of `zmq_msg_copy` to flags and reference count.
@safe final class FrameStorage: Sendable {
    private let message = Mutex(zmq_msg_t())
    // Written once, before anybody else has a reference: where the bytes are does not change, so reading them needs no lock.
    private nonisolated(unsafe) var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    /// Takes over a received message and leaves an empty one behind.
    init(taking received: inout zmq_msg_t) {
        unsafe bytes = message.withLock { own in
            unsafe zmq_msg_init(&own)
            unsafe zmq_msg_move(&own, &received)
            return unsafe Self.bytes(of: &own)
        }
    }

    /// Copies bytes into a message of libzmq's own.
    init(copying source: UnsafeRawBufferPointer) {
        unsafe bytes = message.withLock { own in
            precondition(unsafe zmq_msg_init_size(&own, source.count) == 0, "out of memory")
            if let base = source.baseAddress {
                unsafe zmq_msg_data(&own).copyMemory(from: base, byteCount: source.count)
            }
            return unsafe Self.bytes(of: &own)
        }
    }

    /// Lends an array to libzmq without copying it.
    ///
    /// libzmq frees on one of its own threads. The box is retained once here and released once there; while it holds the
    /// array, the array's storage neither moves nor changes (a writer elsewhere would get a copy of its own).
    init(lending bytes: [UInt8]) {
        let box = unsafe Unmanaged.passRetained(LentBytes(bytes))
        unsafe self.bytes = message.withLock { own in
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe zmq_msg_init_data(
                    &own, UnsafeMutableRawPointer(mutating: buffer.baseAddress), buffer.count,
                    { _, hint in
                        guard let hint = unsafe hint else { return }
                        unsafe Unmanaged<LentBytes>.fromOpaque(hint).release()
                    }, box.toOpaque())
            }
            precondition(result == 0, "out of memory")
            return unsafe Self.bytes(of: &own)
        }
    }

    deinit { message.withLock { own in _ = unsafe zmq_msg_close(&own) } }

    private static func bytes(of own: inout zmq_msg_t) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: zmq_msg_data(&own), count: zmq_msg_size(&own))
    }

    /// Makes `other` a second reference to the same bytes (libzmq copies messages of up to 33 bytes).
    func share(into other: inout zmq_msg_t) {
        message.withLock { own in
            unsafe zmq_msg_init(&other)
            let result = unsafe zmq_msg_copy(&other, &own)
            precondition(result == 0, "the message was never initialised")
        }
    }

    /// The bytes; valid for as long as this object lives.
    var buffer: UnsafeRawBufferPointer { unsafe bytes }
}

/// Keeps an array alive for as long as libzmq has a pointer into it.
private final class LentBytes {
    private let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
