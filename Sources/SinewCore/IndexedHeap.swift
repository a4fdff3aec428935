/// A binary min-heap whose entries are named by a small slot number, so that any entry can be changed or removed in
/// O(log n). Timers and queues need this: a lazily emptied heap would keep one dead entry for each answered call
/// until its deadline passed.
package struct IndexedHeap<Key: Comparable & Sendable>: Sendable {
    private var entries: [(key: Key, slot: Int)] = []
    /// Where a slot lies in `entries`; -1 when it is absent.
    private var positions: [Int] = []

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    package var min: (key: Key, slot: Int)? { entries.first }

    package func contains(_ slot: Int) -> Bool { slot < positions.count && positions[slot] >= 0 }

    /// Inserts the slot, or gives it a new key.
    package mutating func set(_ slot: Int, _ key: Key) {
        while positions.count <= slot { positions.append(-1) }
        let position = positions[slot]
        if position < 0 {
            entries.append((key, slot))
            positions[slot] = entries.count - 1
            siftUp(entries.count - 1)
        } else {
            entries[position].key = key
            siftUp(position)
            siftDown(positions[slot])
        }
    }

    /// Removes the slot if it is there.
    package mutating func remove(_ slot: Int) {
        guard contains(slot) else { return }
        let position = positions[slot]
        positions[slot] = -1
        let last = entries.removeLast()
        guard position < entries.count else { return }
        entries[position] = last
        positions[last.slot] = position
        siftUp(position)
        siftDown(positions[last.slot])
    }

    package mutating func popMin() -> (key: Key, slot: Int)? {
        guard let first = entries.first else { return nil }
        remove(first.slot)
        return first
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].key < entries[parent].key else { return }
            swapEntries(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            let left = 2 * parent + 1
            guard left < entries.count else { return }
            let right = left + 1
            let child = right < entries.count && entries[right].key < entries[left].key ? right : left
            guard entries[child].key < entries[parent].key else { return }
            swapEntries(child, parent)
            parent = child
        }
    }

    private mutating func swapEntries(_ a: Int, _ b: Int) {
        entries.swapAt(a, b)
        positions[entries[a].slot] = a
        positions[entries[b].slot] = b
    }
}
