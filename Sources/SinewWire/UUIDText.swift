/// A UUID as people read it: 8-4-4-4-12 hexadecimal digits.
///
/// - Source: RFC 9562, section 4.
package enum UUIDText {
    /// Sixteen bytes in lowercase; any other count gives what is there, in the same groups.
    package static func text(of bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        var text = ""
        for (place, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(place) { text.append("-") }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    /// The 16 bytes of a text in upper or lower case; nil for anything that is no UUID.
    package static func bytes(of text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 36, [8, 13, 18, 23].allSatisfy({ digits[$0] == UInt8(ascii: "-") }) else { return nil }
        let values = digits.filter { $0 != UInt8(ascii: "-") }.map(value)
        guard values.count == 32, values.allSatisfy({ $0 < 16 }) else { return nil }
        return (0..<16).map { values[2 * $0] << 4 | values[2 * $0 + 1] }
    }

    private static func value(_ digit: UInt8) -> UInt8 {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: 255
        }
    }
}
