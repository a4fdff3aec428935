internal import CMessagePack

/// Writes msgpack values one after the other into a growing buffer.
///
/// Owns one `msgpack_sbuffer` of msgpack-c. Every value takes its shortest encoding. The caller keeps the promise that an
/// array or map of `count` is followed by that many elements or pairs.
/// - Cost: one allocation that doubles when full, and one copy in ``finish()``.
@safe
public struct Packer: ~Copyable {
    // On the heap because the packer keeps its address. Never nil until deinit; nobody else holds it.
    private let buffer: UnsafeMutablePointer<msgpack_sbuffer>
    private var packer: msgpack_packer

    /// Creates an empty packer.
    public init() {
        guard let buffer = unsafe msgpack_sbuffer_new() else { fatalError("Packer.init: out of memory") }
        unsafe self.buffer = buffer
        unsafe packer = msgpack_packer()
        unsafe msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write)
    }

    deinit { unsafe msgpack_sbuffer_free(buffer) }

    /// How many bytes were written.
    public var byteCount: Int { unsafe buffer.pointee.size }

    /// The bytes written so far; the packer is empty afterwards and may be used again.
    public mutating func finish() -> [UInt8] {
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: buffer.pointee.data, count: buffer.pointee.size))
        unsafe buffer.pointee.size = 0
        return bytes
    }

    /// Lends the bytes written so far; the packer is empty afterwards and may be used again. For a loop that sends them at once.
    public mutating func finish<Value, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        defer { unsafe buffer.pointee.size = 0 }
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer.pointee.data, count: buffer.pointee.size)
        return try unsafe body(bytes.bytes)
    }

    /// Writes nil.
    public mutating func packNil() { unsafe check(msgpack_pack_nil(&packer)) }

    /// Writes a truth value.
    public mutating func pack(_ value: Bool) {
        unsafe check(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer))
    }

    /// Writes an unsigned integer.
    public mutating func pack(_ value: UInt64) { unsafe check(msgpack_pack_uint64(&packer, value)) }

    /// Writes a signed integer.
    public mutating func pack(_ value: Int64) { unsafe check(msgpack_pack_int64(&packer, value)) }

    /// Writes a 32-bit float.
    public mutating func pack(_ value: Float) { unsafe check(msgpack_pack_float(&packer, value)) }

    /// Writes a 64-bit float.
    public mutating func pack(_ value: Double) { unsafe check(msgpack_pack_double(&packer, value)) }

    /// Writes a string.
    public mutating func pack(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            unsafe check(msgpack_pack_str_with_body(&packer, utf8.baseAddress, utf8.count))
        }
    }

    /// Begins an array; `count` values must follow.
    public mutating func packArrayHeader(count: Int) { unsafe check(msgpack_pack_array(&packer, count)) }

    /// Begins a map; `count` pairs of key and value must follow.
    public mutating func packMapHeader(count: Int) { unsafe check(msgpack_pack_map(&packer, count)) }

    /// Writes binary data.
    public mutating func pack(binary: [UInt8]) { unsafe pack(binary: binary.span.bytes) }

    /// Writes binary data.
    public mutating func pack(binary: RawSpan) {
        unsafe binary.withUnsafeBytes { bytes in
            unsafe check(msgpack_pack_bin_with_body(&packer, bytes.baseAddress, bytes.count))
        }
    }

    /// msgpack-c reports only one failure here: the buffer could not grow. A Swift array traps in that case, and so does this.
    private func check(_ result: Int32) {
        precondition(result == 0, "Packer: out of memory")
    }
}
