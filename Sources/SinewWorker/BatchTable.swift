/// How long a model takes per person at each batch size on this machine, and the size that follows from it.
///
/// Cost is not a·n + b: it has steps where blocks fill and where caches end, so it is measured and not modelled.
package struct BatchTable: Sendable, Equatable {
    /// What was measured at one size.
    package struct Entry: Sendable, Equatable {
        /// People in the batch.
        package let size: Int
        /// The best time of a batch, divided by its people.
        package let secondsPerItem: Double

        package init(size: Int, secondsPerItem: Double) {
            self.size = size
            self.secondsPerItem = secondsPerItem
        }
    }

    /// At least one, sizes ascending.
    package let entries: [Entry]

    /// Takes measured entries.
    ///
    /// - Returns: nil unless there is at least one, sizes ascend from 1 or more, and every time is finite and above zero.
    package init?(entries: [Entry]) {
        guard !entries.isEmpty,
            entries.allSatisfy({ $0.size >= 1 && $0.secondsPerItem > 0 && $0.secondsPerItem.isFinite }),
            zip(entries, entries.dropFirst()).allSatisfy({ $0.size < $1.size })
        else { return nil }
        self.entries = entries
    }

    /// The smallest size within 3 % of the best time per person: beyond it a larger batch only makes callers wait.
    package var chosenSize: Int {
        let best = entries.reduce(Double.infinity) { min($0, $1.secondsPerItem) }
        return entries.first { $0.secondsPerItem <= best * 1.03 }?.size ?? entries[0].size
    }

    /// How long a batch takes by the table, seconds: interpolated between measured sizes; beyond the largest one each person takes
    /// what it takes there.
    package func seconds(of items: Int) -> Double {
        guard items > 0 else { return 0 }
        var below = Entry(size: 0, secondsPerItem: 0)
        for entry in entries {
            if items <= entry.size {
                let (low, high) = (Double(below.size) * below.secondsPerItem, Double(entry.size) * entry.secondsPerItem)
                let share = Double(items - below.size) / Double(entry.size - below.size)
                return low + (high - low) * share
            }
            below = entry
        }
        return Double(items) * below.secondsPerItem
    }

    /// The smallest size from which on a batch is done at least 5 % sooner by several threads together, at every size that both
    /// tables have; nil when there is none.
    package static func splitItemsMin(alone: BatchTable, together: BatchTable) -> Int? {
        var found: Int?
        for entry in alone.entries.reversed() {
            guard let other = together.entries.first(where: { $0.size == entry.size }) else { continue }
            guard other.secondsPerItem <= entry.secondsPerItem * 0.95 else { break }
            found = entry.size
        }
        return found
    }

    /// Measures sizes 1, 2, 4 … up to `sizeMax`: the best of up to three rounds through all sizes.
    ///
    /// A batch is not started when, judged by the last time of its size (or twice that of half its size), it would break the
    /// budget; so large sizes are left out on a slow machine. Rounds through all sizes, not repeats of one, keep a short
    /// disturbance from hitting every run of the same size.
    /// - Parameters:
    ///   - budget: seconds that all batches may take together.
    ///   - seconds: solves a batch of the size and says how long that took; nil ends the measurement.
    /// - Returns: nil when a batch gave no time.
    package static func measure(
        sizeMax: Int, budget: Double, seconds: (_ size: Int) -> Double?
    ) -> BatchTable? {
        // The first batch touches cold weights and memory; it warms up and does not count.
        guard var spent = seconds(1) else { return nil }
        var best: [Double] = []
        for round in 0..<roundCount {
            var size = 1
            var index = 0
            while size <= sizeMax, round == 0 || index < best.count {
                let expected = index < best.count ? best[index] : index > 0 ? 2 * best[index - 1] : 0
                // Without size 1 there would be no table at all.
                if (round > 0 || index > 0) && spent + expected > budget { break }
                // A clock may not see a very short batch; no batch is free.
                guard let measured = seconds(size) else { return nil }
                let taken = max(measured, 1e-9)
                spent += taken
                if index < best.count { best[index] = min(best[index], taken) } else { best.append(taken) }
                size *= 2
                index += 1
            }
        }
        return BatchTable(
            entries: best.enumerated().map { index, seconds in
                Entry(size: 1 << index, secondsPerItem: seconds / Double(1 << index))
            })
    }

    private static let roundCount = 3
}
