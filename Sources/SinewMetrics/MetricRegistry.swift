package import CoreMetrics
internal import Synchronization

/// Where swift-metrics keeps what is counted in this process.
///
/// Making a handler takes a lock; counting takes an atomic addition. A label of ``MetricCatalogue`` has its help from there; others
/// come from libraries and are told under a name that Prometheus accepts.
package final class MetricRegistry: MetricsFactory {
    /// Series that are kept; a library that puts unbounded values into labels costs no more. Hit: further ones are counted and not kept.
    package static let seriesMax = 4_096

    private enum Cell {
        case counter(CounterCell)
        case number(NumberCell)
        case duration(DurationCell)
    }

    private struct Series {
        let family: MetricFamily
        let labels: PrometheusText.Labels
        let key: String
        let cell: Cell
    }

    private struct State {
        /// In order of names, then labels.
        var series: [Series] = []
        var kindOfName: [String: MetricFamily.Kind] = [:]
        var dropped: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: MetricsFactory.

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let found = cell(label, .counter, dimensions) { .counter(CounterCell()) }
        if case .counter(let counter) = found { return counter }
        return CounterCell()
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        number(label, .counter, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        number(label, .gauge, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? duration(label, dimensions) : number(label, .gauge, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        duration(label, dimensions)
    }

    // A counter that is destroyed would fall when it is made again, so nothing is forgotten; the number of series is bounded.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    // MARK: Telling.

    /// Writes all series, by name.
    package func write(into text: inout PrometheusText) {
        let (all, dropped) = state.withLock { ($0.series, $0.dropped) }
        var family: MetricFamily?
        for series in all {
            if series.family != family { text.begin(series.family) }
            family = series.family
            switch series.cell {
            case .counter(let counter): text.sample(series.labels, counter.current)
            case .number(let number): text.sample(series.labels, number.current)
            case .duration(let duration): text.histogram(series.labels, duration.current)
            }
        }
        text.begin(MetricCatalogue.droppedSeries)
        text.sample(.none, dropped)
    }

    /// A library's metric of such a name would be a second family of that name in one scrape.
    private static let namesOfFleet = Set(MetricCatalogue.ofFleet.map(\.name) + [MetricCatalogue.droppedSeries.name])

    // MARK: Making.

    private func number(_ label: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)]) -> NumberCell {
        if case .number(let number) = cell(label, kind, dimensions, { .number(NumberCell()) }) { return number }
        return NumberCell()
    }

    private func duration(_ label: String, _ dimensions: [(String, String)]) -> DurationCell {
        let found = cell(label, .histogram, dimensions) { .duration(DurationCell()) }
        if case .duration(let duration) = found { return duration }
        return DurationCell()
    }

    /// The cell of a series, a new one when there is none; nil when there are too many, or the name stands for another kind.
    private func cell(
        _ label: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)], _ make: () -> Cell
    ) -> Cell? {
        let family = Self.family(label, kind)
        let pairs = dimensions.map { (name: Self.labelName($0.0), value: $0.1) }.sorted { $0.name < $1.name }
        let names = Set(pairs.map(\.name))
        // Two labels of one name would make the whole scrape unreadable.
        guard names.count == pairs.count, !names.contains("le"), !Self.namesOfFleet.contains(family.name) else {
            state.withLock { $0.dropped += 1 }
            return nil
        }
        let key = pairs.map { "\($0.name)\u{0}\($0.value)" }.joined(separator: "\u{0}")
        let made = make()
        return state.withLock { state in
            let place =
                state.series.firstIndex {
                    ($0.family.name, $0.key) >= (family.name, key)
                } ?? state.series.count
            if place < state.series.count, state.series[place].family.name == family.name,
                state.series[place].key == key
            {
                return state.series[place].family.kind == kind ? state.series[place].cell : nil
            }
            let known = state.kindOfName[family.name]
            guard state.series.count < Self.seriesMax, known == nil || known == kind else {
                state.dropped += 1
                return nil
            }
            state.kindOfName[family.name] = kind
            state.series.insert(
                Series(family: family, labels: PrometheusText.Labels(pairs), key: key, cell: made), at: place)
            return made
        }
    }

    private static func family(_ label: String, _ kind: MetricFamily.Kind) -> MetricFamily {
        if let known = MetricCatalogue.counted.first(where: { $0.name == label }) { return known }
        var name = String(label.unicodeScalars.map { isNamePart($0) || $0 == ":" ? Character($0) : "_" })
        if let first = name.unicodeScalars.first, ("0"..."9").contains(first) { name = "_" + name }
        let ending =
            switch kind {
            case .counter: "_total"
            case .histogram: "_seconds"
            case .gauge: ""
            }
        if !name.hasSuffix(ending) { name += ending }
        return MetricFamily(name, kind, "Counted by a library under the label \(label).")
    }

    private static func labelName(_ name: String) -> String {
        let plain = String(name.unicodeScalars.map { isNamePart($0) ? Character($0) : "_" })
        guard let first = plain.unicodeScalars.first else { return "_" }
        return ("0"..."9").contains(first) ? "_" + plain : plain
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }
}
