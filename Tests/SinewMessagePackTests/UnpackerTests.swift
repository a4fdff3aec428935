import SinewMessagePack
import TestSupport
import Testing

@Suite struct UnpackerTests {
    private func read<Value>(
        _ bytes: [UInt8], limits: UnpackingLimits = UnpackingLimits(),
        _ body: (inout Unpacker) throws(MessagePackError) -> Value
    ) throws(MessagePackError) -> Value {
        try unsafe Unpacker.read(bytes.span.bytes, limits: limits, body)
    }

    private func failure(
        _ bytes: [UInt8], limits: UnpackingLimits = UnpackingLimits(),
        _ body: (inout Unpacker) throws(MessagePackError) -> Void
    ) -> MessagePackError? {
        do throws(MessagePackError) {
            try read(bytes, limits: limits, body)
            return nil
        } catch { return error }
    }

    private func skip(_ unpacker: inout Unpacker) throws(MessagePackError) { try unpacker.skip() }

    @Test(arguments: [0, 1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, UInt64.max])
    func `an integer reads back, in every type it fits and in no other`(value: UInt64) throws {
        var packer = Packer()
        packer.pack(value)
        let bytes = packer.finish()
        let back = try read(bytes) { (unpacker) throws(MessagePackError) in try unpacker.readInteger(UInt64.self) }
        #expect(back == value)
        let narrow = failure(bytes) { (unpacker) throws(MessagePackError) in _ = try unpacker.readInteger(UInt8.self) }
        #expect(narrow?.reason == (value > 255 ? .outOfRange : nil))
        let signed = failure(bytes) { (unpacker) throws(MessagePackError) in _ = try unpacker.readInteger(Int64.self) }
        #expect(signed?.reason == (value > UInt64(Int64.max) ? .outOfRange : nil))
    }

    @Test(arguments: [-1, -32, -33, -128, -129, -32_768, -32_769, -2_147_483_649, Int64.min])
    func `a negative integer reads back, but not as an unsigned one`(value: Int64) throws {
        var packer = Packer()
        packer.pack(value)
        let bytes = packer.finish()
        let back = try read(bytes) { (unpacker) throws(MessagePackError) in try unpacker.readInteger(Int64.self) }
        #expect(back == value)
        let unsigned = failure(bytes) { (unpacker) throws(MessagePackError) in _ = try unpacker.readInteger(UInt64.self)
        }
        #expect(unsigned?.reason == .outOfRange)
    }

    @Test func `a number reads as a float whatever its encoding`() throws {
        func double(_ bytes: [UInt8]) throws -> Double {
            try read(bytes) { (unpacker) throws(MessagePackError) in try unpacker.readDouble() }
        }
        #expect(try double([0xCA, 0xBF, 0xC0, 0, 0]) == -1.5)
        #expect(try double([0xCB, 0x3F, 0xB9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A]) == 0.1)
        #expect(try double([0x07]) == 7)
        #expect(try double([0xFF]) == -1)
        #expect(try double([0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == 0x1p64)
        #expect(try double([0xD0, 0x80]) == -128)
    }

    @Test func `a claimed count larger than the bytes that are left allocates nothing and fails`() {
        let array: [UInt8] = [0xDD, 0xFF, 0xFF, 0xFF, 0xFF]
        let unlimited = UnpackingLimits(countMax: .max, stringBytesMax: .max, binaryBytesMax: .max)
        #expect(failure(array, limits: unlimited, skip)?.reason == .truncated)
        #expect(failure(array, skip)?.reason == .limitExceeded)
        #expect(failure([0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], limits: unlimited, skip)?.reason == .truncated)
        let string = failure([0xDB, 0xFF, 0xFF, 0xFF, 0xFF], limits: unlimited) { (unpacker) throws(MessagePackError) in
            _ = try unpacker.readString()
        }
        #expect(string?.reason == .truncated)
        let binary = failure([0xC6, 0xFF, 0xFF, 0xFF, 0xFF], limits: unlimited) { (unpacker) throws(MessagePackError) in
            _ = try unpacker.readBinary()
        }
        #expect(binary?.reason == .truncated)
    }

    @Test func `each limit admits its value and refuses one more`() {
        let limits = UnpackingLimits(nestingMax: 3, countMax: 4, stringBytesMax: 5, binaryBytesMax: 6)
        func strings(_ count: Int) -> MessagePackError? {
            var packer = Packer()
            packer.pack(String(repeating: "x", count: count))
            return failure(packer.finish(), limits: limits) { (unpacker) throws(MessagePackError) in
                _ = try unpacker.readString()
            }
        }
        func binaries(_ count: Int) -> MessagePackError? {
            var packer = Packer()
            packer.pack(binary: Array(repeating: 7, count: count))
            return failure(packer.finish(), limits: limits) { (unpacker) throws(MessagePackError) in
                _ = try unpacker.readBinary()
            }
        }
        func elements(_ count: Int) -> MessagePackError? {
            failure([0x90 | UInt8(count)] + Array(repeating: 0xC0, count: count), limits: limits, skip)
        }
        func nesting(_ depth: Int) -> MessagePackError? {
            failure(Array(repeating: 0x91, count: depth) + [0xC0], limits: limits, skip)
        }
        #expect(strings(5) == nil)
        #expect(strings(6)?.reason == .limitExceeded)
        #expect(binaries(6) == nil)
        #expect(binaries(7)?.reason == .limitExceeded)
        #expect(elements(4) == nil)
        #expect(elements(5)?.reason == .limitExceeded)
        #expect(nesting(3) == nil)
        #expect(nesting(4)?.reason == .limitExceeded)
    }

