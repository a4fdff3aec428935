internal import FoundationEssentials
internal import SinewArrayFiles

/// The numbers of a page: one run of little-endian values that the page's JSON points into.
struct NumberBlock {
    private(set) var bytes: [UInt8] = []

    /// Where the next array begins: typed arrays of a browser begin at multiples of their element's size.
    private mutating func begin() -> Int {
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        return bytes.count
    }

    /// Appends an array. - Returns: its offset in bytes.
    mutating func add(_ values: [Float]) -> Int {
        let offset = begin()
        bytes.reserveCapacity(bytes.count + values.count * 4)
        for value in values { append(value.bitPattern) }
        return offset
    }

    /// Appends an array. - Returns: its offset in bytes.
    mutating func add(_ values: [UInt32]) -> Int {
        let offset = begin()
        for value in values { append(value) }
        return offset
    }

    /// Appends an array. - Returns: its offset in bytes.
    mutating func add(_ values: [UInt16]) -> Int {
        let offset = begin()
        for value in values {
            bytes.append(UInt8(truncatingIfNeeded: value))
            bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        }
        return offset
    }

    /// Appends an array. - Returns: its offset in bytes.
    mutating func add(_ values: [UInt8]) -> Int {
        let offset = begin()
        bytes += values
        return offset
    }

    private mutating func append(_ word: UInt32) {
        for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// Deflated and base64-coded.
    var encoded: String { Data(Deflate.compress(bytes)).base64EncodedString() }
}
