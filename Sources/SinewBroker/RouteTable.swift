package import SinewCore
package import SinewZeroMQ

/// The peers of a ROUTER: routing id bytes ↔ the number that the state machine knows.
///
/// A peer chooses its routing id, so a peer is the routing id together with who proved to hold its key: somebody else with the same routing id is
/// another peer. A number holds its slot and a sequence that is never reused, so an action that names a peer forgotten meanwhile
/// finds nothing instead of another peer.
package struct RouteTable {
    private struct Entry {
        let number: UInt64
        let route: Frame
        let key: RouteKey
        /// The key that the peer proved to hold; nil when it need not have one.
        let user: String?
        var heard: Instant
        var rate: PeerRate?
        var unsent: UnsentBytes?
    }

    private var entries: [Entry?] = []
    private var freeSlots: [Int] = []
    private var slotOfKey: [RouteKey: Int] = [:]
    private var nextSequence: UInt64 = 1
    private static let slotBits: UInt64 = 24

    package init() {}

    package var count: Int { slotOfKey.count }

    /// The number of a peer that has spoken before; nil when it, or who is behind it, is new.
    package mutating func knownNumber(of route: Span<UInt8>, user: String?, heard now: Instant) -> UInt64? {
        guard let slot = slotOfKey[RouteKey(route)], entries[slot]?.user == user else { return nil }
        entries[slot]?.heard = now
        return entries[slot]?.number
    }

    /// The number of the peer that spoke, a new one if it is unknown.
    ///
    /// - Parameter displaced: becomes the peer that had this routing id before and was somebody else; it is forgotten.
    package mutating func number(of route: Frame, user: String?, heard now: Instant, displaced: inout UInt64?) -> UInt64
    {
        let key = route.withBytes { RouteKey($0) }
        if let slot = slotOfKey[key], let entry = entries[slot] {
            if entry.user == user {
                entries[slot]?.heard = now
                return entry.number
            }
            displaced = entry.number
            forget(entry.number)
        }
        let slot = freeSlots.popLast() ?? entries.count
        if slot == entries.count { entries.append(nil) }
        let number = nextSequence << Self.slotBits | UInt64(slot)
        nextSequence += 1
        entries[slot] = Entry(number: number, route: route, key: key, user: user, heard: now)
        slotOfKey[key] = slot
        return number
    }

    /// Judges how fast a known peer sends.
    package mutating func judge(
        _ number: UInt64, byteCount: Int, limits: Limits, at now: Instant
    ) -> PeerRate.Verdict {
        guard let slot = slot(of: number) else { return .dropped }
        if entries[slot]?.rate == nil { entries[slot]?.rate = PeerRate(limits, at: now) }
        return entries[slot]?.rate?.judge(byteCount: byteCount, at: now) ?? .dropped
    }

    /// Counts what waits for a known peer; a new counter, which nobody looks at again, for another one.
    package mutating func unsentBytes(of number: UInt64) -> UnsentBytes {
        guard let slot = slot(of: number) else { return UnsentBytes() }
        let counter = entries[slot]?.unsent ?? UnsentBytes()
        entries[slot]?.unsent = counter
        return counter
    }

    /// The peers whose user is not admitted any more, in order of their slots.
    package func numbers(whereUser isUnwanted: (String) -> Bool) -> [UInt64] {
        entries.compactMap { entry in
            guard let entry, let user = entry.user, isUnwanted(user) else { return nil }
            return entry.number
        }
    }

    package func isKnown(_ route: Frame) -> Bool { route.withBytes { slotOfKey[RouteKey($0)] } != nil }

    package func route(of number: UInt64) -> Frame? { slot(of: number).flatMap { entries[$0]?.route } }

    package mutating func forget(_ number: UInt64) {
        guard let slot = slot(of: number), let entry = entries[slot] else { return }
        entries[slot] = nil
        freeSlots.append(slot)
        slotOfKey[entry.key] = nil
    }

    /// All numbers, in order of their slots.
    package var numbers: [UInt64] { entries.compactMap { $0?.number } }

    /// The peers that have not spoken since `limit`, in order of their slots.
    package func silent(since limit: Instant) -> [UInt64] {
        entries.compactMap { entry in
            guard let entry, entry.heard < limit else { return nil }
            return entry.number
        }
    }

    private func slot(of number: UInt64) -> Int? {
        let slot = Int(number & (1 << Self.slotBits - 1))
        return slot < entries.count && entries[slot]?.number == number ? slot : nil
    }
}

/// A routing id as a key. Those that libzmq makes have five bytes; up to 16 need no memory of their own.
private struct RouteKey: Hashable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private let count: Int
    private var long: [UInt8] = []

    init(_ bytes: Span<UInt8>) {
        count = bytes.count
        if bytes.count > 16 {
            long = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
            return
        }
        for index in bytes.indices {
            if index < 8 {
                low |= UInt64(bytes[index]) << (8 * index)
            } else {
                high |= UInt64(bytes[index]) << (8 * (index - 8))
            }
        }
    }
}
