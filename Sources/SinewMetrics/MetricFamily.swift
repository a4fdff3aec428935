/// A family of metrics: everything that shares a name.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Only grows while the process lives; the name ends in `_total`.
        case counter
        case gauge
        /// Cumulative classes with upper bounds, a sum and a count.
        case histogram
    }

    /// Ends in its unit, if it has one: base units, seconds and bytes.
    package let name: String
    package let kind: Kind
    /// One sentence.
    package let help: String
    /// The names of its labels, in the order of their values.
    package let labels: [String]

    package init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}