    @Test func `arrays nested a million deep do not overflow the stack`() {
        let error = failure(Array(repeating: 0x91, count: 1_000_000), skip)
        #expect(error?.reason == .limitExceeded)
    }

    @Test func `depth is given back, so siblings may each be as deep as the limit`() {
        let limits = UnpackingLimits(nestingMax: 2)
        #expect(failure([0x93, 0x91, 0x01, 0x91, 0x02, 0x81, 0x03, 0x04], limits: limits, skip) == nil)
    }

    @Test func `a wrong type names what was expected and what was found`() {
        let error = failure([0xC3]) { (unpacker) throws(MessagePackError) in _ = try unpacker.readString() }
        #expect(error?.description == "expected a string, found a truth value (byte 0)")
        let nested = failure([0x93, 0x01, 0x02, 0x80]) { (unpacker) throws(MessagePackError) in
            try unpacker.readArray { (unpacker, count) throws(MessagePackError) in
                for _ in 0..<count { _ = try unpacker.readInteger(UInt8.self) }
            }
        }
        #expect(nested?.description == "expected an integer, found a map (byte 3)")
    }

    @Test func `invalid UTF-8, the reserved byte and left-over bytes are refused`() {
        let text = failure([0xA2, 0xC3, 0x28]) { (unpacker) throws(MessagePackError) in _ = try unpacker.readString() }
        #expect(text?.reason == .malformed)
        #expect(failure([0xC1], skip)?.reason == .malformed)
        #expect(failure([0x01, 0x02], skip)?.reason == .trailingBytes)
        #expect(failure([], skip)?.reason == .truncated)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func `skip takes exactly one value, and every proper prefix of it is truncated`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var packer = Packer()
        Self.packRandomValue(into: &packer, depth: 5, using: &random)
        let bytes = packer.finish()
        try read(bytes, skip)
        for count in 0..<bytes.count {
            #expect(failure(Array(bytes[..<count]), skip)?.reason == .truncated, "seed \(seed), prefix \(count)")
        }
    }

    @Test func `extension values of every size are skipped`() throws {
        for (tag, count) in [(0xD4, 1), (0xD5, 2), (0xD6, 4), (0xD7, 8), (0xD8, 16)] as [(UInt8, Int)] {
            try read([tag] + Array(repeating: 0xC1, count: count + 1), skip)
        }
        try read([0xC7, 3, 9, 1, 2, 3], skip)
        try read([0xC8, 0, 3, 9, 1, 2, 3], skip)
        try read([0xC9, 0, 0, 0, 3, 9, 1, 2, 3], skip)
    }

    @Test func `random bytes end in a value or an error, never past the end`() {
        let seed: UInt64 = 20_261_121
        var random = SplitMix64(seed: seed)
        var values = 0
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let consumed = try? read(bytes) { (unpacker) throws(MessagePackError) -> Int in
                try unpacker.skip()
                let end = unpacker.offset
                while unpacker.remaining > 0 { try unpacker.skip() }
                return end
            }
            if let consumed {
                values += 1
                #expect(consumed <= bytes.count, "seed \(seed)")
            }
        }
        #expect(values > 1000, "seed \(seed): the generator no longer makes values")
    }

    private static func packRandomValue(into packer: inout Packer, depth: Int, using random: inout SplitMix64) {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
        case 0: packer.packNil()
        case 1: packer.pack(Bool.random(using: &random))
        case 2: packer.pack(random.next() >> UInt64.random(in: 0...63, using: &random))
        case 3: packer.pack(-Int64(random.next() >> UInt64.random(in: 1...63, using: &random)))
        case 4: packer.pack(Float(1.25))
        case 5: packer.pack(String(repeating: "é", count: Int.random(in: 0...40, using: &random)))
        case 6: packer.pack(binary: Array(repeating: 0xC1, count: Int.random(in: 0...300, using: &random)))
        case 7:
            let count = Int.random(in: 0...20, using: &random)
            packer.packArrayHeader(count: count)
            for _ in 0..<count { packRandomValue(into: &packer, depth: depth - 1, using: &random) }
        default:
            let count = Int.random(in: 0...5, using: &random)
            packer.packMapHeader(count: count)
            for _ in 0..<(2 * count) { packRandomValue(into: &packer, depth: depth - 1, using: &random) }
        }
    }
}
