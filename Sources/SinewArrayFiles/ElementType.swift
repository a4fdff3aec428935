/// The type of an array's elements, in memory always little-endian.
package enum ElementType: Sendable, Equatable, Hashable {
    case bool
    case int8
    case uint8
    case int16
    case uint16
    case int32
    case uint32
    case int64
    case uint64
    case float16
    case bfloat16
    case float32
    case float64
    /// Text of at most `count` UTF-32 code points, padded with zeros (numpy's `U`).
    case unicode(count: Int)
    /// Text of at most `count` bytes, padded with zeros (numpy's `S`).
    case bytes(count: Int)

    /// Bytes of one element.
    package var byteCount: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        case .unicode(let count): 4 * count
        case .bytes(let count): count
        }
    }

    /// The unit that a change of byte order turns around; a text element is many units.
    var swapUnit: Int {
        switch self {
        case .unicode: 4
        case .bytes: 1
        case .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16, .bfloat16, .float32,
            .float64:
            byteCount
        }
    }

    /// The name that error messages use.
    package var name: String {
        switch self {
        case .bool: "bool"
        case .int8: "int8"
        case .uint8: "uint8"
        case .int16: "int16"
        case .uint16: "uint16"
        case .int32: "int32"
        case .uint32: "uint32"
        case .int64: "int64"
        case .uint64: "uint64"
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        case .float32: "float32"
        case .float64: "float64"
        case .unicode(let count): "text of \(count) characters"
        case .bytes(let count): "text of \(count) bytes"
        }
    }

    /// The bytes of an array of this type, or nil when the product overflows or no machine could hold it.
    ///
    /// Zero extents are left out of the overflow check's way on purpose: `(2^62, 2^62, 0)` is refused although it is empty,
    /// so nobody multiplies its extents again later.
    package func byteCount(ofShape shape: [Int]) -> Int? {
        var elements = 1
        for extent in shape {
            guard extent >= 0 else { return nil }
            let (product, overflow) = elements.multipliedReportingOverflow(by: max(extent, 1))
            guard !overflow, product <= Self.elementsMax else { return nil }
            elements = product
        }
        if shape.contains(0) { return 0 }
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: byteCount)
        return overflow || bytes > Self.bytesMax ? nil : bytes
    }

    /// Elements of one array; more is refused before anything is allocated.
    static let elementsMax = 1 << 40
    /// Bytes of one array; more is refused before anything is allocated.
    static let bytesMax = 1 << 33
}
