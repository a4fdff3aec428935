internal import SinewCore
package import SinewWire

/// What a worker has done since it started.
package struct WorkerCounters: Sendable {
    private(set) var itemsDone: UInt64 = 0
    private(set) var batchesDone: UInt64 = 0
    private(set) var busy: Duration = .zero
    private(set) var largestBatch = 0
    /// Batches by size class: entry k counts sizes in 2^(k−1)+1 … 2^k.
    private var batchesBySizeClass: [UInt64] = []

    package init() {}

    package mutating func note(_ result: BatchResult) {
        busy += result.busy
        // A batch whose every request was refused never reached a model.
        guard result.itemCount > 0 else { return }
        itemsDone += UInt64(result.itemCount)
        batchesDone += 1
        largestBatch = max(largestBatch, result.itemCount)
        let sizeClass = WorkerCounters.sizeClass(of: result.itemCount)
        while batchesBySizeClass.count <= sizeClass { batchesBySizeClass.append(0) }
        batchesBySizeClass[sizeClass] += 1
    }

    /// The k with 2^(k−1) < size ≤ 2^k.
    package static func sizeClass(of size: Int) -> Int {
        size <= 1 ? 0 : Int.bitWidth - (size - 1).leadingZeroBitCount
    }

    package func beat(queuedItems: Int, runningItems: Int, leases: [UInt64]) -> WorkerBeat {
        var sizes: [BatchSizeCount] = []
        for (sizeClass, count) in batchesBySizeClass.enumerated() where count > 0 {
            sizes.append(BatchSizeCount(size: 1 << UInt32(sizeClass), count: count))
        }
        return WorkerBeat(
            itemsDone: itemsDone, batchesDone: batchesDone, busyMicroseconds: busy.remainingMicroseconds,
            largestBatch: UInt32(largestBatch), batchSizes: sizes, queuedItems: UInt32(queuedItems),
            runningItems: UInt32(runningItems), holding: HeldLeases(leases: leases))
    }
}
