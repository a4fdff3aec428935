/// Reads little-endian integers from an array and never past its end.
struct ByteReader {
    let bytes: [UInt8]
    var offset: Int

    init(_ bytes: [UInt8], at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var remaining: Int { bytes.count - offset }

    /// The next `size` bytes as an unsigned integer, or nil when the file ends before.
    mutating func integer(size: Int) -> Int? {
        guard remaining >= size, size <= 8 else { return nil }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        offset += size
        return Int(exactly: value)
    }

    /// The next `count` bytes, or nil when the file ends before.
    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, remaining >= count else { return nil }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }
}

/// Appends little-endian integers.
extension [UInt8] {
    mutating func append(littleEndian value: Int, size: Int) {
        for index in 0..<size { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
}
