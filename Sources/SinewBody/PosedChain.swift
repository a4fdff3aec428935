/// The posed skeletons of the people of one lane group.
///
/// Holds the memory that one pass needs and is used again for the next group, so that a batch allocates once.
@usableFromInline package struct PosedChain<Number: LaneNumber> {
    /// Global orientations of the 24 joints with a rotation.
    @usableFromInline package private(set) var globals = [SpatialMatrix<Number>](
        repeating: .identity, count: Skeleton.rotationCount)
    /// Positions of all 29 joints.
    @usableFromInline package private(set) var positions = [SpatialVector<Number>](
        repeating: .zero, count: Skeleton.positionCount)
    private let parents = Skeleton.smpl29.parents

    package init() {}

    /// Places the joints of `people` from `[n, 24, 3, 3]` rotations and `[n, 29, 3]` rest joints.
    ///
    /// - Source: models.md §1.3 step 5, as in ``ForwardKinematics``.
    @specialized(where Number == Lanes)
    @specialized(where Number == Double)
    package mutating func place(_ people: LaneRows<Number>, rotations: [Float], rest: [Float]) {
        globals[0] = people.matrix(rotations, width: 216, at: 0)
        positions[0] = people.vector(rest, width: 87, at: 0)
        for joint in 1..<Skeleton.positionCount {
            let parent = parents[joint]
            let offset = people.vector(rest, width: 87, at: joint * 3) - people.vector(rest, width: 87, at: parent * 3)
            positions[joint] = positions[parent] + globals[parent] * offset
            guard joint < Skeleton.rotationCount else { continue }
            globals[joint] = globals[parent] * people.matrix(rotations, width: 216, at: joint * 9)
        }
    }
}
