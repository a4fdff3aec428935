import SinewZeroMQ
import TestSupport
import Testing

/// CURVE, the questions that libzmq asks about a key, and what the two sides see of a handshake.
@Suite(.timeLimit(.minutes(2))) struct SecurityTests {
    @Test func `a key survives Z85 and anything else is none`() throws {
        let pair = try CurveKeyPair.generate()
        #expect(CurvePublicKey(z85: pair.publicKey.z85) == pair.publicKey)
        #expect(CurveKeyPair(secretZ85: pair.secretZ85) == pair)
        #expect(try CurveKeyPair.generate() != pair)
        for wrong in [
            "", String(pair.publicKey.z85.dropLast()), pair.publicKey.z85 + "0", String(repeating: "~", count: 40),
            String(repeating: "#", count: 40), String(repeating: "é", count: 20),
        ] {
            #expect(CurvePublicKey(z85: wrong) == nil, "\(wrong)")
            #expect(CurveKeyPair(secretZ85: wrong) == nil, "\(wrong)")
        }
    }

    @Test func `the contents of key files are keys and anything else is none`() throws {
        let (own, server) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let mine = "# mine\npublic \(own.publicKey)\n\nsecret \(own.secretZ85)\n"
        let theirs = "public \(server.publicKey)\r\n"
        #expect(
            CurveClientKeys(ownKeyFile: mine, serverKeyFile: theirs)
                == CurveClientKeys(own: own, server: server.publicKey))
        let onlySecret = CurveClientKeys(ownKeyFile: "secret \(own.secretZ85)", serverKeyFile: theirs)
        #expect(onlySecret?.own == own)
        for wrong in [
            "", theirs, "secret x", "secret \(own.secretZ85) x", "private \(own.secretZ85)",
            "public \(server.publicKey)\nsecret \(own.secretZ85)", "public x\nsecret \(own.secretZ85)",
        ] { #expect(CurveClientKeys(ownKeyFile: wrong, serverKeyFile: theirs) == nil, "\(wrong)") }
        for wrong in ["", "secret \(server.secretZ85)"] {
            #expect(CurveClientKeys(ownKeyFile: mine, serverKeyFile: wrong) == nil)
        }
    }

    @Test func `printing a pair does not show its secret`() throws {
        let pair = try CurveKeyPair.generate()
        var dumped = ""
        dump(pair, to: &dumped)
        for text in ["\(pair)", String(reflecting: pair), dumped] { #expect(!text.contains(pair.secretZ85)) }
    }

    /// A ROUTER with a key, a DEALER with its own, and the answers of a test in between.
    private struct Pair: ~Copyable {
        let context: Context
        let judge: Socket
        let router: Socket
        let routerSees: HandshakeMonitor
        let dealer: Socket
        let dealerSees: HandshakeMonitor

        init(
            serverKey: CurveKeyPair, dealerSecurity: Socket.Security, messageBytesMax: Int = 1_000_000
        ) throws {
            let context = try Context()
            var options = Socket.Options()
            options.framesPerMessageMax = ZAPRequest.framesMax
            let judge = try Socket(.router, in: context, options: options)
            try judge.bind(to: ZAPRequest.endpoint)
            options = Socket.Options()
            options.messageBytesMax = messageBytesMax
            options.security = .server(serverKey, domain: "clients")
            let router = try Socket(.router, in: context, options: options)
            let routerSees = try HandshakeMonitor(of: router)
            let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
            options = Socket.Options()
            options.security = dealerSecurity
            let dealer = try Socket(.dealer, in: context, options: options)
            let dealerSees = try HandshakeMonitor(of: dealer)
            try dealer.connect(to: endpoint)
            self.context = context
            self.judge = judge
            self.router = router
            self.routerSees = routerSees
            self.dealer = dealer
            self.dealerSees = dealerSees
        }
    }

    private func outcome(_ monitor: borrowing HandshakeMonitor) throws -> HandshakeMonitor.Outcome? {
        var poller = Poller()
        _ = poller.add(monitor)
        let end = ContinuousClock.now + generousDeadline
        while ContinuousClock.now < end {
            if let outcome = try monitor.next() { return outcome }
            try poller.wait(atMost: end - ContinuousClock.now)
        }
        return nil
    }

    @Test func `every message of an admitted key carries its user and the traffic goes both ways`() throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let pair = try Pair(serverKey: server, dealerSecurity: .client(.init(own: client, server: server.publicKey)))
        let question = try #require(try nextMessage(pair.judge).flatMap { ZAPRequest($0) })
        #expect(question.domain == "clients")
        #expect(question.address == "127.0.0.1")
        #expect(question.publicKey == client.publicKey)
        try pair.judge.send(question.reply(.admitted(userID: client.publicKey.z85)))
        let seen = [try outcome(pair.routerSees), try outcome(pair.dealerSees)]
        #expect(seen == [.succeeded, .succeeded])
        // One frame, several frames, more frames than are kept: the name is on each.
        for count in [1, 2, 3, 1, 20] {
            try pair.dealer.send(Message(frames: (0..<count).map { _ in Frame("x") }))
            let received = try #require(try nextMessage(pair.router))
            #expect(received.userID == client.publicKey.z85, "\(count) frames")
            try pair.router.send(Message(frames: [received.frames[0], Frame("answer")]))
            let answer = try nextMessage(pair.dealer)
            #expect(answer?.texts == ["answer"])
            #expect(answer?.userID == nil)
        }
    }

    @Test func `a refused key learns that it is refused and nothing it sends arrives`() throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let pair = try Pair(serverKey: server, dealerSecurity: .client(.init(own: client, server: server.publicKey)))
        try pair.dealer.send(Message(texts: "let me in"))
        let question = try #require(try nextMessage(pair.judge).flatMap { ZAPRequest($0) })
        try pair.judge.send(question.reply(.refused))
        let seen = try outcome(pair.dealerSees)
        #expect(seen == .refused)
        let received = try pair.router.receive()
        #expect(received == nil)
    }

    @Test func `a peer without a key and one that expects another server do not get as far as the question`() throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let other = try CurveKeyPair.generate().publicKey
        for security in [Socket.Security.none, .client(.init(own: client, server: other))] {
            let pair = try Pair(serverKey: server, dealerSecurity: security)
            try pair.dealer.send(Message(texts: "let me in"))
            let seen = try outcome(pair.routerSees)
            // Who notices first decides which of the two it is.
            #expect(seen == .incompatible || seen == .brokenOff)
            let question = try pair.judge.receive()
            #expect(question == nil)
            let received = try pair.router.receive()
            #expect(received == nil)
        }
    }

    @Test func `a message of a peer about whom nobody was asked carries no user`() throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let context = try Context()
        var options = Socket.Options()
        options.security = .server(server, domain: "clients")
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        options.security = .client(.init(own: client, server: server.publicKey))
        let dealer = try Socket(.dealer, in: context, options: options)
        try dealer.connect(to: endpoint)
        try dealer.send(Message(texts: "let me in"))
        let received = try #require(try nextMessage(router))
        #expect(received.userID == nil)
    }

    @Test func `a frame may have the most bytes under encryption too and one more ends the connection`() throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let pair = try Pair(
            serverKey: server, dealerSecurity: .client(.init(own: client, server: server.publicKey)),
            messageBytesMax: 10_000)
        func admit() throws {
            let question = try #require(try nextMessage(pair.judge).flatMap { ZAPRequest($0) })
            try pair.judge.send(question.reply(.admitted(userID: "u")))
            let seen = try outcome(pair.dealerSees)
            #expect(seen == .succeeded)
        }
        try admit()
        try pair.dealer.send(Message([pattern(10_000)]))
        let most = try nextMessage(pair.router)
        #expect(most?.frames.last?.bytes == pattern(10_000))
        try pair.dealer.send(Message([pattern(10_001)]))
        // The dealer's connection is closed and it comes again.
        try admit()
        try pair.dealer.send(Message(texts: "after"))
        let after = try nextMessage(pair.router)
        #expect(after?.texts.last == "after")
    }

    @Test func `a peer that never finishes its handshake is disconnected`() throws {
        let context = try Context()
        var options = Socket.Options()
        options.handshakeDurationMax = .milliseconds(200)
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let connection = try RawConnection(endpoint: endpoint)
        #expect(try connection.readToEnd().count > 0, "libzmq greets and then closes")
    }

    @Test func `a flood that nobody receives waits at its sender and others get through`() throws {
        let context = try Context()
        var options = Socket.Options()
        options.unreceivedMessagesPerPeerMax = 100
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let flood = try RawConnection(endpoint: endpoint)
        try flood.introduceAsDealer()
        // The system's buffers take up to some tens of megabytes.
        let taken = try flood.flood(ZMTP.message([pattern(65_536)]), byteCountMax: 200 << 20)
        #expect(taken < 200 << 20)
        let other = try Socket(.dealer, in: context)
        try other.connect(to: endpoint)
        try other.send(Message(texts: "me too"))
        var messages = 0
        while let message = try nextMessage(router), message.texts.last != "me too" { messages += 1 }
        #expect(messages < 1_000, "between two of the flood there is room for another peer's")
    }

    @Test(arguments: [1, 4, 1_024]) func `the message after as many as may be unreceived waits at its sender`(
        most: Int
    ) throws {
        // Inside one process no buffers of the system stand between the two, so the count is exact.
        let context = try Context()
        var receiving = Socket.Options()
        receiving.unreceivedMessagesPerPeerMax = most
        let router = try Socket(.router, in: context, options: receiving)
        let endpoint = try router.bind(to: "inproc://unreceived-\(most)")
        var sending = Socket.Options()
        sending.unreadMessagesPerPeerMax = 1
        let dealer = try Socket(.dealer, in: context, options: sending)
        try dealer.connect(to: endpoint)
        var sent = 0
        while try dealer.send(Message(texts: "\(sent)")) == .sent, sent < 2 * most + 2 { sent += 1 }
        #expect(sent == most + 1, "the receiver's, and the sender's own one")
        var received = 0
        while let message = try router.receive() {
            #expect(message.texts.last == "\(received)")
            received += 1
        }
        #expect(received == sent)
        // The sender looks for room again some milliseconds after it found none.
        let clock = ContinuousClock()
        let giveUp = clock.now + .seconds(30)
        var outcome = try dealer.send(Message(texts: "after"))
        while outcome == .wouldBlock, clock.now < giveUp { outcome = try dealer.send(Message(texts: "after")) }
        #expect(outcome == .sent)
    }

    @Test func `messages for a peer that does not read are bounded and others get theirs`() throws {
        let context = try Context()
        var options = Socket.Options()
        options.unreadMessagesPerPeerMax = 100
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let slow = try RawConnection(endpoint: endpoint)
        try slow.introduceAsDealer()
        try slow.write(ZMTP.message([Array("hello".utf8)]))
        let hello = try #require(try nextMessage(router))
        #expect(hello.texts.last == "hello")
        // The system's buffers take some megabytes, then the hundred are full.
        let large = Frame(pattern(65_536))
        var sent = 0
        while try router.send(Message(frames: [hello.frames[0], large])) == .sent, sent < 10_000 { sent += 1 }
        #expect(sent >= 100 && sent < 10_000)
        let reader = try Socket(.dealer, in: context)
        try reader.connect(to: endpoint)
        try reader.send(Message(texts: "me too"))
        let other = try #require(try nextMessage(router))
        let outcome = try router.send(Message(frames: [other.frames[0], Frame("for you")]))
        #expect(outcome == .sent)
        let received = try nextMessage(reader)
        #expect(received?.texts == ["for you"])
        withExtendedLifetime(slow) {}
    }
}
