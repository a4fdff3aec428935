internal import SinewBody

/// The observed joints of up to four people, lane = person; its memory is used again for the next four.
struct ObservedLanes {
    /// Positions of the 29 joints, zeros where nothing was seen.
    private(set) var positions = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    /// Whether each joint was seen.
    private(set) var isSeen = [LaneMask](repeating: LaneMask(repeating: false), count: Skeleton.positionCount)
    /// How many joints were seen, at least 1 so that it can divide.
    private var divisor = Lanes(repeating: 1)
    private let parents = Skeleton.smpl29.parents

    init() {}

    mutating func read(_ people: LanePeople, _ observations: PoseObservations) {
        var count = Lanes.zero
        let one = Lanes(repeating: 1)
        for joint in 0..<Skeleton.positionCount {
            let seen = people.mask { observations.observed[$0] & (1 << UInt32(joint)) != 0 }
            isSeen[joint] = seen
            positions[joint] = people.vector(observations.joints, width: 87, at: joint * 3).selected(seen, else: .zero)
            count += one.selected(seen, else: .zero)
        }
        divisor = one.selected(count .< one, else: count)
    }

    /// The pelvis, or the best guess at it: the middle of the observed hips, then of all observed joints.
    var pelvis: LaneVector {
        if all(isSeen[0]) { return positions[0] }
        let one = Lanes(repeating: 1)
        let hipCount = one.selected(isSeen[1], else: .zero) + one.selected(isSeen[2], else: .zero)
        let hasHips = hipCount .> .zero
        let hips = (1 / hipCount.selected(hasHips, else: one)) * (positions[1] + positions[2])
        let middle = (1 / divisor) * positions.reduce(.zero, +)
        return positions[0].selected(isSeen[0], else: hips.selected(hasHips, else: middle))
    }

    /// From posed joints to the observed ones: pelvis on pelvis, or middle on middle where the pelvis was not seen.
    func translation(from posed: [LaneVector]) -> LaneVector {
        let ofPelvis = positions[0] - posed[0]
        if all(isSeen[0]) { return ofPelvis }
        var sum = LaneVector.zero
        for joint in 0..<Skeleton.positionCount {
            sum = sum + (positions[joint] - posed[joint]).selected(isSeen[joint], else: .zero)
        }
        return ofPelvis.selected(isSeen[0], else: (1 / divisor) * sum)
    }

    /// The mean distance of the observed joints from the moved posed ones, metres.
    func residual(to posed: [LaneVector], translation: LaneVector) -> Lanes {
        var sum = Lanes.zero
        for joint in 0..<Skeleton.positionCount {
            let distance = (posed[joint] + translation - positions[joint]).length
            sum += distance.selected(isSeen[joint], else: .zero)
        }
        return sum / divisor
    }

    /// The largest relative difference between an observed bone's length and the body's.
    func boneLengthChange(_ people: LanePeople, rest: [Float]) -> Lanes {
        var largest = Lanes.zero
        let one = Lanes(repeating: 1)
        for joint in 1..<Skeleton.positionCount {
            let parent = parents[joint]
            let bone = people.vector(rest, width: 87, at: joint * 3) - people.vector(rest, width: 87, at: parent * 3)
            let restLength = bone.length
            let isCompared = isSeen[joint] .& isSeen[parent] .& (restLength .> .zero)
            let length = (positions[joint] - positions[parent]).length
            let difference = length / restLength.selected(isCompared, else: one) - 1
            let change = difference.selected(difference .>= .zero, else: -difference)
            largest = change.selected(isCompared .& (change .> largest), else: largest)
        }
        return largest
    }
}
