import SinewZeroMQ
import Synchronization
import Testing

@Suite struct PollerTests {
    @Test func `a poller tells which of its sockets has something`() throws {
        let context = try Context()
        let quiet = try Socket(.router, in: context)
        try quiet.bind(to: "tcp://127.0.0.1:*")
        let busy = try Socket(.router, in: context)
        let endpoint = try busy.bind(to: "tcp://127.0.0.1:*")
        let waker = try Waker()
        var poller = Poller()
        let quietToken = poller.add(quiet)
        let wakerToken = poller.add(waker)
        let busyToken = poller.add(busy)
        let isReady1 = try poller.wait(atMost: .zero)
        #expect(isReady1 == false)
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect(to: endpoint)
        try dealer.send(Message(texts: "hello"))
        let isReady2 = try poller.wait(atMost: generousDeadline)
        #expect(isReady2)
        let ready = [busyToken, quietToken, wakerToken].map { poller.isReady($0) }
        #expect(ready == [true, false, false])
    }

    @Test func `waiting ends no earlier than asked`() throws {
        let waker = try Waker()
        var poller = Poller()
        _ = poller.add(waker)
        let start = ContinuousClock.now
        let isReady3 = try poller.wait(atMost: .microseconds(1500))
        #expect(isReady3 == false)
        #expect(ContinuousClock.now - start >= .microseconds(1500))
    }

    @Test func `wakes are merged and none is lost`() throws {
        let waker = try Waker()
        let posted = Atomic<Int>(0)
        let threads = 4
        let postsPerThread = 20_000
        var running: [DedicatedThread] = []
        for index in 0..<threads {
            running.append(
                try DedicatedThread(named: "poster-\(index)") {
                    for _ in 0..<postsPerThread {
                        posted.add(1, ordering: .releasing)
                        waker.wake()
                    }
                })
        }
        var poller = Poller()
        let token = poller.add(waker)
        var seen = 0
        var rounds = 0
        while seen < threads * postsPerThread {
            // A lost wake-up shows as a wait that nothing ends although posts are still unseen.
            let wasWoken = try poller.wait(atMost: generousDeadline)
            try #require(wasWoken)
            let isTokenReady = poller.isReady(token)
            #expect(isTokenReady)
            waker.clear()
            seen = posted.load(ordering: .acquiring)
            rounds += 1
        }
        #expect(rounds <= threads * postsPerThread)
        for thread in running { thread.join() }
        waker.clear()
        let isReady4 = try poller.wait(atMost: .zero)
        #expect(isReady4 == false)
    }

    @Test func `a waker still wakes after it was cleared`() throws {
        let waker = try Waker()
        var poller = Poller()
        _ = poller.add(waker)
        for _ in 0..<3 {
            waker.wake()
            waker.wake()
            let isReady5 = try poller.wait(atMost: .zero)
            #expect(isReady5)
            waker.clear()
            let isReady6 = try poller.wait(atMost: .zero)
            #expect(isReady6 == false)
        }
    }
}
