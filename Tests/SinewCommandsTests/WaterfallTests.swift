import SinewClient
import SinewCommands
import SinewWire
import TestSupport
import Testing

struct WaterfallTests {
    private func call(
        rows: Int = 64, queue: Int64 = 1, underWay: Int64 = 12_000, wait: UInt64 = 2_000, away: UInt64 = 9_000,
        workerQueue: UInt64 = 500, compute: UInt64 = 8_000, dispatches: UInt32 = 1, worker: String = "anna-17"
    ) -> Waterfall.Call {
        let told = ReplyMetadata(
            worker: WorkerTimings(
                worker: worker, queueMicroseconds: workerQueue, computeMicroseconds: compute, finishMicroseconds: 100,
                batchID: 12, batchSize: 64),
            broker: BrokerTimings(waitMicroseconds: wait, awayMicroseconds: away, dispatches: dispatches))
        let times = CallTimes(
            queue: .milliseconds(queue), underWay: .microseconds(underWay), finish: .microseconds(200))
        let parent = TraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        return .init(rows: rows, trace: CallTrace(parent, times, told))
    }

    @Test func `a call is drawn as bars that follow each other`() {
        let lines = Waterfall([call()]).lines()
        #expect(
            lines == [
                "trace 4bf92f3577b34da6a3ce929d0e0e4736",
                "slowest of 1 call: 64 rows, worker anna-17, batch 12 of 64 rows",
                "",
                "stage                     ms   mean ms",
                "client queue           1.000     1.000  ███",
                "broker queue           2.000     2.000     █████",
                "worker queue           0.500     0.500          ██",
                "compute                8.000     8.000            █████████████████████",
                "worker finish          0.100     0.100                                 █",
                "broker-worker net      0.400     0.400                                  █",
                "client-broker net      1.000     1.000                                   ██",
                "client finish          0.200     0.200                                     █",
                "total                 13.200    13.200",
            ])
    }

    @Test func `of several calls the slowest is drawn, and all of them are counted`() {
        let lines = Waterfall([call(), call(underWay: 32_000, wait: 22_000, dispatches: 3), call()]).lines()
        #expect(lines[1] == "slowest of 3 calls: 64 rows, worker anna-17, batch 12 of 64 rows, given to work…")
        #expect(lines[5].hasPrefix("broker queue          22.000     8.667  "))
        #expect(lines.last == "total                 33.200    19.867")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `no line is wider than 80 columns, and every stage that took time is seen once`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func number() -> UInt64 { UInt64.random(in: 0...5_000_000, using: &random) }
        let calls = (0..<Int.random(in: 1...5, using: &random)).map { _ in
            call(
                rows: Int.random(in: 1...4_096, using: &random), queue: Int64(number() / 1_000),
                underWay: Int64(number()), wait: number() / 4, away: number() / 2, workerQueue: number() / 4,
                compute: number() / 4, dispatches: 7, worker: String(repeating: "w", count: Int(seed)))
        }
        let lines = Waterfall(calls).lines()
        #expect(lines.allSatisfy { $0.count <= 80 && !$0.hasSuffix(" ") })
        guard let slowest = calls.max(by: { $0.trace.total < $1.trace.total })?.trace else { return }
        for stage in CallTrace.Stage.allCases {
            let drawn = lines.filter { $0.hasPrefix(stage.rawValue + " ") && $0.contains("█") }
            #expect(drawn.count == (slowest[stage] > .zero ? 1 : 0), "\(stage) of seed \(seed)")
        }
    }

    @Test func `the words are the same without colour, and nothing is drawn of nothing`() {
        let plain = Waterfall([call()]).lines()
        let styled = Waterfall([call()]).lines(style: TextStyle(isEnabled: true))
        #expect(zip(plain, styled).allSatisfy { $1 == $0 || $1 == "\u{1B}[1m\($0)\u{1B}[0m" })
        #expect(plain != styled && !plain.joined().contains("\u{1B}"))
        #expect(Waterfall([]).lines().isEmpty)
    }
}
