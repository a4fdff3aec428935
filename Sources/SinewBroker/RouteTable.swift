internal import SinewCore
internal import SinewZeroMQ

/// The peers of a ROUTER: routing id bytes ↔ the number that the state machine knows.
///
/// A number holds its slot and a sequence that is never reused, so an action that names a peer forgotten meanwhile
/// finds nothing instead of another peer.
struct RouteTable {
    private struct Entry {
        let number: UInt64
        let route: Frame
        let key: [UInt8]
        var heard: Instant
    }

    private var entries: [Entry?] = []
    private var freeSlots: [Int] = []
    private var slotOfKey: [[UInt8]: Int] = [:]
    private var nextSequence: UInt64 = 1
    private static let slotBits: UInt64 = 24

    var count: Int { slotOfKey.count }

    /// The number of the peer that spoke, a new one if it is unknown.
    mutating func number(of route: Frame, heard now: Instant) -> UInt64 {
        let key = route.bytes
        if let slot = slotOfKey[key], let entry = entries[slot] {
            entries[slot]?.heard = now
            return entry.number
        }
        let slot = freeSlots.popLast() ?? entries.count
        if slot == entries.count { entries.append(nil) }
        let number = nextSequence << Self.slotBits | UInt64(slot)
        nextSequence += 1
        entries[slot] = Entry(number: number, route: route, key: key, heard: now)
        slotOfKey[key] = slot
        return number
    }

    func isKnown(_ route: Frame) -> Bool { slotOfKey[route.bytes] != nil }

    func route(of number: UInt64) -> Frame? { entry(of: number)?.route }

    mutating func forget(_ number: UInt64) {
        guard let entry = entry(of: number) else { return }
        let slot = Int(number & (1 << Self.slotBits - 1))
        entries[slot] = nil
        freeSlots.append(slot)
        slotOfKey[entry.key] = nil
    }

    /// All numbers, in order of their slots.
    var numbers: [UInt64] { entries.compactMap { $0?.number } }

    /// The peers that have not spoken since `limit`, in order of their slots.
    func silent(since limit: Instant) -> [UInt64] {
        entries.compactMap { entry in
            guard let entry, entry.heard < limit else { return nil }
            return entry.number
        }
    }

    private func entry(of number: UInt64) -> Entry? {
        let slot = Int(number & (1 << Self.slotBits - 1))
        guard slot < entries.count, let entry = entries[slot], entry.number == number else { return nil }
        return entry
    }
}
