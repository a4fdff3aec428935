import SinewCommands
import SinewWire
import Testing

/// `sinew top` as text: what a snapshot and the one before it look like at a width.
struct TopTests {
    /// Two seconds of a fleet: `fast` solved 600 people, `slow` 150, and a third has not been heard of.
    private func fleet(names: [String] = ["fast", "slow", "mute"]) -> TopFleet {
        var earlier = FleetStatusReply()
        earlier.broker.uptimeMicroseconds = 60_000_000
        earlier.workers = names.enumerated().map { worker($1, index: $0) }
        var later = earlier
        later.broker.version = "1.2.3"
        later.broker.uptimeMicroseconds = 62_000_000
        later.broker.itemsDone = 750
        later.broker.callsDone = 15
        later.broker.cpuMicroseconds = 500_000
        later.broker.clients = 4
        later.broker.queuedItems = 320
        later.broker.runningItems = 128
        later.broker.oldestWaitingMicroseconds = 812_400
        later.broker.drainMicrosecondsEstimated = 1_240_000
        later.broker.creditsTotal = 512
        later.broker.creditsInUse = 200
        for (index, solved) in [600, 150].enumerated() { work(&later.workers[index], solved: UInt64(solved)) }
        later.workers[1].state = .draining
        later.workers[2].heardMicrosecondsAgo = 2_600_000
        return TopFleet(later, since: earlier, jobs: jobs(done: 30), earlierJobs: (jobs(done: 10), 2))
    }

    private func worker(_ name: String, index: Int) -> WorkerStatus {
        var worker = WorkerStatus()
        worker.name = name
        worker.state = .serving
        worker.host = "lab"
        worker.processID = UInt32(100 + index)
        worker.version = "1.2.3"
        worker.beat.uptimeMicroseconds = 10_000_000
        worker.beat.residentBytes = 200 << 20
        return worker
    }

    /// Two more seconds of work in batches of 32 with a best size of 64, every request within 5 ms.
    private func work(_ worker: inout WorkerStatus, solved: UInt64) {
        var model = ModelActivity()
        model.name = "niki"
        model.version = "1"
        model.requestsOk = solved
        model.itemsOk = solved
        model.batches = solved / 30
        model.bestBatch = 60
        model.flop = solved * 90_000_000
        model.totalTime.counts = [0, 0, 0, 0, 0, solved]
        model.totalTime.sumMicroseconds = solved * 4_000
        worker.itemsAnswered = solved
        worker.beat.models = [model]
        worker.beat.itemsDone = solved
        worker.beat.batchesDone = solved / 30
        worker.beat.uptimeMicroseconds += 2_000_000
        worker.beat.cpuMicroseconds = 1_900_000
        worker.beat.queuedItems = 12
        worker.beat.runningItems = 60
    }

    private func jobs(done: UInt64) -> [JobStatus] {
        var job = JobStatus()
        job.id = [1, 2, 3, 4, 5, 6, 0x77, 8, 0x89, 10, 11, 12, 13, 14, 15, 16]
        job.state = .sealed
        job.label = "night shift"
        job.model = "niki/1"
        (job.tasks, job.items) = (100, 6_400)
        (job.done, job.itemsDone) = (done, done * 64)
        (job.failed, job.dead) = (1, 2)
        return [job]
    }

    private func model(_ fleet: TopFleet) -> TopModel {
        var model = TopModel()
        model.take(fleet)
        return model
    }

    private func screen(_ width: Int, _ height: Int?, isStyled: Bool = false) -> TopScreen {
        TopScreen(width: width, height: height, style: TextStyle(isEnabled: isStyled))
    }

    @Test func `figures are the differences of the counters over the time between them`() throws {
        let fleet = fleet()
        #expect(fleet.personsPerSecond == 375)
        #expect(fleet.callsPerSecond == 7.5)
        #expect(fleet.brokerCores == 0.25)
        let fast = try #require(fleet.workers.first)
        #expect(fast.personsPerSecond == 300)
        #expect(fast.batchFill == 0.5)
        #expect(fast.cores == 0.95)
        #expect(fast.gflopPerSecond == 27)
        #expect(fleet.workers.map(\.state) == ["serving", "draining", "silent"])
        #expect(fleet.workers[2].personsPerSecond == nil)
        let job = try #require(fleet.jobs?.first)
        // 20 tasks of 64 people in two seconds; 70 × 64 are left.
        #expect(job.personsPerSecond == 640)
        #expect(job.remainingSeconds == 7)
        #expect(job.lost == 3)
    }

