internal import NIOCore
internal import SinewCore
internal import Synchronization

/// Hands events to everybody who reads the event stream, as `text/event-stream` has them.
///
/// A reader who is slow loses the oldest events and costs no memory; each event says all there is to say, so the next one
/// puts him right.
final class EventHub: Sendable {
    private struct State {
        var readers: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
        var nextReader = 0
        /// The last event of each name, for those who come.
        var latest: [(name: String, event: ByteBuffer)] = []
        var isClosed = false
    }

    private let limits: Limits
    private let state = Mutex(State())

    init(_ limits: Limits) { self.limits = limits }

    /// How many read now.
    var readerCount: Int { state.withLock { $0.readers.count } }

    /// A place among the readers, with the latest event of each name waiting; nil when all places are taken, or after `close`.
    func join() -> EventReader? {
        let (events, continuation) = AsyncStream.makeStream(
            of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(limits.httpEventsUnreadMax))
        let number = state.withLock { state -> Int? in
            guard !state.isClosed, state.readers.count < limits.httpEventReadersMax else { return nil }
            state.nextReader += 1
            state.readers[state.nextReader] = continuation
            for (_, event) in state.latest { continuation.yield(event) }
            return state.nextReader
        }
        return number.map { EventReader(hub: self, number: $0, events: events) }
    }

    /// Tells everybody. The text must be one line.
    func publish(_ name: String, _ text: String) {
        let event = ByteBuffer(string: "event: \(name)\ndata: \(text)\n\n")
        let readers = state.withLock { state in
            if let place = state.latest.firstIndex(where: { $0.name == name }) {
                state.latest[place].event = event
            } else {
                state.latest.append((name, event))
            }
            return Array(state.readers.values)
        }
        for reader in readers { reader.yield(event) }
    }

    /// A line that says nothing, so that what lies between us and a reader sees that the connection lives.
    func publishComment() {
        let readers = state.withLock { Array($0.readers.values) }
        for reader in readers { reader.yield(ByteBuffer(string: ": still here\n\n")) }
    }

    /// Ends all streams and takes no new readers.
    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
    }

    fileprivate func leave(_ number: Int) {
        let reader = state.withLock { $0.readers.removeValue(forKey: number) }
        reader?.finish()
    }
}

/// A place among the readers of the event stream, given back when it goes.
final class EventReader: Sendable {
    private let hub: EventHub
    private let number: Int
    let events: AsyncStream<ByteBuffer>

    fileprivate init(hub: EventHub, number: Int, events: AsyncStream<ByteBuffer>) {
        self.hub = hub
        self.number = number
        self.events = events
    }

    deinit { hub.leave(number) }
}
