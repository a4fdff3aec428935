// The geometry of four people at once, by its short names.

/// Four people. Four doubles fill the vector registers that every 64-bit machine has.
@usableFromInline package typealias Lanes = SIMD4<Double>
/// A yes or no for each of four people.
@usableFromInline package typealias LaneMask = SIMDMask<SIMD4<Int64>>
/// A vector of each of four people.
package typealias LaneVector = SpatialVector<Lanes>
/// A matrix of each of four people.
package typealias LaneMatrix = SpatialMatrix<Lanes>
/// The posed skeletons of four people.
package typealias LaneChain = PosedChain<Lanes>
/// Four people of a batch.
package typealias LanePeople = LaneRows<Lanes>

extension LanePeople {
    /// A whole batch, four by four; the last group repeats its last person.
    package static func groups(of batchCount: Int) -> Groups { groups(0..<batchCount) }

    /// The people from `first` on, at most four, of a batch of `batchCount`.
    package init(first: Int, batchCount: Int) { self.init(first: first, end: batchCount) }
}