    @Test func `80 columns show every worker with its rate, fill, latency and memory`() {
        let lines = screen(80, 20).lines(model(fleet()))
        #expect(lines.count == 20)
        #expect(lines.allSatisfy { TerminalText.width($0) <= 80 })
        #expect(lines[0] == "sinew top  broker 1.2.3, up 1:02, 1 of 3 workers serving, 4 clients")
        #expect(lines[1] == "people/s 375  calls/s 7.5  failed/s 0  broker CPU 0.25")
        #expect(lines[2] == "waiting 320, oldest 812ms, done in 1.24s  running 128  credits 200/512")
        #expect(lines[4] == "  WORKER*         STATE     PEOPLE/S  FILL  WAITING     P50     P99   CPU    RSS")
        #expect(lines[5] == "> fast            serving        300   50%       12   3.5ms   5.0ms  0.95   200M")
        #expect(lines[6] == "  mute            silent           –     –        0       –       –     –   200M")
        #expect(lines[7] == "  slow            draining        75   50%       12   3.5ms   5.0ms  0.95   200M")
        #expect(lines[9] == "  JOB           STATE              TASKS PEOPLE/S     LEFT  LOST LABEL")
        #expect(lines[10] == "  01020304-0506 running           30/100      640     0:07     3 night shift")
        #expect(lines[19] == "q quit  s sort  ↑↓ select  d drain  h help")
    }

    @Test func `120 columns have room for running people, arithmetic and versions`() {
        let lines = screen(120, 20).lines(model(fleet()))
        #expect(lines.allSatisfy { TerminalText.width($0) <= 120 })
        #expect(lines[4].hasSuffix("CPU    RSS  GFLOP/S VERSION"))
        #expect(lines[5].hasSuffix("0.95   200M       27 1.2.3"))
        #expect(lines[5].contains("     60 "))
    }

    @Test func `a pipe gets everything once, without a cursor`() {
        let lines = screen(100, nil).text(fleet())
        #expect(lines.contains { $0.hasPrefix("  fast ") })
        #expect(!lines.contains { $0.hasPrefix(">") || $0.contains("\u{1B}") || $0.contains("quit") })
    }

    @Test func `more workers than lines leave a window around the selected one`() {
        let names = (0..<50).map { $0 < 10 ? "worker-0\($0)" : "worker-\($0)" }
        var model = model(fleet(names: names))
        for _ in 0..<30 { _ = model.handle(.down) }
        let lines = screen(80, 24).lines(model)
        #expect(lines.count == 24)
        #expect(lines.contains { $0.hasPrefix("> worker-30 ") })
        let shown = lines.count { $0.contains("worker-") }
        #expect(lines.contains("  … \(50 - shown) more workers"))
        #expect(shown > 5)
    }

    @Test func `names of strangers move no cursor and turn no writing direction`() {
        let hostile = "a\u{1B}[2J\u{07}\u{202E}b\u{0}\u{9B}31m"
        let lines = screen(80, 20, isStyled: true).lines(model(fleet(names: [hostile, "slow", "mute"])))
        #expect(lines.contains { $0.contains("a\u{FFFD}[2J\u{FFFD}\u{FFFD}b\u{FFFD}\u{FFFD}31m") })
        let allowed = ["\u{1B}[0m", "\u{1B}[1m", "\u{1B}[7m", "\u{1B}[31m", "\u{1B}[33m"]
        for line in lines {
            let rest = allowed.reduce(line) { text, code in text.split(separator: code).joined() }
            #expect(!rest.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }, "\(rest)")
        }
    }

    @Test(arguments: [
        ("niki", 4), ("日本", 4), ("e\u{301}", 1), ("🚀", 2), ("a–b", 3), ("", 0),
    ])
    func `width is counted in columns`(text: String, columns: Int) {
        #expect(TerminalText.width(text) == columns)
    }

    @Test func `text is cut to columns, not to characters`() {
        #expect(TerminalText.cut("日本語", to: 5) == "日本…")
        #expect(TerminalText.cut("日本語", to: 6) == "日本語")
        #expect(TerminalText.fit("日", to: 4, isLeft: false) == "  日")
        #expect(TerminalText.cut("abc", to: 0) == "")
    }
}

