internal import Logging
internal import SinewCore
internal import SinewZeroMQ
internal import Synchronization

/// Decides who may connect: answers libzmq's questions about keys from an authorized-keys file, which it reads again when it changes.
///
/// A thread of its own, so that a broker with its hands full still lets people in, and a slow disk does not hold up the broker.
final class Authenticator: Sendable {
    /// What the broker's loop hears of; called on the authenticator's thread.
    typealias Listener = @Sendable (AuthorizedKeys) -> Void

    /// How often the file is looked at.
    private static let lookInterval = Duration.milliseconds(500)

    private let waker: Waker
    private let wants: Mutex<(reload: Bool, stop: Bool)> = Mutex((false, false))
    private let refusals = Atomic<UInt64>(0)
    private let thread = Mutex<DedicatedThread?>(nil)

    /// Begins to answer in this context; sockets with `Socket.Security.server` may be bound afterwards.
    ///
    /// - Parameters:
    ///   - file: just read, and `keys` was in it.
    ///   - listener: told of every later list.
    init(
        file: AuthorizedKeysFile, keys: AuthorizedKeys, in context: Context, logger: Logger,
        listener: @escaping Listener
    ) throws(ZeroMQError) {
        var options = Socket.Options()
        options.framesPerMessageMax = ZAPRequest.framesMax
        let socket = try Socket(.router, in: context, options: options)
        try socket.bind(to: ZAPRequest.endpoint)
        waker = try Waker()
        let started = try DedicatedThread(named: "sinew-keys", owning: socket) { [self] socket in
            var poller = Poller()
            _ = poller.add(socket)
            _ = poller.add(waker)
            var desk = Desk(file: file, keys: keys, logger: logger)
            do throws(ZeroMQError) {
                while true {
                    try poller.wait(atMost: Self.lookInterval)
                    waker.clear()
                    let wanted = takeWants()
                    if wanted.stop { return }
                    if let changed = desk.look(always: wanted.reload) { listener(changed) }
                    while let message = try socket.receive() {
                        guard let request = ZAPRequest(message) else { continue }
                        try socket.send(request.reply(desk.answer(request)))
                    }
                    refusals.store(desk.refused, ordering: .relaxed)
                }
            } catch {
                logger.error("nobody can connect any more: the keys' thread ended", metadata: ["reason": "\(error)"])
            }
        }
        thread.withLock { $0 = started }
    }

    /// Handshakes refused so far.
    var refusedHandshakes: UInt64 { refusals.load(ordering: .relaxed) }

    /// Reads the file now, even if it looks the same.
    func reload() { ask { $0.reload = true } }

    /// Stops and waits for the thread: from then on nobody can connect.
    func stop() {
        ask { $0.stop = true }
        thread.withLock { $0.take() }?.join()
    }

    private func ask(_ change: (inout (reload: Bool, stop: Bool)) -> Void) {
        wants.withLock { change(&$0) }
        waker.wake()
    }

    private func takeWants() -> (reload: Bool, stop: Bool) {
        wants.withLock { wants in
            defer { wants.reload = false }
            return wants
        }
    }
}

/// What the authenticator's thread knows.
private struct Desk {
    private var file: AuthorizedKeysFile
    private var keys: AuthorizedKeys
    private let logger: Logger
    private var log = RefusalLog()
    private let origin = ContinuousClock.now
    private(set) var refused: UInt64 = 0

    init(file: AuthorizedKeysFile, keys: AuthorizedKeys, logger: Logger) {
        self.file = file
        self.keys = keys
        self.logger = logger
    }

    /// The list, if it is another one than before.
    mutating func look(always: Bool) -> AuthorizedKeys? {
        switch file.look(always: always) {
        case .unchanged: return nil
        case .broken(let why):
            logger.error(
                "the list of keys was not read again; the one before stays in force",
                metadata: ["file": "\(file.path)", "reason": "\(why)", "keys": "\(keys.entries.count)"])
            return nil
        case .changed(let changed):
            logger.notice("the list of keys was read again", metadata: ["keys": "\(changed.entries.count)"])
            keys = changed
            return changed
        }
    }

    mutating func answer(_ request: ZAPRequest) -> ZAPRequest.Answer {
        guard let key = request.publicKey, let port = BrokerPort(rawValue: request.domain) else {
            refuse(request, "it has no key", name: "")
            return .refused
        }
        guard let entry = keys[key.z85] else {
            refuse(request, "the key is not authorized; to admit it: sinew keys authorize", name: "")
            return .refused
        }
        if let objection = port.objection(to: entry.role) {
            refuse(request, objection, name: entry.name)
            return .refused
        }
        return .admitted(userID: key.z85)
    }

    private mutating func refuse(_ request: ZAPRequest, _ why: String, name: String) {
        refused += 1
        let key = request.publicKey?.z85 ?? "none"
        let now = Instant(nanoseconds: (ContinuousClock.now - origin).wholeNanoseconds)
        guard let count = log.note("\(request.domain) \(key) \(why)", at: now) else { return }
        logger.warning(
            "refused a connection",
            metadata: [
                "port": "\(request.domain)", "address": "\(request.address)", "key": "\(key)", "name": "\(name)",
                "reason": "\(why)", "times": "\(count)",
            ])
    }
}
