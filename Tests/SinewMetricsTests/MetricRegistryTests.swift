import CoreMetrics
import SinewMetrics
import TestSupport
import Testing

@Suite struct MetricRegistryTests {
    private func samples(_ registry: MetricRegistry) throws -> PrometheusSamples {
        var text = PrometheusText()
        registry.write(into: &text)
        return try PrometheusSamples(String(decoding: text.bytes, as: UTF8.self))
    }

    @Test func `everything that is counted from many threads is there`() async throws {
        let registry = MetricRegistry()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "hits", dimensions: [("task", "\(task % 2)")], factory: registry)
                    let timer = Timer(label: MetricCatalogue.storeCommitTime.name, factory: registry)
                    let meter = Meter(label: "level", factory: registry)
                    let fractions = FloatingPointCounter(label: "weight", factory: registry)
                    for step in 0..<1_000 {
                        counter.increment()
                        timer.recordMicroseconds(step % 2 == 0 ? 150 : 3_000)
                        meter.increment(by: 0.5)
                        meter.decrement(by: 0.25)
                        fractions.increment(by: 0.125)
                    }
                }
            }
        }
        let found = try samples(registry)
        #expect(found.value("hits_total", ["task": "0"]) == 4_000 && found.value("hits_total", ["task": "1"]) == 4_000)
        #expect(found.value("level") == 2_000)
        #expect(found.sum("weight_total") == 1_000)
        #expect(found.value("sinew_store_commit_seconds_count") == 8_000)
        #expect(found.value("sinew_store_commit_seconds_bucket", ["le": "0.0002"]) == 4_000)
        #expect(found.value("sinew_store_commit_seconds_bucket", ["le": "0.005"]) == 8_000)
        let sum = try #require(found.value("sinew_store_commit_seconds_sum"))
        #expect(abs(sum - 4_000 * (0.000_15 + 0.003)) < 1e-9)
        #expect(found.kinds["level"] == "gauge" && found.kinds["sinew_store_commit_seconds"] == "histogram")
    }

    @Test func `gauges and recorders keep the last value or the distribution`() throws {
        let registry = MetricRegistry()
        let gauge = Gauge(label: "temperature", factory: registry)
        for value in [3.5, 1.25] { gauge.record(value) }
        let recorder = Recorder(label: "wait", factory: registry)
        for value in [0.00015, 3.0] { recorder.record(value) }
        let found = try samples(registry)
        #expect(found.value("temperature") == 1.25)
        #expect(found.value("wait_seconds_count") == 2)
        #expect(found.value("wait_seconds_bucket", ["le": "0.0002"]) == 1)
    }

    @Test func `names and labels of libraries become such that Prometheus takes them`() throws {
        let registry = MetricRegistry()
        Counter(label: "http.server-requests", dimensions: [("1st label", "a\"b\n")], factory: registry).increment(
            by: 2)
        Counter(label: "7up", factory: registry).increment()
        let found = try samples(registry)
        #expect(found.value("http_server_requests_total", ["_1st_label": "a\"b\n"]) == 2)
        #expect(found.value("_7up_total") == 1)
    }

    @Test func `one name cannot be of two kinds, nor one that the fleet has, nor have a label twice`() throws {
        let registry = MetricRegistry()
        Counter(label: "x_total", factory: registry).increment()
        Gauge(label: "x_total", factory: registry).record(5)
        Counter(label: MetricCatalogue.requests.name, factory: registry).increment()
        Counter(label: "y", dimensions: [("a", "1"), ("a", "2")], factory: registry).increment()
        Counter(label: "y", dimensions: [("le", "1")], factory: registry).increment()
        let found = try samples(registry)
        #expect(found.samples.filter { $0.name != MetricCatalogue.droppedSeries.name }.map(\.name) == ["x_total"])
        #expect(found.value(MetricCatalogue.droppedSeries.name) == 3)
    }

    @Test func `series beyond the limit are counted and not kept`() throws {
        let registry = MetricRegistry()
        for number in 0..<MetricRegistry.seriesMax {
            Counter(label: "n", dimensions: [("k", "\(number)")], factory: registry).increment()
        }
        #expect(try samples(registry).value(MetricCatalogue.droppedSeries.name) == 0)
        let late = Counter(label: "n", dimensions: [("k", "late")], factory: registry)
        late.increment()
        // Known ones go on.
        Counter(label: "n", dimensions: [("k", "5")], factory: registry).increment()
        let found = try samples(registry)
        #expect(found.value(MetricCatalogue.droppedSeries.name) == 1)
        #expect(found.value("n_total", ["k": "late"]) == nil && found.value("n_total", ["k": "5"]) == 2)
        #expect(found.samples.count == MetricRegistry.seriesMax + 1)
    }
}
