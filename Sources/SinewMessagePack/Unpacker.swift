internal import Glibc

/// Reads msgpack values one after the other out of bytes that nobody vouches for.
///
/// A cursor: nothing is built but what the caller asks for, so a peer cannot make us allocate by claiming a large count.
/// Every count and length is compared with its limit and with the bytes that are left before it is used.
/// - Cost: no allocation, except strings longer than 15 bytes.
/// - Source: the msgpack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
@safe
public struct Unpacker: ~Copyable {
    // Valid for as long as `read` runs. Only `read` makes an Unpacker, and it lends it out as `inout`.
    private let bytes: UnsafeRawBufferPointer
    private let limits: UnpackingLimits
    /// Where the next value begins.
    public private(set) var offset = 0
    private var depth = 0

    private init(_ bytes: UnsafeRawBufferPointer, limits: UnpackingLimits) {
        unsafe self.bytes = bytes
        self.limits = limits
    }

    /// Lends a cursor over `bytes` to `body`, and requires that `body` reads all of them.
    ///
    /// - Throws: what `body` throws; ``MessagePackError/Reason-swift.enum/trailingBytes`` when bytes are left.
    public static func read<Value>(
        _ bytes: RawSpan, limits: UnpackingLimits = UnpackingLimits(),
        _ body: (inout Unpacker) throws(MessagePackError) -> Value
    ) throws(MessagePackError) -> Value {
        try unsafe bytes.withUnsafeBytes { (pointer) throws(MessagePackError) -> Value in
            var unpacker = unsafe Unpacker(pointer, limits: limits)
            let value = try body(&unpacker)
            guard unpacker.remaining == 0 else {
                throw MessagePackError(
                    .trailingBytes, "\(unpacker.remaining) bytes follow the last value", offset: unpacker.offset)
            }
            return value
        }
    }

    /// How many bytes were not read yet.
    public var remaining: Int { unsafe bytes.count - offset }

    // MARK: Values

    /// What the next value is; nothing is read.
    public func nextKind() throws(MessagePackError) -> MessagePackKind {
        switch try peek() {
        case 0x00...0x7F, 0xE0...0xFF, 0xCC...0xCF, 0xD0...0xD3: .integer
        case 0x80...0x8F, 0xDE, 0xDF: .map
        case 0x90...0x9F, 0xDC, 0xDD: .array
        case 0xA0...0xBF, 0xD9...0xDB: .string
        case 0xC0: .nil
        case 0xC2, 0xC3: .bool
        case 0xC4...0xC6: .binary
        case 0xC7...0xC9, 0xD4...0xD8: .extension
        case 0xCA, 0xCB: .float
        default: throw MessagePackError(.malformed, "byte 0xC1 is no msgpack type", offset: offset)
        }
    }

    /// Reads nil if it is next.
    public mutating func readNil() throws(MessagePackError) -> Bool {
        guard try peek() == 0xC0 else { return false }
        offset += 1
        return true
    }

    /// Reads a truth value.
    public mutating func readBool() throws(MessagePackError) -> Bool {
        switch try peek() {
        case 0xC2: offset += 1; return false
        case 0xC3: offset += 1; return true
        case let tag: throw unexpected(tag, "a truth value")
        }
    }

    // The three generic readers are inlinable: unspecialised across modules, reading a head took 2.3 µs instead of 0.5.

    /// Reads an integer that must fit `type`, in whatever encoding the peer chose.
    @inlinable
    public mutating func readInteger<Integer: FixedWidthInteger>(
        _ type: Integer.Type
    ) throws(MessagePackError) -> Integer {
        let start = offset
        let (bits, isNegative) = try readIntegerBits()
        let value = isNegative ? Integer(exactly: Int64(bitPattern: bits)) : Integer(exactly: bits)
        guard let value else {
            throw MessagePackError(.outOfRange, "an integer does not fit \(Integer.self)", offset: start)
        }
        return value
    }

