import SinewMessagePack
import SinewWire
import TestSupport
import Testing

@Suite struct HeadTests {
    private func reason(_ bytes: [UInt8]) -> WireError.Reason? {
        do throws(WireError) {
            _ = try Head(decoding: bytes)
            return nil
        } catch { return error.reason }
    }

    /// A head with the first `count` of its 13 elements, each changed as asked.
    private func head(version: UInt64 = 1, kind: UInt64 = 1, status: UInt64 = 0, count: Int = 13) -> [UInt8] {
        var packer = Packer()
        packer.packArrayHeader(count: count)
        for element in 0..<count {
            switch element {
            case 0: packer.pack(version)
            case 1: packer.pack(kind)
            case 2, 3, 9: packer.pack("x")
            case 11: packer.pack(status)
            default: packer.pack(UInt64(element))
            }
        }
        return packer.finish()
    }

    @Test func `another version is refused by its number, whatever follows it`() {
        #expect(reason(head()) == nil)
        #expect(reason(head(version: 2)) == .unsupportedVersion)
        #expect(reason(head(version: 2, count: 3)) == .unsupportedVersion)
        #expect(reason([0x92, 0x02, 0xA1, 0x78]) == .unsupportedVersion)
    }

    @Test func `kinds and status codes outside the lists are refused`() {
        for kind in 0...255 as ClosedRange<UInt64> {
            let known = Head.Kind.allCases.contains { UInt64($0.rawValue) == kind }
            #expect(reason(head(kind: kind)) == (known ? nil : .unknownKind))
        }
        #expect(reason(head(status: 16)) == nil)
        #expect(reason(head(status: 17)) == .unknownKind)
    }

    @Test func `too few elements, an empty array, another type and cut bytes are refused`() {
        #expect(reason(head(count: 12)) == .malformed)
        #expect(reason([0x90]) == .malformed)
        #expect(reason([0xC0]) == .malformed)
        #expect(reason([]) == .malformed)
        let whole = head()
        for count in 0..<whole.count { #expect(reason(Array(whole[..<count])) == .malformed) }
        #expect(reason(whole + [0]) == .malformed)
    }

    @Test func `names at their limits pass and one byte more is refused`() {
        func encoded(method: Int = 0, model: Int = 0, tenant: Int = 0) -> [UInt8] {
            Head(
                kind: .call, method: String(repeating: "m", count: method), model: String(repeating: "n", count: model),
                tenant: String(repeating: "t", count: tenant)
            ).encode()
        }
        let widest = encoded(method: Head.methodBytesMax, model: Head.modelBytesMax, tenant: Head.tenantBytesMax)
        #expect(reason(widest) == nil)
        #expect(reason(encoded(method: Head.methodBytesMax + 1)) == .limitExceeded)
        #expect(reason(encoded(model: Head.modelBytesMax + 1)) == .limitExceeded)
        #expect(reason(encoded(tenant: Head.tenantBytesMax + 1)) == .limitExceeded)
    }

    @Test func `a head at the byte limit passes and one byte more is refused`() {
        func padded(_ count: Int) -> [UInt8] {
            var bytes = head(count: 14)
            bytes[0] = 0x9E
            bytes.removeLast()
            let fill = count - bytes.count - 3
            return bytes + [0xC5, UInt8(fill >> 8), UInt8(fill & 255)] + Array(repeating: 0, count: fill)
        }
        #expect(padded(Head.bytesMax).count == Head.bytesMax)
        #expect(reason(padded(Head.bytesMax)) == nil)
        #expect(reason(padded(Head.bytesMax + 1)) == .limitExceeded)
    }

    @Test func `random heads read back as they were written`() throws {
        let seed: UInt64 = 5
        var random = SplitMix64(seed: seed)
        for _ in 0..<2000 {
            let shift = UInt64.random(in: 0...63, using: &random)
            let head = Head(
                kind: Head.Kind.allCases.randomElement(using: &random) ?? .call,
                method: String(repeating: "é", count: Int.random(in: 0...64, using: &random)), model: "niki/1",
                callID: random.next() >> shift,
                timeoutMicroseconds: Bool.random(using: &random) ? nil : random.next() >> shift,
                lease: random.next() >> shift, attempt: UInt8.random(in: 0...255, using: &random),
                priority: UInt8.random(in: 0...255, using: &random), tenant: "t",
                items: UInt32(truncatingIfNeeded: random.next()),
                status: StatusCode.allCases.randomElement(using: &random) ?? .ok,
                errorCode: UInt16(truncatingIfNeeded: random.next()))
            #expect(try Head(decoding: head.encode()) == head, "seed \(seed)")
        }
    }

    @Test func `frames are a head, then a payload, with metadata between them at most`() throws {
        #expect(try Frames.payloadIndex(frameCount: 1) == nil)
        #expect(try Frames.payloadIndex(frameCount: 2) == 1)
        #expect(try Frames.payloadIndex(frameCount: 3) == 2)
        #expect(throws: WireError.self) { try Frames.payloadIndex(frameCount: 0) }
        #expect(throws: WireError.self) { try Frames.payloadIndex(frameCount: 4) }
    }
}