/// What keys do.
struct TopModelTests {
    private func model(_ names: [String] = ["b", "a", "c"], rates: [UInt64] = [30, 20, 10]) -> TopModel {
        var earlier = FleetStatusReply()
        earlier.broker.uptimeMicroseconds = 1_000_000
        for name in names {
            var worker = WorkerStatus()
            worker.name = name
            worker.state = .serving
            worker.beat.uptimeMicroseconds = 1_000_000
            earlier.workers.append(worker)
        }
        var later = earlier
        later.broker.uptimeMicroseconds = 2_000_000
        for (index, rate) in rates.enumerated() {
            later.workers[index].itemsAnswered = rate
            later.workers[index].beat.uptimeMicroseconds = 2_000_000
        }
        var model = TopModel()
        model.take(TopFleet(later, since: earlier))
        return model
    }

    @Test func `s goes through the columns and S back, figures downwards`() {
        var model = model()
        #expect(model.workers.map(\.name) == ["a", "b", "c"])
        #expect(model.handle(.character("s")) == .none)
        #expect(model.sort == .rate)
        #expect(model.workers.map(\.name) == ["b", "a", "c"])
        _ = model.handle(.character("S"))
        _ = model.handle(.character("S"))
        #expect(model.sort == TopColumn.sortable.last)
    }

    @Test func `the cursor stays on its worker when rows move, and inside the table`() {
        var model = model()
        _ = model.handle(.down)
        #expect(model.selectedIndex == 1)
        _ = model.handle(.character("s"))
        #expect(model.workers[model.selectedIndex ?? -1].name == "b")
        for _ in 0..<9 { _ = model.handle(.character("k")) }
        #expect(model.selectedIndex == 0)
        _ = model.handle(.end)
        _ = model.handle(.pageDown)
        #expect(model.selectedIndex == 2)
    }

    @Test func `draining asks, and only yes drains`() {
        var model = model()
        _ = model.handle(.down)
        #expect(model.handle(.character("d")) == .none)
        #expect(model.mode == .confirmingDrain(name: "b", shownName: "b"))
        #expect(model.handle(.enter) == .none)
        #expect(model.mode == .table)
        #expect(model.message == "b stays")
        _ = model.handle(.character("d"))
        #expect(model.handle(.character("y")) == .drain("b"))
    }

    @Test func `a fleet without workers has nothing to drain`() {
        var model = model([], rates: [])
        #expect(model.handle(.character("d")) == .none)
        #expect(model.mode == .table)
        #expect(model.message == "no worker to drain")
        #expect(model.handle(.down) == .none)
    }

    @Test func `Ctrl-C quits and Ctrl-Z stops from everywhere`() {
        for key: TopModel.Key in [.character("x"), .character("h"), .character("d")] {
            var model = model()
            _ = model.handle(key)
            #expect(model.handle(.suspend) == .suspend)
            #expect(model.handle(.interrupt) == .quit)
        }
    }

    @Test func `a worker that is not there any more is named`() {
        var model = model()
        model.take(TopFleet(FleetStatusReply(), since: nil))
        #expect(model.message == "b, a, c are gone")
    }

    @Test func `keys come out of bytes, whole or in pieces`() {
        var decoder = KeyDecoder()
        #expect(decoder.keys(in: Array("q\u{1B}[A\u{1B}OBj".utf8)) == [.character("q"), .up, .down, .character("j")])
        #expect(decoder.keys(in: [0x1B]) == [])
        #expect(decoder.keys(in: Array("[6".utf8)) == [])
        #expect(decoder.keys(in: Array("~".utf8)) == [.pageDown])
        #expect(decoder.keys(in: [0x1B]) == [])
        #expect(decoder.flush() == [.escape])
        #expect(decoder.keys(in: [0x03, 0x1A, 0x0D, 0xC3, 0xA9]) == [.interrupt, .suspend, .enter])
        #expect(decoder.keys(in: Array("\u{1B}[1;5A\u{1B}[99z!".utf8)) == [.up, .character("!")])
    }

    @Test func `a sequence without an end is dropped`() {
        var decoder = KeyDecoder()
        #expect(decoder.keys(in: Array("\u{1B}[".utf8) + [UInt8](repeating: 0x31, count: 40)) == [])
        #expect(decoder.keys(in: Array("q".utf8)) == [.character("q")])
    }
}
