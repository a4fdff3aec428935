import SinewZeroMQ
import Synchronization
import Testing

@Suite struct DedicatedThreadTests {
    @Test func `a socket prepared by one thread works in another`() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let thread = try DedicatedThread(named: "echo", owning: router) { router in
            #expect(throws: Never.self) {
                let message = try #require(try nextMessage(router))
                try router.send(message)
                // Answered before closing: without a linger time closing drops what is not on the wire yet.
                _ = try nextMessage(router)
            }
        }
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect(to: endpoint)
        try dealer.send(Message(texts: "echo"))
        let received1 = try nextMessage(dealer)
        #expect(received1?.texts == ["echo"])
        try dealer.send(Message(texts: "seen"))
        thread.join()
    }

    @Test func `joining waits for the body and may be repeated`() throws {
        let steps = Atomic<Int>(0)
        let thread = try DedicatedThread(named: "a name longer than the kernel keeps") {
            for _ in 0..<1000 { steps.add(1, ordering: .relaxed) }
        }
        thread.join()
        #expect(steps.load(ordering: .relaxed) == 1000)
        thread.join()
    }
}
