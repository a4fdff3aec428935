import SinewMessagePack
import Testing

/// The expected bytes are those of the msgpack specification.
@Suite struct PackerTests {
    private func packed(_ body: (inout Packer) -> Void) -> [UInt8] {
        var packer = Packer()
        body(&packer)
        return packer.finish()
    }

    @Test(
        arguments: [
            (0, [0x00]), (127, [0x7F]), (128, [0xCC, 0x80]), (255, [0xCC, 0xFF]), (256, [0xCD, 1, 0]),
            (65_535, [0xCD, 0xFF, 0xFF]), (65_536, [0xCE, 0, 1, 0, 0]),
            (4_294_967_295, [0xCE, 0xFF, 0xFF, 0xFF, 0xFF]),
            (4_294_967_296, [0xCF, 0, 0, 0, 1, 0, 0, 0, 0]),
            (UInt64.max, [0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ] as [(UInt64, [UInt8])])
    func `an unsigned integer takes its shortest form`(value: UInt64, bytes: [UInt8]) {
        #expect(packed { $0.pack(value) } == bytes)
    }

    @Test(
        arguments: [
            (-1, [0xFF]), (-32, [0xE0]), (-33, [0xD0, 0xDF]), (-128, [0xD0, 0x80]), (-129, [0xD1, 0xFF, 0x7F]),
            (-32_768, [0xD1, 0x80, 0]), (-32_769, [0xD2, 0xFF, 0xFF, 0x7F, 0xFF]),
            (Int64(Int32.min) - 1, [0xD3, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]), (5, [5]),
        ] as [(Int64, [UInt8])])
    func `a signed integer takes its shortest form`(value: Int64, bytes: [UInt8]) {
        #expect(packed { $0.pack(value) } == bytes)
    }

    @Test func `strings, arrays, maps and binaries announce their length`() {
        #expect(packed { $0.pack("héj") } == [0xA4, 0x68, 0xC3, 0xA9, 0x6A])
        #expect(packed { $0.pack("") } == [0xA0])
        #expect(packed { $0.pack(String(repeating: "a", count: 32)) }.prefix(2) == [0xD9, 32])
        #expect(packed { $0.pack(String(repeating: "a", count: 256)) }.prefix(3) == [0xDA, 1, 0])
        #expect(packed { $0.pack(binary: [1, 2]) } == [0xC4, 2, 1, 2])
        #expect(packed { $0.pack(binary: []) } == [0xC4, 0])
        #expect(packed { $0.packArrayHeader(count: 15) } == [0x9F])
        #expect(packed { $0.packArrayHeader(count: 16) } == [0xDC, 0, 16])
        #expect(packed { $0.packMapHeader(count: 15) } == [0x8F])
        #expect(packed { $0.packMapHeader(count: 70_000) } == [0xDF, 0, 1, 0x11, 0x70])
    }

    @Test func `nil, truth values and floats are what the specification says`() {
        #expect(
            packed {
                $0.packNil()
                $0.pack(false)
                $0.pack(true)
            } == [0xC0, 0xC2, 0xC3])
        #expect(packed { $0.pack(Float(-1.5)) } == [0xCA, 0xBF, 0xC0, 0, 0])
        #expect(packed { $0.pack(0.1) } == [0xCB, 0x3F, 0xB9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A])
    }

    @Test func `a packer is empty again after finish`() {
        var packer = Packer()
        packer.pack(true)
        #expect(packer.byteCount == 1)
        let first = packer.finish()
        #expect(first == [0xC3])
        #expect(packer.byteCount == 0)
        packer.pack(false)
        let second = packer.finish()
        #expect(second == [0xC2])
    }
}
