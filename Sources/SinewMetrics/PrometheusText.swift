internal import SinewCore
package import SinewWire

/// Writes metrics in the text format of Prometheus, version 0.0.4.
///
/// - Source: prometheus.io/docs/instrumenting/exposition_formats.
package struct PrometheusText {
    /// The media type of what is written.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var bytes: [UInt8] = []
    private var family = MetricFamily("", .gauge, "")
    /// The family's name in bytes.
    private var name: [UInt8] = []
    private var isBegun = false

    /// - Parameter capacity: bytes for which there is room from the beginning; more may be written.
    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// The labels of a sample, ready to be written: made once and used for many families.
    package struct Labels: Sendable {
        /// `name="value",name="value"`.
        fileprivate private(set) var bytes: [UInt8]

        /// No labels.
        package static let none = Labels([])

        /// - Parameter pairs: names and values, in the order in which they are written.
        package init(_ pairs: [(name: String, value: String)]) {
            bytes = []
            for (name, value) in pairs { append(name, value) }
        }

        /// With one more at the end.
        package func with(_ name: String, _ value: String) -> Labels {
            var labels = self
            labels.append(name, value)
            return labels
        }

        private mutating func append(_ name: String, _ value: String) {
            bytes.reserveCapacity(bytes.count + name.utf8.count + value.utf8.count + 4)
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: name.utf8)
            bytes.append(contentsOf: "=\"".utf8)
            PrometheusText.escape(value, isLabel: true, into: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    /// Begins a family; its head is written before its first sample, and not at all when it has none.
    package mutating func begin(_ family: MetricFamily) {
        self.family = family
        name = Array(family.name.utf8)
        isBegun = false
    }

    package mutating func sample(_ labels: Labels = .none, _ value: UInt64) {
        open("", labels)
        append(value)
        close()
    }

    /// With more labels after the first ones; neither is empty.
    package mutating func sample(_ labels: Labels, and more: Labels, _ value: UInt64) {
        if !isBegun { writeHead() }
        bytes.append(contentsOf: name)
        append("{")
        bytes.append(contentsOf: labels.bytes)
        append(",")
        bytes.append(contentsOf: more.bytes)
        append("} ")
        append(value)
        close()
    }

    package mutating func sample(_ labels: Labels = .none, _ value: Double) {
        open("", labels)
        append(value)
        close()
    }

    /// A duration in microseconds, written in seconds, exactly.
    package mutating func sample(_ labels: Labels = .none, microseconds: UInt64) {
        open("", labels)
        append(microseconds: microseconds)
        close()
    }

    /// A histogram of durations.
    package mutating func histogram(_ labels: Labels = .none, _ times: TimeCounts) {
        var cumulative: UInt64 = 0
        for (index, bound) in Limits.timeBoundsMicroseconds.enumerated() {
            if index < times.counts.count { cumulative &+= times.counts[index] }
            openBucket(labels)
            append(microseconds: bound)
            closeBucket(cumulative)
        }
        if let last = times.counts.last, times.counts.count == TimeCounts.classCount { cumulative &+= last }
        openBucket(labels)
        bytes.append(contentsOf: "+Inf".utf8)
        closeBucket(cumulative)
        open("_sum", labels)
        append(microseconds: times.sumMicroseconds)
        close()
        open("_count", labels)
        append(cumulative)
        close()
    }

    /// A histogram of batch sizes; `items` is the sum of all sizes.
    package mutating func histogram(_ labels: Labels = .none, _ sizes: [BatchSizeCount], items: UInt64) {
        var cumulative: UInt64 = 0
        var sizes = sizes[...]
        // The classes are the same at every scrape, or a quotient of their rates would be wrong.
        for power in 0..<Self.batchSizeClassCount {
            let bound: UInt32 = 1 << UInt32(power)
            while let first = sizes.first, first.size <= bound {
                cumulative &+= first.count
                sizes.removeFirst()
            }
            openBucket(labels)
            append(UInt64(bound))
            closeBucket(cumulative)
        }
        for size in sizes { cumulative &+= size.count }
        openBucket(labels)
        bytes.append(contentsOf: "+Inf".utf8)
        closeBucket(cumulative)
        open("_sum", labels)
        append(items)
        close()
        open("_count", labels)
        append(cumulative)
        close()
    }

    /// Batches of 1, 2, 4 … 4 096 people.
    private static let batchSizeClassCount = 13

    // MARK: Parts of a line.

    private mutating func writeHead() {
        isBegun = true
        bytes.append(contentsOf: "# HELP \(family.name) ".utf8)
        Self.escape(family.help, isLabel: false, into: &bytes)
        bytes.append(contentsOf: "\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8)
    }

    private mutating func open(_ suffix: StaticString, _ labels: Labels) {
        if !isBegun { writeHead() }
        bytes.append(contentsOf: name)
        append(suffix)
        if !labels.bytes.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes.append(contentsOf: labels.bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func close() { bytes.append(UInt8(ascii: "\n")) }

    private mutating func openBucket(_ labels: Labels) {
        if !isBegun { writeHead() }
        bytes.append(contentsOf: name)
        append("_bucket{")
        bytes.append(contentsOf: labels.bytes)
        if !labels.bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        append("le=\"")
    }

    private mutating func closeBucket(_ count: UInt64) {
        append("\"} ")
        append(count)
        close()
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: UInt64) {
        // From the last digit to the first; no number has more than twenty.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = digits.count
        var rest = value
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        unsafe digits.span.extracting(start...).withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: Double) {
        if value.isNaN { return append("NaN") }
        if value.isInfinite { return append(value < 0 ? "-Inf" : "+Inf") }
        bytes.append(contentsOf: "\(value)".utf8)
    }

    private mutating func append(microseconds: UInt64) {
        append(microseconds / 1_000_000)
        var fraction = microseconds % 1_000_000
        guard fraction > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var unit: UInt64 = 100_000
        while fraction > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / unit))
            fraction %= unit
            unit /= 10
        }
    }

    /// In a help text backslash and line feed are escaped, in a label's value the quotation mark too.
    fileprivate static func escape(_ text: String, isLabel: Bool, into bytes: inout [UInt8]) {
        guard text.utf8.contains(where: { isEscaped($0, isLabel: isLabel) }) else {
            return bytes.append(contentsOf: text.utf8)
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\"") where isLabel: bytes.append(contentsOf: "\\\"".utf8)
            default: bytes.append(byte)
            }
        }
    }

    private static func isEscaped(_ byte: UInt8, isLabel: Bool) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\n") || (isLabel && byte == UInt8(ascii: "\""))
    }
}
