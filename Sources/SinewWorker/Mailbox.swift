internal import SinewZeroMQ
internal import Synchronization

/// Hands values to one receiving thread, from any thread, in order and without waiting.
///
/// Bounded: what is in it at a time is bounded by what the worker has under way, and `countMax` holds the program to it.
final class Mailbox<Element: Sendable>: Sendable {
    /// Signals the receiver; watched by its poller or waited for directly.
    let waker: Waker
    private let countMax: Int
    private let elements = Mutex<[Element]>([])

    init(countMax: Int) throws(ZeroMQError) {
        waker = try Waker()
        self.countMax = countMax
    }

    /// Adds a value and wakes the receiver.
    func post(_ element: Element) {
        let count = elements.withLock { elements in
            elements.append(element)
            return elements.count
        }
        precondition(count <= countMax, "a mailbox for \(countMax) values got \(count)")
        waker.wake()
    }

    /// Everything that was posted so far; to be called by the receiver only.
    func takeAll() -> [Element] {
        waker.clear()
        return elements.withLock { elements in
            let taken = elements
            elements = []
            return taken
        }
    }

    /// Blocks until there is something to take.
    func waitAndTakeAll() -> [Element] {
        while true {
            waker.wait()
            let taken = takeAll()
            if !taken.isEmpty { return taken }
        }
    }
}