    @usableFromInline
    mutating func readIntegerBits() throws(MessagePackError) -> (bits: UInt64, isNegative: Bool) {
        func signed(_ value: some FixedWidthInteger & SignedInteger) -> (bits: UInt64, isNegative: Bool) {
            (UInt64(truncatingIfNeeded: value), value < 0)
        }
        let tag = try peek()
        switch tag {
        case 0x00...0x7F:
            offset += 1
            return (UInt64(tag), false)
        case 0xE0...0xFF:
            offset += 1
            return signed(Int8(bitPattern: tag))
        case 0xCC: return (UInt64(try bigEndian(UInt8.self)), false)
        case 0xCD: return (UInt64(try bigEndian(UInt16.self)), false)
        case 0xCE: return (UInt64(try bigEndian(UInt32.self)), false)
        case 0xCF: return (try bigEndian(UInt64.self), false)
        case 0xD0: return signed(try bigEndian(Int8.self))
        case 0xD1: return signed(try bigEndian(Int16.self))
        case 0xD2: return signed(try bigEndian(Int32.self))
        case 0xD3: return signed(try bigEndian(Int64.self))
        default: throw unexpected(tag, "an integer")
        }
    }

    /// Reads a number as a 64-bit float; integers are accepted, since dynamic languages write `1` for `1.0`.
    public mutating func readDouble() throws(MessagePackError) -> Double {
        let tag = try peek()
        switch tag {
        case 0xCA: return Double(Float(bitPattern: try bigEndian(UInt32.self)))
        case 0xCB: return Double(bitPattern: try bigEndian(UInt64.self))
        case 0xCF: return Double(try bigEndian(UInt64.self))
        case 0x00...0x7F, 0xE0...0xFF, 0xCC...0xCE, 0xD0...0xD3: return Double(try readInteger(Int64.self))
        default: throw unexpected(tag, "a number")
        }
    }

    /// Reads a number as a 32-bit float, rounding a 64-bit one.
    public mutating func readFloat() throws(MessagePackError) -> Float {
        if try peek() == 0xCA { return Float(bitPattern: try bigEndian(UInt32.self)) }
        return Float(try readDouble())
    }

    /// Reads a UTF-8 string of at most `bytesMax` bytes (and never more than the limit).
    ///
    /// - Parameter known: returned, without an allocation, when the string is equal to it.
    public mutating func readString(
        bytesMax: Int = .max, reusing known: String? = nil
    ) throws(MessagePackError) -> String {
        let start = offset
        let tag = try peek()
        let count: Int
        switch tag {
        case 0xA0...0xBF: offset += 1; count = Int(tag & 0x1F)
        case 0xD9: count = Int(try bigEndian(UInt8.self))
        case 0xDA: count = Int(try bigEndian(UInt16.self))
        case 0xDB: count = Int(try bigEndian(UInt32.self))
        default: throw unexpected(tag, "a string")
        }
        let body = try unsafe take(count, max: min(bytesMax, limits.stringBytesMax), "a string", start: start)
        if let known, unsafe Self.isEqual(known, body) { return known }
        do throws(UTF8.ValidationError) {
            return String(
                copying: try unsafe UTF8Span(
                    validating: Span(_unsafeElements: body.assumingMemoryBound(to: UInt8.self))))
        } catch { throw MessagePackError(.malformed, "a string is not valid UTF-8", offset: start) }
    }

    private static func isEqual(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let isEqual = unsafe text.utf8.withContiguousStorageIfAvailable { utf8 in
            guard utf8.count == bytes.count else { return false }
            guard let first = utf8.baseAddress, let second = bytes.baseAddress else { return true }
            return unsafe memcmp(first, second, bytes.count) == 0
        }
        return isEqual ?? false
    }

    /// Reads where a binary value stands; ``withBytes(in:_:)`` lends it, once its meaning is known.
    public mutating func readBinaryRange() throws(MessagePackError) -> Range<Int> {
        let start = offset
        let tag = try peek()
        let count: Int
        switch tag {
        case 0xC4: count = Int(try bigEndian(UInt8.self))
        case 0xC5: count = Int(try bigEndian(UInt16.self))
        case 0xC6: count = Int(try bigEndian(UInt32.self))
        default: throw unexpected(tag, "binary data")
        }
        let begin = offset
        _ = try unsafe take(count, max: limits.binaryBytesMax, "binary data", start: start)
        return begin..<offset
    }

