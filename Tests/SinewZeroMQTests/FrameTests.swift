import SinewZeroMQ
import Testing

@Suite struct FrameTests {
    @Test(arguments: [0, 1, 33, 34, 1023, 1024, 1025, 100_000])
    func `a frame holds the bytes it was made of`(count: Int) {
        let bytes = pattern(count)
        let frame = Frame(bytes)
        #expect(frame.count == count)
        #expect(frame.isEmpty == (count == 0))
        #expect(frame.bytes == bytes)
        #expect(frame.withBytes { span in span.count } == count)
        let copied = unsafe frame.withUnsafeBytes { unsafe Array($0) }
        #expect(copied == bytes)
    }

    @Test func `changing the array afterwards does not change the frame`() {
        var bytes = pattern(5000)
        let frame = Frame(bytes)
        for index in bytes.indices { bytes[index] = 0 }
        #expect(frame.bytes == pattern(5000))
    }

    @Test(arguments: [0, 1, 33, 34, 1_024, 65_536, 65_537])
    func `a packed frame has the same bytes, is packed once, and arrives like any other`(count: Int) throws {
        let packed = Frame(pattern(count)).packed()
        #expect(packed.bytes == pattern(count) && packed.count == count)
        #expect(packed.packed().bytes == pattern(count))
        let context = try Context()
        let sink = try Socket(.dealer, in: context)
        let source = try Socket(.dealer, in: context)
        try source.connect(to: sink.bind(to: "tcp://127.0.0.1:*"))
        // The last reference here goes before libzmq has sent the bytes.
        for _ in 0..<3 { try source.send(Message(frames: [Frame(pattern(count)).packed(), packed])) }
        for _ in 0..<3 {
            let message = try #require(try nextMessage(sink))
            #expect(message.frames.map(\.bytes) == [pattern(count), pattern(count)])
        }
    }

    @Test func `a counted frame is counted from its sending until it has gone, and not beyond the limit`() throws {
        let context = try Context()
        let sink = try Socket(.dealer, in: context)
        let source = try Socket(.dealer, in: context)
        // Within the process a message goes only when its receiver has read it and forgotten it.
        try source.connect(to: sink.bind(to: "inproc://counted"))
        let counter = UnsentBytes()
        let frame = counter.counting(Frame(pattern(5_000)))
        #expect(frame.bytes == pattern(5_000) && counter.value == 0)
        for _ in 0..<3 { try source.send(Message(frames: [frame])) }
        #expect(counter.value == 15_000)
        #expect(counter.hasRoom(for: 5_000, max: 20_000))
        #expect(!counter.hasRoom(for: 5_001, max: 20_000))
        for left in [10_000, 5_000, 0] {
            #expect(try #require(try nextMessage(sink)).frames[0].bytes == pattern(5_000))
            #expect(counter.value == left)
        }
    }

    @Test func `a frame can be sent many times and by many threads at once`() throws {
        let context = try Context()
        let shared = Frame(pattern(10_000))
        let threads = 4
        let repeats = 200
        let sink = try Socket(.dealer, in: context)
        let endpoint = try sink.bind(to: "tcp://127.0.0.1:*")
        var running: [DedicatedThread] = []
        for index in 0..<threads {
            var options = Socket.Options()
            options.linger = generousDeadline
            let source = try Socket(.dealer, in: context, options: options)
            try source.connect(to: endpoint)
            running.append(
                try DedicatedThread(named: "sender-\(index)", owning: source) { source in
                    for _ in 0..<repeats {
                        #expect(throws: Never.self) { try source.send(Message(frames: [shared])) }
                    }
                })
        }
        for _ in 0..<threads * repeats {
            let message = try #require(try nextMessage(sink))
            #expect(message.frames.count == 1)
            #expect(message.frames[0].bytes == pattern(10_000))
        }
        for thread in running { thread.join() }
    }
}
