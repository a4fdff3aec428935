import SinewCore
import TestSupport
import Testing

@Suite struct IndexedHeapTests {
    /// Against a plain list that is searched.
    @Test(arguments: 1...8 as ClosedRange<UInt64>) func `it does what a sorted list does`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var heap = IndexedHeap<Int>()
        var list: [Int: Int] = [:]
        for step in 0..<3_000 {
            let slot = Int.random(in: 0..<60, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0..<3:
                let key = Int.random(in: 0..<40, using: &random)
                heap.set(slot, key)
                list[slot] = key
            case 3:
                heap.remove(slot)
                list[slot] = nil
            default:
                let popped = heap.popMin()
                #expect(popped?.key == list.values.min(), "seed \(seed) step \(step)")
                if let popped {
                    #expect(list[popped.slot] == popped.key, "seed \(seed) step \(step)")
                    list[popped.slot] = nil
                }
            }
            #expect(heap.count == list.count, "seed \(seed) step \(step)")
            #expect(heap.contains(slot) == (list[slot] != nil), "seed \(seed) step \(step)")
            #expect(heap.min?.key == list.values.min(), "seed \(seed) step \(step)")
        }
    }
}
