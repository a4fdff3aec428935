import SinewCore
import SinewMetrics
import SinewWire
import TestSupport
import Testing

@Suite struct PrometheusTextTests {
    private func text(_ write: (inout PrometheusText) -> Void) -> String {
        var text = PrometheusText()
        write(&text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func `a family has its head once, before its samples, and none without samples`() {
        let written = text { text in
            text.begin(MetricFamily("empty_total", .counter, "Nothing."))
            text.begin(MetricFamily("a_total", .counter, "Back\\slash\nand line."))
            text.sample(.none, 3 as UInt64)
            text.sample(PrometheusText.Labels([("x", "1")]), UInt64.max)
            text.begin(MetricFamily("b", .gauge, "B."))
            text.sample(.none, -0.25)
        }
        #expect(
            written == """
                # HELP a_total Back\\\\slash\\nand line.
                # TYPE a_total counter
                a_total 3
                a_total{x="1"} 18446744073709551615
                # HELP b B.
                # TYPE b gauge
                b -0.25

                """)
    }

    @Test func `values of labels come back as they were`() throws {
        let value = "quotes \" back\\slash\nline, comma} ümläut"
        let written = text { text in
            text.begin(MetricFamily("a", .gauge, "A."))
            text.sample(PrometheusText.Labels([("x", value), ("y", "")]).with("z", value), 0 as UInt64)
        }
        let samples = try PrometheusSamples(written)
        #expect(samples.samples.map(\.labels) == [["x": value, "y": "", "z": value]])
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000001"), (1_000_000, "1"), (1_500_000, "1.5"), (12_000_034, "12.000034"),
        (UInt64.max, "18446744073709.551615"),
    ])
    func `microseconds are written as seconds without rounding`(_ microseconds: UInt64, _ seconds: String) {
        let written = text { text in
            text.begin(MetricFamily("a_seconds", .gauge, "A."))
            text.sample(microseconds: microseconds)
        }
        #expect(written.hasSuffix("\na_seconds \(seconds)\n"))
    }

    @Test func `a histogram is cumulative and ends with all`() throws {
        var times = TimeCounts()
        for duration: UInt64 in [100, 101, 150, 70_000_000] { times.note(duration) }
        let written = text { text in
            text.begin(MetricFamily("t_seconds", .histogram, "T."))
            text.histogram(PrometheusText.Labels([("x", "1")]), times)
            text.histogram(.none, TimeCounts())
        }
        let samples = try PrometheusSamples(written)
        func bucket(_ bound: String) -> Double? { samples.value("t_seconds_bucket", ["x": "1", "le": bound]) }
        #expect(bucket("0.0001") == 1 && bucket("0.0002") == 3 && bucket("50") == 3 && bucket("+Inf") == 4)
        #expect(samples.value("t_seconds_count", ["x": "1"]) == 4)
        #expect(samples.value("t_seconds_sum", ["x": "1"]) == 70.000351)
        #expect(samples.value("t_seconds_bucket", ["le": "+Inf"]) == 0 && samples.value("t_seconds_count") == 0)
        #expect(samples.samples.count { $0.name == "t_seconds_bucket" } == 2 * TimeCounts.classCount)
    }

    @Test func `batch sizes have the same classes at every scrape`() throws {
        var sizes: [BatchSizeCount] = []
        for size: UInt32 in [1, 3, 4, 64, 5_000] { sizes.note(size: size) }
        let written = text { text in
            text.begin(MetricFamily("b_items", .histogram, "B."))
            text.histogram(PrometheusText.Labels([("x", "1")]), sizes, items: 5_072)
            text.histogram(PrometheusText.Labels([("x", "2")]), [], items: 0)
        }
        let samples = try PrometheusSamples(written)
        func bucket(_ bound: String) -> Double? { samples.value("b_items_bucket", ["x": "1", "le": bound]) }
        #expect(bucket("1") == 1 && bucket("2") == 1 && bucket("4") == 3 && bucket("4096") == 4 && bucket("+Inf") == 5)
        #expect(samples.value("b_items_sum", ["x": "1"]) == 5_072 && samples.value("b_items_count", ["x": "1"]) == 5)
        func bounds(_ series: String) -> [String?] {
            samples.samples.filter { $0.labels["x"] == series && $0.labels["le"] != nil }.map { $0.labels["le"] }
        }
        #expect(bounds("1") == bounds("2"))
    }
}
