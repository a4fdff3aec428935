internal import SinewBody

/// The observed joints of four people.
typealias ObservedLanes = ObservedPeople<Lanes>

/// The observed joints of the people of one lane group; its memory is used again for the next group.
struct ObservedPeople<Number: LaneNumber> {
    /// Positions of the 29 joints, zeros where nothing was seen.
    private(set) var positions = [SpatialVector<Number>](repeating: .zero, count: Skeleton.positionCount)
    /// Whether each joint was seen.
    private(set) var isSeen = [Number.Mask](repeating: Number.Mask(repeating: false), count: Skeleton.positionCount)
    /// How many joints were seen, at least 1 so that it can divide.
    private var divisor = Number(repeating: 1)
    private let parents = Skeleton.smpl29.parents

    init() {}

    mutating func read(_ people: LaneRows<Number>, _ observations: PoseObservations) {
        var count = Number.zero
        let one = Number(repeating: 1)
        for joint in 0..<Skeleton.positionCount {
            let seen = people.mask { observations.observed[$0] & (1 << UInt32(joint)) != 0 }
            isSeen[joint] = seen
            positions[joint] = people.vector(observations.joints, width: 87, at: joint * 3).selected(seen, else: .zero)
            count = count + one.selected(seen, else: .zero)
        }
        divisor = one.selected(count .< one, else: count)
    }

    /// The pelvis, or the best guess at it: the middle of the observed hips, then of all observed joints.
    var pelvis: SpatialVector<Number> {
        if isSeen[0].isAll { return positions[0] }
        let one = Number(repeating: 1)
        let hipCount = one.selected(isSeen[1], else: .zero) + one.selected(isSeen[2], else: .zero)
        let hasHips = hipCount .> .zero
        let hips = hipCount.selected(hasHips, else: one).reciprocal * (positions[1] + positions[2])
        let middle = divisor.reciprocal * positions.reduce(.zero, +)
        return positions[0].selected(isSeen[0], else: hips.selected(hasHips, else: middle))
    }

    /// From posed joints to the observed ones: pelvis on pelvis, or middle on middle where the pelvis was not seen.
    func translation(from posed: [SpatialVector<Number>]) -> SpatialVector<Number> {
        let ofPelvis = positions[0] - posed[0]
        if isSeen[0].isAll { return ofPelvis }
        var sum = SpatialVector<Number>.zero
        for joint in 0..<Skeleton.positionCount {
            sum = sum + (positions[joint] - posed[joint]).selected(isSeen[joint], else: .zero)
        }
        return ofPelvis.selected(isSeen[0], else: divisor.reciprocal * sum)
    }

    /// The mean distance of the observed joints from the moved posed ones, metres.
    func residual(to posed: [SpatialVector<Number>], translation: SpatialVector<Number>) -> Number {
        var sum = Number.zero
        for joint in 0..<Skeleton.positionCount {
            let distance = (posed[joint] + translation - positions[joint]).length
            sum = sum + distance.selected(isSeen[joint], else: .zero)
        }
        return sum / divisor
    }

    /// The largest relative difference between an observed bone's length and the body's.
    func boneLengthChange(_ people: LaneRows<Number>, rest: [Float]) -> Number {
        var largest = Number.zero
        let one = Number(repeating: 1)
        for joint in 1..<Skeleton.positionCount {
            let parent = parents[joint]
            let bone = people.vector(rest, width: 87, at: joint * 3) - people.vector(rest, width: 87, at: parent * 3)
            let restLength = bone.length
            let isCompared = isSeen[joint] .& isSeen[parent] .& (restLength .> .zero)
            let length = (positions[joint] - positions[parent]).length
            let difference = length / restLength.selected(isCompared, else: one) - one
            let change = difference.magnitudes
            largest = change.selected(isCompared .& (change .> largest), else: largest)
        }
        return largest
    }
}
