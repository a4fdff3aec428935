/// Archives that numpy could write and nobody should read.
enum PickledArchive {
    /// An archive whose array has Python objects, with a pickle for its content.
    static func bytes(named name: String) -> [UInt8] {
        let pickle: [UInt8] = [0x80, 0x04, 0x5D, 0x94, 0x2E]
        return archive(name, array("|O", shape: "(1,)") + pickle, expandedByteCount: nil)
    }

    /// An archive whose member claims to become 200 GB from a few bytes.
    static func bomb(named name: String) -> [UInt8] {
        archive(name, array("<f4", shape: "(700000000, 24, 3)"), expandedByteCount: 0xFFFF_FF00)
    }

    private static func array(_ type: String, shape: String) -> [UInt8] {
        var header = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }".utf8)
        while (header.count + 11) % 64 != 0 { header.append(0x20) }
        header.append(0x0A)
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count % 256), UInt8(header.count / 256)] + header
    }

    /// One stored member, or one that says it is deflated and much larger.
    private static func archive(_ name: String, _ content: [UInt8], expandedByteCount: Int?) -> [UInt8] {
        func little(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(value >> (8 * $0) & 0xFF) } }
        let file = Array((name + ".npy").utf8)
        let method = expandedByteCount == nil ? 0 : 8
        let size = expandedByteCount ?? content.count
        let common: [UInt8] =
            little(20, 2) + little(0, 2) + little(method, 2) + little(0, 2) + little(0x21, 2)
            + little(Int(checksum(content)), 4) + little(content.count, 4) + little(size, 4) + little(file.count, 2)
            + little(0, 2)
        let local = little(0x0403_4B50, 4) + common + file + content
        let central =
            little(0x0201_4B50, 4) + little(20, 2) + common + [UInt8](repeating: 0, count: 10) + little(0, 4) + file
        let end =
            little(0x0605_4B50, 4) + little(0, 4) + little(1, 2) + little(1, 2) + little(central.count, 4)
            + little(local.count, 4) + little(0, 2)
        return local + central + end
    }

    /// CRC-32 as ZIP has it.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
