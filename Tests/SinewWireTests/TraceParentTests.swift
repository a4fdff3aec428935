import SinewWire
import TestSupport
import Testing

@Suite struct TraceParentTests {
    private static let traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parentID = "00f067aa0ba902b7"
    private static let zeros = String(repeating: "0", count: 32)

    @Test func `the example of the recommendation is read and written`() throws {
        let text = "00-\(Self.traceID)-\(Self.parentID)-01"
        let parent = try #require(TraceParent(text))
        #expect(parent.traceID == Self.traceID && parent.parentID == Self.parentID && parent.flags == 1)
        #expect(parent.description == text)
        let unsampled = try #require(TraceParent("00-\(Self.traceID)-\(Self.parentID)-00"))
        #expect(unsampled.flags == 0 && unsampled.description.hasSuffix("-00"))
    }

    @Test(arguments: [
        "cc-\(traceID)-\(parentID)-01", "cc-\(traceID)-\(parentID)-01-what-the-future-will-be-like",
        "01-\(traceID)-\(parentID)-01-",
    ])
    func `a later version is read as far as this one goes, and passed on as this one`(text: String) throws {
        #expect(try #require(TraceParent(text)).description == "00-\(Self.traceID)-\(Self.parentID)-01")
    }

    @Test(arguments: [
        "", "00", "00-\(traceID)-\(parentID)", "00-\(traceID)-\(parentID)-1", "00-\(traceID)-\(parentID)-01-",
        "00-\(traceID)-\(parentID)-01.", "00-\(traceID)-\(parentID)-01-more", "ff-\(traceID)-\(parentID)-01",
        "cc-\(traceID)-\(parentID)-01.what", "0G-\(traceID)-\(parentID)-01", "00-\(zeros)-\(parentID)-01",
        "00-\(traceID)-0000000000000000-01", "00-\(traceID)-\(parentID)-0x", "00_\(traceID)-\(parentID)-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-\(parentID)-01", "00-\(traceID)-00F067AA0BA902B7-01",
        " 00-\(traceID)-\(parentID)-01", "00-\(traceID)-\(parentID)-01\n",
    ])
    func `what the recommendation calls invalid is no trace`(text: String) {
        #expect(TraceParent(text) == nil)
    }

    @Test func `a text that is changed in one place is invalid, or says what it said there`() {
        let valid = Array("00-\(Self.traceID)-\(Self.parentID)-01".utf8)
        for place in valid.indices {
            for byte in UInt8.min...UInt8.max {
                var bytes = valid
                bytes[place] = byte
                let text = String(decoding: bytes, as: UTF8.self)
                guard let parent = TraceParent(text) else { continue }
                #expect(parent.description.utf8.elementsEqual(Array("00".utf8) + bytes[2...]))
            }
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `a new trace is valid, and another one each time`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (first, second) = (TraceParent(using: &random), TraceParent(using: &random))
        #expect(TraceParent(first.description) == first && first.traceID != second.traceID)
        #expect(TraceParent().traceID != TraceParent().traceID)
    }

    @Test func `metadata that cannot be read, or is very large, asks for nothing`() {
        let good = CallMetadata(traceparent: "00-\(Self.traceID)-\(Self.parentID)-01", sinewTrace: 1).encode()
        let read = CallMetadata(reading: good.span)
        #expect(read?.wantsTimings == true && read?.parent?.traceID == Self.traceID)
        let malformed = CallMetadata(traceparent: "tracing!", sinewTrace: 2).encode()
        #expect(CallMetadata(reading: malformed.span)?.wantsTimings == false)
        #expect(CallMetadata(reading: malformed.span)?.parent == nil)
        for bytes in [[], [0xC1], [0x90], Array(good.dropLast())] as [[UInt8]] {
            #expect(CallMetadata(reading: bytes.span) == nil)
        }
        let large = CallMetadata(traceparent: String(repeating: "x", count: CallMetadata.bytesMax), sinewTrace: 1)
        #expect(CallMetadata(reading: large.encode().span) == nil)
    }
}