    /// Lends bytes that were read already, without a copy.
    ///
    /// - Precondition: the range came from ``readBinaryRange()`` of this unpacker.
    public borrowing func withBytes<Value, Failure: Error>(
        in range: Range<Int>, _ body: (RawSpan) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        precondition(range.lowerBound >= 0 && range.upperBound <= offset)
        return try body(unsafe UnsafeRawBufferPointer(rebasing: bytes[range]).bytes)
    }

    /// Reads a binary value into an array of its own.
    public mutating func readBinary() throws(MessagePackError) -> [UInt8] {
        let range = try readBinaryRange()
        return unsafe Array(bytes[range])
    }

    /// Lends an array's element count to `body`, which must read exactly that many values.
    ///
    /// - Parameter countMax: refuse more elements than this; never more than the limit.
    @inlinable
    public mutating func readArray<Value>(
        countMax: Int = .max, _ body: (inout Unpacker, _ count: Int) throws(MessagePackError) -> Value
    ) throws(MessagePackError) -> Value {
        let count = try enterArray(countMax: countMax)
        let value = try body(&self, count)
        leave()
        return value
    }

    /// Lends a map's pair count to `body`, which must read exactly that many keys and values.
    ///
    /// - Parameter countMax: refuse more pairs than this; never more than the limit.
    @inlinable
    public mutating func readMap<Value>(
        countMax: Int = .max, _ body: (inout Unpacker, _ count: Int) throws(MessagePackError) -> Value
    ) throws(MessagePackError) -> Value {
        let count = try enterMap(countMax: countMax)
        let value = try body(&self, count)
        leave()
        return value
    }

    @usableFromInline
    mutating func enterArray(countMax: Int) throws(MessagePackError) -> Int {
        let start = offset
        let count: Int
        switch try peek() {
        case let tag where tag & 0xF0 == 0x90:
            offset += 1
            count = Int(tag & 0x0F)
        case 0xDC: count = Int(try bigEndian(UInt16.self))
        case 0xDD: count = Int(try bigEndian(UInt32.self))
        case let tag: throw unexpected(tag, "an array")
        }
        try descend(count, bytesPerElement: 1, countMax: countMax, "an array", start: start)
        return count
    }

    @usableFromInline
    mutating func enterMap(countMax: Int) throws(MessagePackError) -> Int {
        let start = offset
        let count: Int
        switch try peek() {
        case let tag where tag & 0xF0 == 0x80:
            offset += 1
            count = Int(tag & 0x0F)
        case 0xDE: count = Int(try bigEndian(UInt16.self))
        case 0xDF: count = Int(try bigEndian(UInt32.self))
        case let tag: throw unexpected(tag, "a map")
        }
        try descend(count, bytesPerElement: 2, countMax: countMax, "a map", start: start)
        return count
    }

    @usableFromInline
    mutating func leave() { depth -= 1 }

    /// Reads and forgets one value of any type.
    ///
    /// - Cost: time in the value's bytes; the stack does not grow past the nesting limit.
    public mutating func skip() throws(MessagePackError) {
        let start = offset
        let tag = try peek()
        switch tag {
        case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: offset += 1
        case 0x80...0x8F, 0xDE, 0xDF:
            try readMap { (unpacker, count) throws(MessagePackError) in
                for _ in 0..<count {
                    try unpacker.skip()
                    try unpacker.skip()
                }
            }
        case 0x90...0x9F, 0xDC, 0xDD:
            try readArray { (unpacker, count) throws(MessagePackError) in
                for _ in 0..<count { try unpacker.skip() }
            }
        case 0xA0...0xBF: offset += 1; try advance(Int(tag & 0x1F), start: start)
        case 0xC4, 0xD9: try advance(Int(try bigEndian(UInt8.self)), start: start)
        case 0xC5, 0xDA: try advance(Int(try bigEndian(UInt16.self)), start: start)
        case 0xC6, 0xDB: try advance(Int(try bigEndian(UInt32.self)), start: start)
        case 0xC7: try advance(Int(try bigEndian(UInt8.self)) + 1, start: start)
        case 0xC8: try advance(Int(try bigEndian(UInt16.self)) + 1, start: start)
        case 0xC9: try advance(Int(try bigEndian(UInt32.self)) + 1, start: start)
        case 0xCA, 0xCE, 0xD2: try advance(5, start: start)
        case 0xCB, 0xCF, 0xD3: try advance(9, start: start)
        case 0xCC, 0xD0: try advance(2, start: start)
        case 0xCD, 0xD1: try advance(3, start: start)
        case 0xD4...0xD8: try advance(2 + 1 << Int(tag - 0xD4), start: start)
        default: throw MessagePackError(.malformed, "byte 0xC1 is no msgpack type", offset: start)
        }
    }

