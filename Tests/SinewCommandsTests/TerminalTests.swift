import SinewCommands
import Testing

struct TerminalTests {
    @Test(arguments: [
        (1.0, 0, "1"), (0.049, 1, "0.0"), (-0.04, 1, "0.0"), (-12.345, 2, "-12.35"), (1234.5, 1, "1234.5"),
        (0.5, 3, "0.500"), (Double.nan, 1, "–"), (Double.infinity, 1, "–"),
    ])
    func `numbers have a fixed count of decimals`(value: Double, decimals: Int, text: String) {
        #expect(fixed(value, decimals) == text)
    }

    @Test func `columns are aligned and lines carry no trailing space`() {
        var table = TextTable(["model", "mm"])
        table.add(["niki", "12.5"])
        table.add(["a longer name", ""])
        #expect(table.lines() == ["model            mm", "niki           12.5", "a longer name"])
    }

    @Test func `a progress line shows count, rate, remaining time and failures`() {
        let start = ContinuousClock.Instant.now
        let bar = ProgressBar(total: 400, unit: "frames", start: start)
        #expect(
            bar.line(done: 100, failed: 2, at: start + .seconds(2), width: 4)
                == "█░░░ 100/400 frames  50/s  ETA 0:06  2 failed")
        #expect(bar.line(done: 400, failed: 0, at: start + .seconds(8), width: 4) == "████ 400/400 frames  50/s")
        #expect(bar.line(done: 0, failed: 0, at: start, width: 4) == "░░░░ 0/400 frames")
    }

    @Test func `style is plain text when it is off`() {
        #expect(TextStyle(isEnabled: false).red("a") == "a")
        #expect(TextStyle(isEnabled: true).red("a") == "\u{1B}[31ma\u{1B}[0m")
    }
}

struct EndpointPolicyTests {
    @Test(arguments: [
        "tcp://127.0.0.1:7690", "tcp://127.1.2.3:*", "tcp://localhost:0", "tcp://[::1]:7690", "ipc:///tmp/a",
    ])
    func `loopback needs no permission`(endpoint: String) throws {
        try EndpointPolicy.check(endpoint, option: "--endpoint", hasKeys: false, isInsecureAllowed: false)
    }

    @Test(arguments: ["tcp://10.0.0.7:7690", "tcp://*:7690", "tcp://127.0.0.1.example.org:1", "tcp://0.0.0.0:1"])
    func `any other address is refused until a person insists`(endpoint: String) throws {
        let failure = #expect(throws: CommandFailure.self) {
            try EndpointPolicy.check(endpoint, option: "--endpoint", hasKeys: false, isInsecureAllowed: false)
        }
        #expect(failure?.status == .refused)
        #expect(failure?.message.contains("--insecure") == true)
        try EndpointPolicy.check(endpoint, option: "--endpoint", hasKeys: false, isInsecureAllowed: true)
    }

    @Test(arguments: [
        "127.0.0.1:7690", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "udp://127.0.0.1:1", "tcp://127.0.0.1:",
    ])
    func `a malformed endpoint is a usage error`(endpoint: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try EndpointPolicy.check(endpoint, option: "--endpoint", hasKeys: false, isInsecureAllowed: true)
        }
        #expect(failure?.status == .usage)
    }
}
