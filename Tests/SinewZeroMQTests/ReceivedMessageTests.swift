import SinewZeroMQ
import Testing

/// Messages that are read where libzmq received them, and heads that are only lent.
@Suite struct ReceivedMessageTests {
    private struct Pair: ~Copyable {
        let context: Context
        let router: Socket
        let dealer: Socket

        init(framesMax: Int = 8) throws {
            let context = try Context()
            var options = Socket.Options()
            options.framesPerMessageMax = framesMax
            let router = try Socket(.router, in: context, options: options)
            let dealer = try Socket(.dealer, in: context)
            try dealer.connect(to: router.bind(to: "tcp://127.0.0.1:*"))
            self.context = context
            self.router = router
            self.dealer = dealer
        }

        /// Waits until a message is there, and lends it.
        func nextLent() throws -> ReceivedMessage? {
            var poller = Poller()
            _ = poller.add(router)
            guard try poller.wait(atMost: generousDeadline) else { return nil }
            return try router.receiveLent()
        }
    }

    @Test func `a lent message shows its bytes, gives away the frames that are wanted, and forgets the rest`() throws {
        let pair = try Pair()
        for number in 0..<3 {
            try pair.dealer.send(Message([pattern(40, seed: UInt8(number)), pattern(3_000), []]))
        }
        var kept: [Frame] = []
        for number in 0..<3 {
            let lent = try pair.nextLent()
            switch consume lent {
            case .some(let message):
                #expect(message.frameCount == 4 && message.droppedFrames == 0 && message.userID == nil)
                let route = message.withBytes(of: 0) { $0.count }
                #expect(message.byteCount == route + 3_040)
                let head = message.withBytes(of: 1) { span in (0..<span.count).map { span[$0] } }
                #expect(head == pattern(40, seed: UInt8(number)))
                kept.append(message.take(2))
                #expect(message.byteCount == route + 40, "what was taken is empty here")
            case .none: Issue.record("message \(number) did not come")
            }
        }
        // The places were used again meanwhile.
        for frame in kept { #expect(frame.bytes == pattern(3_000)) }
        let further = try pair.router.receive()
        #expect(further == nil)
    }

    @Test func `frames beyond the limit are counted and the next message is whole`() throws {
        let pair = try Pair(framesMax: 3)
        try pair.dealer.send(Message(["a", "b", "c", "d"].map { Array($0.utf8) }))
        try pair.dealer.send(Message(["e", "f"].map { Array($0.utf8) }))
        let first = try nextMessage(pair.router)
        #expect(first?.texts.dropFirst() == ["a", "b"] && first?.droppedFrames == 2)
        let second = try nextMessage(pair.router)
        #expect(second?.texts.dropFirst() == ["e", "f"] && second?.droppedFrames == 0)
    }

    @Test(arguments: [0, 1, 2, 3]) func `a lent head is sent with whatever follows it`(parts: Int) throws {
        let pair = try Pair()
        let head = pattern(70)
        let metadata = parts & 1 != 0 ? Frame("metadata") : nil
        let payload = parts & 2 != 0 ? Frame(pattern(2_000)) : nil
        let there = try unsafe pair.dealer.send(head: head.span.bytes, metadata: metadata, payload: payload)
        #expect(there == .sent)
        let received = try #require(try nextMessage(pair.router))
        let expected = [head] + [metadata, payload].compactMap { $0?.bytes }
        #expect(received.frames.dropFirst().map(\.bytes) == expected)
        let back = try unsafe pair.router.send(
            to: received.frames[0], head: head.span.bytes, metadata: metadata, payload: payload)
        #expect(back == .sent)
        let answer = try #require(try nextMessage(pair.dealer))
        #expect(answer.frames.map(\.bytes) == expected)
    }

    @Test func `a lent head to a peer that is gone is refused and nothing is sent`() throws {
        let pair = try Pair()
        let head = pattern(70)
        let outcome = try unsafe pair.router.send(
            to: Frame([9, 9, 9]), head: head.span.bytes, payload: Frame("x"))
        #expect(outcome == .unroutable)
        // The next message goes out whole: nothing of the refused one is left in the socket.
        try pair.dealer.send(Message(texts: "hello"))
        let hello = try #require(try nextMessage(pair.router))
        let sent = try unsafe pair.router.send(to: hello.frames[0], head: head.span.bytes)
        #expect(sent == .sent)
        let answer = try nextMessage(pair.dealer)
        #expect(answer?.frames.map(\.bytes) == [head])
    }
}
