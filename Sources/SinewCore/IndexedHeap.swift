/// A binary min-heap whose entries are named by a small slot number, so that any entry can be changed or removed in
/// O(log n). Timers and queues need this: a lazily emptied heap would keep one dead entry for each answered call
/// until its deadline passed.
///
/// Memory: a key and four bytes for each entry, and four for each slot up to the largest ever used.
package struct IndexedHeap<Key: Comparable & Sendable>: Sendable {
    /// Parallel arrays: in an array of pairs, padding would double an entry.
    private var keys: [Key] = []
    private var slots: [UInt32] = []
    /// Where a slot lies in the two; `absent` when it does not.
    private var positions: [UInt32] = []
    private static var absent: UInt32 { .max }

    package init() {}

    package var count: Int { keys.count }
    package var isEmpty: Bool { keys.isEmpty }
    package var min: (key: Key, slot: Int)? { keys.isEmpty ? nil : (keys[0], Int(slots[0])) }

    package func contains(_ slot: Int) -> Bool { slot < positions.count && positions[slot] != Self.absent }

    /// Inserts the slot, or gives it a new key.
    package mutating func set(_ slot: Int, _ key: Key) {
        while positions.count <= slot { positions.append(Self.absent) }
        let position = positions[slot]
        if position == Self.absent {
            keys.append(key)
            slots.append(UInt32(slot))
            siftUp(key, UInt32(slot), from: keys.count - 1)
        } else {
            settle(key, UInt32(slot), at: Int(position))
        }
    }

    /// Removes the slot if it is there.
    package mutating func remove(_ slot: Int) {
        guard contains(slot) else { return }
        let position = Int(positions[slot])
        positions[slot] = Self.absent
        let key = keys.removeLast()
        let last = slots.removeLast()
        if position < keys.count { settle(key, last, at: position) }
    }

    package mutating func popMin() -> (key: Key, slot: Int)? {
        guard let first = min else { return nil }
        remove(first.slot)
        return first
    }

    /// Puts an entry where it belongs; `position` is free for it or for another.
    private mutating func settle(_ key: Key, _ slot: UInt32, at position: Int) {
        if position > 0, key < keys[(position - 1) / 2] {
            siftUp(key, slot, from: position)
        } else {
            siftDown(key, slot, from: position)
        }
    }

    private mutating func siftUp(_ key: Key, _ slot: UInt32, from start: Int) {
        var hole = start
        while hole > 0 {
            let parent = (hole - 1) / 2
            guard key < keys[parent] else { break }
            place(keys[parent], slots[parent], at: hole)
            hole = parent
        }
        place(key, slot, at: hole)
    }

    private mutating func siftDown(_ key: Key, _ slot: UInt32, from start: Int) {
        var hole = start
        while true {
            let left = 2 * hole + 1
            guard left < keys.count else { break }
            let right = left + 1
            let child = right < keys.count && keys[right] < keys[left] ? right : left
            guard keys[child] < key else { break }
            place(keys[child], slots[child], at: hole)
            hole = child
        }
        place(key, slot, at: hole)
    }

    private mutating func place(_ key: Key, _ slot: UInt32, at position: Int) {
        keys[position] = key
        slots[position] = slot
        positions[Int(slot)] = UInt32(position)
    }
}
