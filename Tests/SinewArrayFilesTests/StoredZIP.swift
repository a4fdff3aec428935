/// A ZIP archive of one member, built field by field so that tests can lie in any of them.
enum StoredZIP {
    static func archive(name: String, content: [UInt8], method: Int = 0) -> [UInt8] {
        var common: [UInt8] = []
        put(20, 2, &common)
        put(0, 2, &common)
        put(method, 2, &common)
        put(0, 4, &common)
        put(Int(checksum(content)), 4, &common)
        put(content.count, 4, &common)
        put(content.count, 4, &common)
        put(name.utf8.count, 2, &common)
        put(0, 2, &common)
        var bytes: [UInt8] = []
        put(0x0403_4B50, 4, &bytes)
        bytes += common + Array(name.utf8) + content
        let directory = bytes.count
        put(0x0201_4B50, 4, &bytes)
        put(20, 2, &bytes)
        bytes += common + [UInt8](repeating: 0, count: 14) + Array(name.utf8)
        let size = bytes.count - directory
        put(0x0605_4B50, 4, &bytes)
        put(0, 4, &bytes)
        put(1, 2, &bytes)
        put(1, 2, &bytes)
        put(size, 4, &bytes)
        put(directory, 4, &bytes)
        put(0, 2, &bytes)
        return bytes
    }

    private static func put(_ value: Int, _ size: Int, _ bytes: inout [UInt8]) {
        for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    /// CRC-32 bit by bit, independent of zlib's.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
