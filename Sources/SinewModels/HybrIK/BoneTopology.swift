internal import SinewBody

/// Which joint each joint is oriented by.
///
/// - Source: models.md §2.1: spine3 has three children, of which the neck alone decides.
package enum BoneTopology {
    /// The child whose direction fixes the joint's swing, for joints 0…23.
    package static let child = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 27, 28, 15, 16, 17, 24, 18, 19, 20, 21, 22, 23, 25, 26,
    ]

    /// The end of the chain of ``child``: nil for leaves.
    package static func next(after joint: Int) -> Int? { joint < Skeleton.rotationCount ? child[joint] : nil }
}
