import Glibc
import SinewCommands
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test func `the exit status and the output of a child are collected`() async throws {
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo first; echo second; echo talk >&2; exit 7"], capturesTalk: true)
        #expect(await child.output.firstLine(atMost: .seconds(30)) == "first")
        #expect(await child.wait() == .exited(7))
        #expect(await child.output.text() == "first\nsecond\n")
        #expect(await child.talk?.text() == "talk\n")
    }

    @Test func `a child that ignores SIGTERM is killed and reaped`() async throws {
        let child = try ChildProcess("/bin/sh", ["-c", "trap '' TERM; echo ready; read never; read never"])
        #expect(await child.output.firstLine(atMost: .seconds(30)) == "ready")
        await child.stop(within: .milliseconds(50))
        #expect(child.termination == .signalled(SIGKILL))
        #expect(kill(child.processID, 0) == -1)
    }

    @Test func `a child that reads its lifeline ends when the parent lets go`() async throws {
        let child = try ChildProcess("/bin/sh", ["-c", "cat; exit 4"])
        #expect(await child.wait(atMost: .milliseconds(20)) == nil)
        child.dropLifeline()
        #expect(await child.wait() == .exited(4))
    }

    @Test func `a missing executable is an error that names it`() {
        let failure = #expect(throws: ChildProcess.SpawnFailure.self) { try ChildProcess("/no/such/program", []) }
        #expect(failure?.message == "cannot start /no/such/program: No such file or directory")
    }

    @Test func `a silent child has no first line`() async throws {
        let child = try ChildProcess("/bin/sh", ["-c", "printf 'no line end'"])
        #expect(await child.output.firstLine(atMost: .seconds(30)) == nil)
        #expect(await child.output.text() == "no line end")
    }
}

@Suite(.timeLimit(.minutes(1)))
struct LatchTests {
    @Test func `everyone who waits gets the first value`() async {
        let latch = Latch<Int>()
        let waiters = (0..<8).map { _ in Task { await latch.wait() } }
        latch.set(1)
        latch.set(2)
        for waiter in waiters { #expect(await waiter.value == 1) }
    }

    @Test func `a cancelled wait returns without a value`() async {
        let latch = Latch<Int>()
        let waiter = Task { await latch.wait() }
        waiter.cancel()
        #expect(await waiter.value == nil)
        latch.set(3)
        #expect(await latch.wait() == 3)
    }

    @Test func `a limited wait ends without a value and leaves the latch usable`() async {
        let latch = Latch<Int>()
        #expect(await latch.wait(atMost: .milliseconds(1)) == nil)
        latch.set(5)
        #expect(await latch.wait(atMost: .seconds(30)) == 5)
    }
}
