package import SinewClient

/// How the time of a command's calls went by, drawn as bars that follow each other.
///
/// Drawn is the slowest call; beside it stands the mean of all of them.
package struct Waterfall {
    /// A call and how many rows it solved.
    package struct Call: Sendable, Equatable {
        package let rows: Int
        package let trace: CallTrace

        package init(rows: Int, trace: CallTrace) {
            self.rows = rows
            self.trace = trace
        }
    }

    private let calls: [Call]
    /// The bars alone; a line has 80 columns at most.
    private static let barColumns = 36
    private static let nameColumns = 18
    private static let numberColumns = 10

    package init(_ calls: [Call]) { self.calls = calls }

    /// At most 80 columns wide; without any call there is nothing to draw.
    package func lines(style: TextStyle = TextStyle(isEnabled: false)) -> [String] {
        guard let slowest = calls.max(by: { $0.trace.total < $1.trace.total }) else { return [] }
        let trace = slowest.trace
        var lines = [
            "trace \(trace.traceID)", Self.cut("slowest of \(counted(calls.count, "call")): \(Self.facts(slowest))"),
            "",
            style.bold(Self.row("stage", "ms", "mean ms", "")),
        ]
        var begin = Duration.zero
        for stage in CallTrace.Stage.allCases {
            let duration = trace[stage]
            let mean = calls.reduce(Duration.zero) { $0 + $1.trace[stage] } / calls.count
            if duration > .zero || mean > .zero {
                let bar = Self.bar(from: begin, lasting: duration, of: trace.total)
                lines.append(Self.row(stage.rawValue, Self.milliseconds(duration), Self.milliseconds(mean), bar))
            }
            begin += duration
        }
        let mean = calls.reduce(Duration.zero) { $0 + $1.trace.total } / calls.count
        lines.append(style.bold(Self.row("total", Self.milliseconds(trace.total), Self.milliseconds(mean), "")))
        return lines
    }

    private static func facts(_ call: Call) -> String {
        let trace = call.trace
        var facts = [counted(call.rows, "row")]
        if !trace.worker.isEmpty {
            facts.append("worker \(trace.worker)")
            facts.append("batch \(trace.batchID) of \(counted(trace.batchSize, "row"))")
        }
        if trace.dispatches > 1 { facts.append("given to workers \(trace.dispatches) times") }
        return facts.joined(separator: ", ")
    }

    private static func row(_ name: String, _ duration: String, _ mean: String, _ bar: String) -> String {
        func right(_ text: String) -> String {
            String(repeating: " ", count: max(0, numberColumns - text.count)) + text
        }
        var line =
            name + String(repeating: " ", count: max(0, nameColumns - name.count)) + right(duration) + right(mean)
        if !bar.isEmpty { line += "  " + bar }
        return line
    }

    /// Every stage that took time is seen, and the last one ends at the end.
    private static func bar(from begin: Duration, lasting duration: Duration, of total: Duration) -> String {
        guard duration > .zero, total > .zero else { return "" }
        let columns = Double(barColumns)
        let first = min(barColumns - 1, Int((begin / total * columns).rounded()))
        let end = max(first + 1, min(barColumns, Int(((begin + duration) / total * columns).rounded())))
        return String(repeating: " ", count: first) + String(repeating: "█", count: end - first)
    }

    private static func milliseconds(_ duration: Duration) -> String { fixed(seconds(duration) * 1_000, 3) }

    private static func cut(_ line: String) -> String { line.count <= 80 ? line : line.prefix(79) + "…" }
}

private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// The same for programs.
struct TraceReport: Encodable {
    struct Call: Encodable {
        let rows: Int
        let worker: String
        let batchID: UInt64
        let batchSize: Int
        let dispatches: Int
        /// Microseconds, by the stage's name in snake case; they add up to `totalUs`.
        let stagesUs: [String: Double]
        let totalUs: Double
    }
    let traceID: String
    let calls: [Call]

    init(_ calls: [Waterfall.Call]) {
        traceID = calls.first?.trace.traceID ?? ""
        self.calls = calls.map { call in
            let trace = call.trace
            let stages = CallTrace.Stage.allCases.map { stage in
                (String(stage.rawValue.map { $0 == " " || $0 == "-" ? "_" : $0 }), microseconds(trace[stage]))
            }
            return Call(
                rows: call.rows, worker: trace.worker, batchID: trace.batchID, batchSize: trace.batchSize,
                dispatches: trace.dispatches, stagesUs: Dictionary(uniqueKeysWithValues: stages),
                totalUs: microseconds(trace.total))
        }
    }
}

/// To the nanosecond.
private func microseconds(_ duration: Duration) -> Double { (seconds(duration) * 1e9).rounded() / 1e3 }
