/// A durable job: the UUID (version 7) its client chose, as two big-endian halves.
package struct JobID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

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
