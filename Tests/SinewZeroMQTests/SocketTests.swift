import SinewZeroMQ
import Testing

@Suite struct SocketTests {
    @Test func `the library is a version 4`() { #expect(Context.libraryVersion.hasPrefix("4.")) }

    @Test(arguments: ["tcp://127.0.0.1:*", "inproc://router-and-dealer"])
    func `a router answers the dealer that asked`(endpoint: String) throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        let bound = try router.bind(to: endpoint)
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect(to: bound)
        let outcome1 = try dealer.send(Message(texts: "head", "payload"))
        #expect(outcome1 == .sent)
        let request = try #require(try nextMessage(router))
        #expect(request.frames.count == 3)
        #expect(request.texts.suffix(2) == ["head", "payload"])
        let reply = Message(frames: [request.frames[0], Frame("answer")])
        let outcome2 = try router.send(reply)
        #expect(outcome2 == .sent)
        let received3 = try nextMessage(dealer)
        #expect(received3?.texts == ["answer"])
        let further = try dealer.receive()
        #expect(further == nil)
    }

    @Test func `binding to port star tells the port`() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        #expect(endpoint.hasPrefix("tcp://127.0.0.1:"))
        #expect(!endpoint.hasSuffix("*"))
        let outcome5 = try router.lastEndpoint()
        #expect(outcome5 == endpoint)
    }

    @Test func `a message to an unknown peer is refused and not dropped`() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        try router.bind(to: "tcp://127.0.0.1:*")
        let outcome6 = try router.send(Message(texts: "nobody", "head"))
        #expect(outcome6 == .unroutable)
    }

    @Test func `a dealer that is connected to nothing would block`() throws {
        let context = try Context()
        let dealer = try Socket(.dealer, in: context)
        let outcome7 = try dealer.send(Message(texts: "a", "b"))
        #expect(outcome7 == .wouldBlock)
    }

    @Test func `a forwarded frame arrives unchanged at several peers`() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let first = try Socket(.dealer, in: context)
        try first.connect(to: endpoint)
        let second = try Socket(.dealer, in: context)
        try second.connect(to: endpoint)
        try first.send(Message([Array("1".utf8), pattern(3_000_000)]))
        let fromFirst = try #require(try nextMessage(router))
        try second.send(Message(texts: "2"))
        let fromSecond = try #require(try nextMessage(router))
        let payload = fromFirst.frames[2]
        for peer in [fromFirst.frames[0], fromSecond.frames[0], fromFirst.frames[0]] {
            let outcome8 = try router.send(Message(frames: [peer, payload]))
            #expect(outcome8 == .sent)
        }
        let received9 = try nextMessage(first)
        #expect(received9?.frames[0].bytes == pattern(3_000_000))
        let received10 = try nextMessage(first)
        #expect(received10?.frames[0].bytes == pattern(3_000_000))
        let received11 = try nextMessage(second)
        #expect(received11?.frames[0].bytes == pattern(3_000_000))
    }

    @Test(arguments: [4096, 4097])
    func `a frame above the limit ends its connection and at the limit arrives`(byteCount: Int) throws {
        let context = try Context()
        var options = Socket.Options()
        options.messageBytesMax = 4096
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let suspect = try Socket(.dealer, in: context)
        try suspect.connect(to: endpoint)
        try suspect.send(Message(texts: "before"))
        let received12 = try nextMessage(router)
        #expect(received12?.texts.last == "before")
        try suspect.send(Message([pattern(byteCount)]))
        // The dealer connects again after a refusal; what it sends into the dying connection is lost, so it repeats.
        var poller = Poller()
        _ = poller.add(router)
        let end = ContinuousClock.now + generousDeadline
        var received: [Int] = []
        while received.last != 5, ContinuousClock.now < end {
            try suspect.send(Message(texts: "after"))
            try poller.wait(atMost: .milliseconds(20))
            if let message = try router.receive() { received.append(message.frames[1].count) }
        }
        #expect(received.last == 5)
        #expect(received.contains(byteCount) == (byteCount <= 4096))
    }

    @Test func `frames beyond the limit of a message are dropped and counted`() throws {
        let context = try Context()
        var options = Socket.Options()
        options.framesPerMessageMax = 3
        let receiver = try Socket(.dealer, in: context, options: options)
        let endpoint = try receiver.bind(to: "tcp://127.0.0.1:*")
        let sender = try Socket(.dealer, in: context)
        try sender.connect(to: endpoint)
        try sender.send(Message(texts: "a", "b", "c", "d", "e"))
        try sender.send(Message(texts: "f", "g", "h"))
        let long = try #require(try nextMessage(receiver))
        #expect(long.texts == ["a", "b", "c"])
        #expect(long.droppedFrames == 2)
        let exact = try #require(try nextMessage(receiver))
        #expect(exact.texts == ["f", "g", "h"])
        #expect(exact.droppedFrames == 0)
    }

    @Test func `closing with unsent messages does not hang`() throws {
        let context = try Context()
        let unreachable = try Socket(.dealer, in: context)
        // Port 1 of the loopback has no listener; libzmq queues and tries again for ever.
        try unreachable.connect(to: "tcp://127.0.0.1:1")
        for _ in 0..<100 { #expect(try unreachable.send(Message([pattern(10_000)])) == .sent) }
        unreachable.close()
        // Leaving the scope ends the context, which would wait for ever without a linger time.
    }

    @Test func `lingering delivers what was sent before closing`() throws {
        let context = try Context()
        let receiver = try Socket(.dealer, in: context)
        let endpoint = try receiver.bind(to: "tcp://127.0.0.1:*")
        var options = Socket.Options()
        options.linger = generousDeadline
        let sender = try Socket(.dealer, in: context, options: options)
        try sender.connect(to: endpoint)
        for index in 0..<100 { try sender.send(Message([pattern(50_000, seed: UInt8(index))])) }
        sender.close()
        for index in 0..<100 {
            let received13 = try nextMessage(receiver)
            #expect(received13?.frames[0].bytes == pattern(50_000, seed: UInt8(index)))
        }
    }

    @Test func `a shut down context ends polling and receiving`() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        try router.bind(to: "tcp://127.0.0.1:*")
        let thread = try DedicatedThread(named: "waiting", owning: router) { router in
            var poller = Poller()
            _ = poller.add(router)
            let error = #expect(throws: ZeroMQError.self) {
                while true { try poller.wait() }
            }
            #expect(error?.reason == .terminated)
            let second = #expect(throws: ZeroMQError.self) { _ = try router.receive() }
            #expect(second?.reason == .terminated)
        }
        context.shutdown()
        thread.join()
    }

    @Test func `a second thread on the same socket traps`() async {
        await #expect(processExitsWith: .failure) {
            let context = try Context()
            let socket = try Socket(.dealer, in: context)
            _ = try socket.receive()
            let thread = try DedicatedThread(named: "thief", owning: socket) { socket in
                _ = try? socket.receive()
            }
            thread.join()
        }
    }

    @Test func `polling a closed socket traps`() async {
        await #expect(processExitsWith: .failure) {
            let context = try Context()
            let socket = try Socket(.dealer, in: context)
            var poller = Poller()
            _ = poller.add(socket)
            socket.close()
            try poller.wait(atMost: .zero)
        }
    }
}
