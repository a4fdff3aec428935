package import SinewWire

/// Sums and differences of what was done with a model.
extension ModelActivity {
    /// Adds the counters of another worker, or of a later time. What is no counter (`queued_items`, `load_us`, `best_batch`) stays.
    package mutating func add(_ other: ModelActivity) {
        requestsOk &+= other.requestsOk
        requestsFailed &+= other.requestsFailed
        itemsOk &+= other.itemsOk
        itemsFailed &+= other.itemsFailed
        batches &+= other.batches
        batchItems &+= other.batchItems
        busyMicroseconds &+= other.busyMicroseconds
        expectedMicroseconds &+= other.expectedMicroseconds
        flop &+= other.flop
        batchesFull &+= other.batchesFull
        batchesIdle &+= other.batchesIdle
        queueTime.add(other.queueTime)
        computeTime.add(other.computeTime)
        totalTime.add(other.totalTime)
        for size in other.batchSizes { batchSizes.note(size: size.size, count: size.count) }
    }

    /// What was done since an earlier state of the same counters.
    package func since(_ earlier: ModelActivity) -> ModelActivity {
        var grown = self
        grown.requestsOk = requestsOk.growth(since: earlier.requestsOk)
        grown.requestsFailed = requestsFailed.growth(since: earlier.requestsFailed)
        grown.itemsOk = itemsOk.growth(since: earlier.itemsOk)
        grown.itemsFailed = itemsFailed.growth(since: earlier.itemsFailed)
        grown.batches = batches.growth(since: earlier.batches)
        grown.batchItems = batchItems.growth(since: earlier.batchItems)
        grown.busyMicroseconds = busyMicroseconds.growth(since: earlier.busyMicroseconds)
        grown.expectedMicroseconds = expectedMicroseconds.growth(since: earlier.expectedMicroseconds)
        grown.flop = flop.growth(since: earlier.flop)
        grown.batchesFull = batchesFull.growth(since: earlier.batchesFull)
        grown.batchesIdle = batchesIdle.growth(since: earlier.batchesIdle)
        grown.queueTime = queueTime.since(earlier.queueTime)
        grown.computeTime = computeTime.since(earlier.computeTime)
        grown.totalTime = totalTime.since(earlier.totalTime)
        grown.batchSizes = batchSizes.map { sizeClass in
            let before = earlier.batchSizes.first { $0.size == sizeClass.size }?.count ?? 0
            return BatchSizeCount(size: sizeClass.size, count: sizeClass.count.growth(since: before))
        }
        return grown
    }

    /// Whether both are about the same version of the same model.
    package func isSameModel(as other: ModelActivity) -> Bool { name == other.name && version == other.version }
}

extension [BatchSizeCount] {
    /// Adds batches of a size to their class, keeping the classes in order.
    package mutating func note(size: UInt32, count added: UInt64 = 1) {
        let bound = BatchSizeCount.bound(of: size)
        let place = firstIndex { $0.size >= bound } ?? count
        if place < count, self[place].size == bound {
            self[place].count &+= added
        } else {
            insert(BatchSizeCount(size: bound, count: added), at: place)
        }
    }
}

extension BatchSizeCount {
    /// The largest size of a size's class: the next power of two.
    package static func bound(of size: UInt32) -> UInt32 {
        guard size > 1 else { return 1 }
        let bits = UInt32.bitWidth - (size - 1).leadingZeroBitCount
        return bits >= UInt32.bitWidth ? .max : 1 << UInt32(bits)
    }
}
