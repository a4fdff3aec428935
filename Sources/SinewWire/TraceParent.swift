/// A trace, and the span in it that makes a call, as W3C Trace Context names them in the header `traceparent`.
///
/// - Source: W3C Recommendation “Trace Context – Level 1”, section 3.2.
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
    /// What all calls of a trace have in common: 32 lowercase hexadecimal digits, not all zero.
    public let traceID: String
    /// The caller's span: 16 lowercase hexadecimal digits, not all zero.
    public let parentID: String
    /// Bit 0: the caller records the trace.
    public let flags: UInt8

    /// Reads the text of the header; nil for what the recommendation calls invalid.
    ///
    /// A version above 00 is read as far as version 00 goes, as the recommendation asks.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(TraceParent.bytesMax + 1))
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes.count <= TraceParent.bytesMax, bytes[2] == dash, bytes[35] == dash,
            bytes[52] == dash, let version = TraceParent.byte(bytes[0], bytes[1]), version != 0xFF,
            let flags = TraceParent.byte(bytes[53], bytes[54]),
            let traceID = TraceParent.identifier(bytes[3..<35]),
            let parentID = TraceParent.identifier(bytes[36..<52])
        else { return nil }
        guard bytes.count == 55 || (version > 0 && bytes[55] == dash) else { return nil }
        self.traceID = traceID
        self.parentID = parentID
        self.flags = flags
    }

    /// Begins a trace of its own, which is recorded.
    public init() {
        var generator = SystemRandomNumberGenerator()
        self.init(using: &generator)
    }

    /// Begins a trace of its own with given random numbers.
    public init(using generator: inout some RandomNumberGenerator) {
        func digits() -> String {
            let value = UInt64.random(in: 1...UInt64.max, using: &generator)
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        traceID = digits() + digits()
        parentID = digits()
        flags = 1
    }

    /// The header's text in version 00.
    public var description: String {
        "00-\(traceID)-\(parentID)-\(flags < 16 ? "0" : "")\(String(flags, radix: 16))"
    }

    /// A later version may say more behind the four parts, but no more than this is looked at.
    static let bytesMax = 256

    private static func identifier(_ digits: ArraySlice<UInt8>) -> String? {
        guard digits.allSatisfy({ digit($0) != nil }), digits.contains(where: { $0 != UInt8(ascii: "0") }) else {
            return nil
        }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func byte(_ high: UInt8, _ low: UInt8) -> UInt8? {
        guard let high = digit(high), let low = digit(low) else { return nil }
        return high << 4 | low
    }

    /// Lowercase only, as the recommendation has it.
    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
