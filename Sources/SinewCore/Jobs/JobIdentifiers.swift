/// A durable job: the UUID (version 7) its client chose, as two big-endian halves.
package struct JobID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From the 16 bytes of the wire; nil for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.init(high: UInt64(bigEndian: bytes[..<8]), low: UInt64(bigEndian: bytes[8...]))
    }

    /// As on the wire, 16 of them.
    package var bytes: [UInt8] { high.bigEndianBytes + low.bigEndianBytes }

    /// By the time it was made, as version 7 has it.
    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.high != rhs.high ? lhs.high < rhs.high : lhs.low < rhs.low
    }
}

/// A task of a job: its place there.
package struct JobTaskID: Hashable, Comparable, Sendable {
    package let job: JobID
    package let index: Int

    package init(job: JobID, index: Int) {
        self.job = job
        self.index = index
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.job != rhs.job ? lhs.job < rhs.job : lhs.index < rhs.index
    }
}

/// A SHA-256, for comparing; nothing in the core computes one.
package struct ContentHash: Hashable, Sendable {
    package let words: [4 of UInt64]

    package init(words: [4 of UInt64]) { self.words = words }

    /// From the 32 bytes of the wire; nil for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = [
            UInt64(bigEndian: bytes[..<8]), UInt64(bigEndian: bytes[8..<16]), UInt64(bigEndian: bytes[16..<24]),
            UInt64(bigEndian: bytes[24...]),
        ]
    }

    /// As on the wire, 32 of them.
    package var bytes: [UInt8] {
        words[0].bigEndianBytes + words[1].bigEndianBytes + words[2].bigEndianBytes + words[3].bigEndianBytes
    }

    package static func == (lhs: Self, rhs: Self) -> Bool {
        lhs.words[0] == rhs.words[0] && lhs.words[1] == rhs.words[1] && lhs.words[2] == rhs.words[2]
            && lhs.words[3] == rhs.words[3]
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words[0])
        hasher.combine(words[1])
    }
}

/// Microseconds since 1970. Jobs outlive processes, so their times are the wall's; whatever is measured in seconds uses ``Instant``.
package struct WallTime: Hashable, Comparable, Sendable {
    package let microseconds: Int64
    package init(microseconds: Int64) { self.microseconds = microseconds }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.microseconds < rhs.microseconds }
}

extension UInt64 {
    fileprivate init(bigEndian bytes: ArraySlice<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    fileprivate var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) } }
}
