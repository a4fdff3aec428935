public import Logging
internal import SinewCore
internal import SinewZeroMQ
internal import Synchronization

/// A connection to a broker: turns observed joints into body poses on whatever workers it has.
///
/// ```swift
/// let client = try Client(ClientConfiguration(endpoint: "tcp://127.0.0.1:7690"))
/// let reply = try await client.solve(PoseRequest(count: 1, joints: joints), model: "niki")
/// print(reply.theta)
/// ```
/// Any number of tasks may use one client at once. Cancelling a task cancels its calls at the broker. Every call ends by its
/// deadline: a broker that is gone shows as `UNAVAILABLE`, about three seconds after it fell silent.
/// - Note: the client has a thread of its own, which waits in libzmq; it ends with ``close()`` or with the client.
public final class Client: Sendable {
    let configuration: ClientConfiguration
    let mailbox: ClientMailbox
    let clock: MonotonicClock
    private let lastCallID = Atomic<UInt64>(0)
    private let thread: DedicatedThread

    /// Connects in the background; a broker need not be there yet.
    ///
    /// - Parameter logger: told about messages that cannot be read; nothing is logged per call.
    /// - Throws: ``ClientError`` when the endpoint is malformed or the process is out of file descriptors or threads.
    public init(
        _ configuration: ClientConfiguration = ClientConfiguration(), logger: Logger = Logger(label: "sinew.client")
    ) throws(ClientError) {
        guard configuration.itemsPerCall >= 1, configuration.callsInFlightMax >= 1 else {
            throw ClientError(
                status: .invalidArgument, code: .none,
                message:
                    "itemsPerCall \(configuration.itemsPerCall) and callsInFlightMax \(configuration.callsInFlightMax): both must be at least 1"
            )
        }
        guard configuration.tenant.utf8.count <= Head.tenantBytesMax else {
            throw ClientError(
                status: .invalidArgument, code: .none,
                message:
                    "the tenant's name has \(configuration.tenant.utf8.count) bytes, at most \(Head.tenantBytesMax) are sent"
            )
        }
        guard
            configuration.keys != nil || configuration.allowsInsecure
                || !EndpointReach.leavesThisMachine(configuration.endpoint)
        else {
            throw ClientError(
                status: .unauthenticated, code: .none,
                message:
                    "\(configuration.endpoint) leaves this machine and there are no keys: set keys, or allowsInsecure on a network you trust"
            )
        }
        self.configuration = configuration
        clock = MonotonicClock()
        do {
            mailbox = try ClientMailbox()
            let loop = try ClientLoop.open(configuration, mailbox: mailbox, clock: clock, logger: logger)
            thread = try DedicatedThread(named: "sinew-client", owning: loop) { loop in
                var loop = loop
                loop.run()
            }
        } catch { throw ClientError(error) }
    }

    deinit { mailbox.post(.close) }

    /// Ends the connection. Calls under way fail with `CANCELLED`, and so does every later one.
    public func close() { mailbox.post(.close) }

    /// Ends the connection and waits until what was still to be sent has left, cancellations above all, or a tenth of a second
    /// has passed; for a process that is about to exit. Blocks the calling thread.
    public func closeAndWait() {
        close()
        thread.join()
    }

    // MARK: Calls

    func nextCallID() -> CallID {
        CallID(rawValue: lastCallID.add(1, ordering: .relaxed).newValue)
    }

    /// Makes one call and waits for its reply.
    func call<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request, model: String = "", items: Int = 0, priority: UInt8? = nil,
        deadline: Duration?, tracing: CallTracing = .off
    ) async throws(ClientError) -> Method.Reply {
        let answer = await answer(
            method, request, model: model, items: items, priority: priority, deadline: deadline, tracing: tracing)
        return try Self.decode(Method.Reply.self, answer)
    }

    /// Makes one call and waits for its reply, which is not read yet.
    func answer<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request, model: String, items: Int, priority: UInt8? = nil,
        deadline: Duration?, tracing: CallTracing
    ) async -> Result<CallAnswer, ClientError> {
        let made = clock.now
        let payload = Frame(request.encode())
        let allowed = deadline ?? configuration.deadline
        let id = nextCallID()
        let until = clock.now + allowed
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                mailbox.post(
                    .call(
                        PendingCall(
                            id: id, method: method.name, model: model, items: items,
                            priority: priority ?? configuration.priority, payload: payload,
                            metadata: tracing.frame, made: made, deadline: until, allowed: allowed,
                            complete: { continuation.resume(returning: $0) })))
                // A cancellation that came before the call was posted found nothing to cancel.
                if Task.isCancelled { mailbox.post(.cancel(id)) }
            }
        } onCancel: {
            mailbox.post(.cancel(id))
        }
    }

    /// The message in a reply's payload.
    static func decode<Reply: WireMessage>(
        _ type: Reply.Type, _ answer: Result<CallAnswer, ClientError>
    ) throws(ClientError) -> Reply {
        let payload = try answer.get().payload
        do throws(WireError) {
            return try payload.withBytes { (bytes) throws(WireError) in try Reply(decoding: bytes) }
        } catch { throw ClientError(.malformedReply, "the broker's answer cannot be read: \(error)") }
    }
}
