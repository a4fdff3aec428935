internal import SinewArrayFiles

/// The reply to `/api/v1/history`: curves over one axis of time.
struct HistoryCurves: Sendable {
    /// Numbers in one reply; with more curves the steps become longer.
    static let numbersMax = 120_000

    private let begin: Int
    private let step: Int
    private let count: Int
    /// By place on the axis; nil where nothing was known.
    private let samples: [HistoryStore.Sample?]

    /// - Parameters:
    ///   - samples: of the store, the oldest first.
    ///   - times: what was asked for, seconds since 1970.
    init(_ samples: [HistoryStore.Sample], _ storeStep: HistoryStore.Step, in times: Range<Int>) {
        var names: Set<String> = []
        for sample in samples { names.formUnion(sample.workerRates.keys) }
        let curves = 5 + names.count
        let stored = storeStep.rawValue
        let wanted = times.count * curves / stored / Self.numbersMax + 1
        let step = stored * wanted
        // On the grid, so that the same moment stands at the same place in every reply.
        let begin = times.lowerBound - times.lowerBound % step
        let count = (times.upperBound - begin + step - 1) / step
        var groups: [[HistoryStore.Sample]] = Array(repeating: [], count: count)
        for sample in samples where sample.time >= begin && sample.time < begin + count * step {
            groups[(sample.time - begin) / step].append(sample)
        }
        self.begin = begin
        self.step = step
        self.count = count
        self.samples = groups.enumerated().map { HistoryStore.mean(of: $1, at: begin + $0 * step) }
    }

    var json: JSONValue {
        func curve(_ value: (HistoryStore.Sample) -> Double?) -> JSONValue {
            .array(samples.map { .number($0.flatMap(value).map { Self.rounded($0) }) })
        }
        var names: Set<String> = []
        for sample in samples { names.formUnion(sample?.workerRates.keys.map { $0 } ?? []) }
        return .object([
            .init("step_seconds", .integer(step)),
            .init("start_unix", .integer(begin)),
            .init(
                "series",
                .object([
                    .init("persons_per_second", curve(\.personsPerSecond)),
                    .init("queued_items", curve(\.queuedItems)),
                    .init("running_items", curve(\.runningItems)),
                    .init("workers", curve(\.workers)),
                    .init("failed_per_second", curve(\.failedPerSecond)),
                ])),
            .init(
                "worker_series",
                .object(
                    names.sorted().map { name in
                        .init(name, .object([.init("persons_per_second", curve { $0.workerRates[name] })]))
                    })),
        ])
    }

    /// A curve needs no more digits.
    private static func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
}
