internal import CZeroMQ

/// The bytes of one frame right behind the header of their object: 32 bytes and what malloc rounds up to, for frames that wait long.
///
/// libzmq receives small messages several to a buffer of 8 KiB and more, and each of them keeps the whole buffer.
@safe final class PackedBytes: ManagedBuffer<Int, UInt8> {
    /// What a ``Frame`` holds.
    // Sendable: the bytes are written before anybody else has a reference, and never again.
    struct Reference: @unchecked Sendable { let object: PackedBytes }

    static func copy(of source: UnsafeRawBufferPointer) -> PackedBytes {
        let made = create(minimumCapacity: source.count) { _ in source.count }
        unsafe made.withUnsafeMutablePointerToElements { elements in
            unsafe UnsafeMutableRawBufferPointer(start: elements, count: source.count).copyMemory(from: source)
        }
        return unsafe unsafeDowncast(made, to: PackedBytes.self)
    }

    /// Valid for as long as this object lives.
    var buffer: UnsafeRawBufferPointer {
        unsafe withUnsafeMutablePointers { count, elements in
            unsafe UnsafeRawBufferPointer(start: elements, count: count.pointee)
        }
    }

    /// Makes a message that refers to the bytes; libzmq releases this object on one of its own threads.
    func share(into other: inout zmq_msg_t) {
        let object = unsafe Unmanaged.passRetained(self).toOpaque()
        let bytes = unsafe buffer
        let result = unsafe zmq_msg_init_data(
            &other, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count,
            { _, hint in
                guard let hint = unsafe hint else { return }
                unsafe Unmanaged<PackedBytes>.fromOpaque(hint).release()
            }, object)
        precondition(result == 0, "out of memory")
    }
}