    // MARK: Bytes

    private func peek() throws(MessagePackError) -> UInt8 {
        guard remaining > 0 else {
            throw MessagePackError(.truncated, "the bytes end where a value should begin", offset: offset)
        }
        return unsafe bytes[offset]
    }

    /// The big-endian number behind the tag byte at `offset`; moves past both.
    private mutating func bigEndian<Integer: FixedWidthInteger>(_: Integer.Type) throws(MessagePackError) -> Integer {
        let width = Integer.bitWidth / 8
        guard remaining > width else {
            throw MessagePackError(.truncated, "the bytes end inside a value's header", offset: offset)
        }
        let value = unsafe bytes.loadUnaligned(fromByteOffset: offset + 1, as: Integer.self)
        offset += 1 + width
        return Integer(bigEndian: value)
    }

    private mutating func advance(_ count: Int, start: Int) throws(MessagePackError) {
        guard count <= remaining else {
            throw MessagePackError(
                .truncated, "a value needs \(count) bytes, \(remaining) are left", offset: start)
        }
        offset += count
    }

    private mutating func take(
        _ count: Int, max: Int, _ what: String, start: Int
    ) throws(MessagePackError) -> UnsafeRawBufferPointer {
        guard count <= max else {
            throw MessagePackError(
                .limitExceeded, "\(what) has \(count) bytes, at most \(max) are accepted", offset: start)
        }
        let begin = offset
        try advance(count, start: start)
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[begin..<offset])
    }

    private mutating func descend(
        _ count: Int, bytesPerElement: Int, countMax: Int, _ what: String, start: Int
    ) throws(MessagePackError) {
        let max = min(countMax, limits.countMax)
        guard count <= max else {
            throw MessagePackError(
                .limitExceeded, "\(what) has \(count) elements, at most \(max) are accepted", offset: start)
        }
        guard count * bytesPerElement <= remaining else {
            throw MessagePackError(
                .truncated, "\(what) claims \(count) elements, \(remaining) bytes are left", offset: start)
        }
        guard depth < limits.nestingMax else {
            throw MessagePackError(
                .limitExceeded, "values are nested more than \(limits.nestingMax) deep", offset: start)
        }
        depth += 1
    }

    private func unexpected(_ tag: UInt8, _ what: String) -> MessagePackError {
        MessagePackError(
            .unexpectedType, "expected \(what), found \(Unpacker.nameOfType(tag))", offset: offset)
    }

    private static func nameOfType(_ tag: UInt8) -> String {
        switch tag {
        case 0x00...0x7F, 0xE0...0xFF, 0xCC...0xCF, 0xD0...0xD3: "an integer"
        case 0x80...0x8F, 0xDE, 0xDF: "a map"
        case 0x90...0x9F, 0xDC, 0xDD: "an array"
        case 0xA0...0xBF, 0xD9...0xDB: "a string"
        case 0xC0: "nil"
        case 0xC2, 0xC3: "a truth value"
        case 0xC4...0xC6: "binary data"
        case 0xC7...0xC9, 0xD4...0xD8: "an extension value"
        case 0xCA, 0xCB: "a float"
        default: "byte 0xC1, which is no msgpack type"
        }
    }
}
