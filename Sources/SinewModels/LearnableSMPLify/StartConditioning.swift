internal import SinewBody

/// People as the graph network sees them, and what the guard needs to know about their start poses.
///
/// - Shape: `graph` `[count, V, 2, C]`, `body` `[count, 79]`, `rotations` of the start poses `[count, 24, 3, 3]`, and one entry per person in
///   the others.
package struct StartBatch: Sendable {
    /// The number of people.
    package let count: Int
    /// Keypoints: frame 0 the start pose's, frame 1 the target's.
    package var graph: [Float]
    /// Rotation vectors of joints 1…23 and the betas.
    package var body: [Float]
    /// The start poses; joints that the network does not turn are at rest.
    package var rotations: [Float]
    /// How far the start poses are from what was observed, root of the weighted mean square, metres.
    var misfit: [Float]

    init(count: Int, layout: GraphLayout) {
        self.count = count
        graph = [Float](repeating: 0, count: count * layout.keypoints.count * 2 * layout.features.width)
        body = [Float](repeating: 0, count: count * GraphLayout.bodyWidth)
        rotations = [Float](repeating: 0, count: count * 216)
        misfit = [Float](repeating: 0, count: count)
    }
}

/// Turns start poses and observed joints into the inputs of a ``GraphNetwork``, four people at a time.
///
/// The target is laid over the start pose by the weighted mean of their differences, so nothing depends on where people stand; the frame is
/// the start pose's, so nothing depends on where they face. A joint that was not seen stands where the start pose has it, with confidence 0.
/// - Source: models.md §7.2 (the frame is left-handed, as published); confidence and missing keypoints are ours.
struct StartConditioning {
    private let layout: GraphLayout
    private let parents = Skeleton.smpl29.parents
    private var chain = LaneChain()
    private var fit = TargetFit()
    private var target = [LaneVector](repeating: .zero, count: Skeleton.positionCount)

    init(layout: GraphLayout) { self.layout = layout }

    /// Conditions every person.
    ///
    /// - Parameters:
    ///   - theta: `[count, 24, 3]`, the start poses as rotation vectors, radians.
    ///   - restJoints: `[count, 29, 3]`.
    mutating func condition(_ seen: PoseObservations, theta: [Float], restJoints: [Float]) -> StartBatch {
        precondition(theta.count == seen.count * 72 && restJoints.count == seen.count * 87)
        var batch = StartBatch(count: seen.count, layout: layout)
        for people in LanePeople.groups(of: seen.count) {
            for joint in 0..<Skeleton.rotationCount {
                let isTurned = joint < layout.rotations
                let vector = isTurned ? people.vector(theta, width: 72, at: joint * 3) : .zero
                let matrix = LaneMatrix(rotationVector: vector)
                people.store(matrix, into: &batch.rotations, width: 216, at: joint * 9)
                guard joint > 0 else { continue }
                // Not the vector as it came: a turn by more than π is the same pose with another vector.
                people.store(
                    matrix.rotationVector, into: &batch.body, width: GraphLayout.bodyWidth, at: (joint - 1) * 3)
            }
            for beta in 0..<10 {
                people.store(
                    people.number(seen.betas, width: 10, at: beta), into: &batch.body, width: GraphLayout.bodyWidth,
                    at: 69 + beta)
            }
            chain.place(people, rotations: batch.rotations, rest: restJoints)
            fit.read(people, seen)
            let shift = fit.shift(from: chain.positions)
            people.store(fit.misfit(of: chain.positions, shift: shift), into: &batch.misfit, width: 1, at: 0)
            for joint in 0..<Skeleton.positionCount {
                target[joint] = (fit.positions[joint] - shift).selected(fit.isSeen[joint], else: chain.positions[joint])
            }
            write(people, restJoints, into: &batch)
        }
        return batch
    }

    private func write(_ people: LanePeople, _ rest: [Float], into batch: inout StartBatch) {
        let (count, channels) = (layout.keypoints.count, layout.features.width)
        let width = count * 2 * channels
        let axes = humanFrame()
        let origin = chain.positions[layout.keypoints[layout.frame.origin]]
        for (slot, joint) in layout.keypoints.enumerated() {
            let at = slot * 2 * channels
            let (start, aim) = places(of: slot, joint)
            people.store(axes.inverseRotated(start - origin), into: &batch.graph, width: width, at: at)
            people.store(axes.inverseRotated(aim - origin), into: &batch.graph, width: width, at: at + channels)
            switch layout.features {
            case .position: break
            case .positionBoneConfidence:
                let parent = max(parents[joint], 0)
                let restBone =
                    people.vector(rest, width: 87, at: joint * 3) - people.vector(rest, width: 87, at: parent * 3)
                people.store(restBone, into: &batch.graph, width: width, at: at + 3)
                let bone = chain.globals[parent].inverseRotated(target[joint] - target[parent])
                people.store(bone, into: &batch.graph, width: width, at: at + channels + 3)
                people.store(Lanes(repeating: 1), into: &batch.graph, width: width, at: at + 6)
                people.store(fit.confidence[joint], into: &batch.graph, width: width, at: at + channels + 6)
            }
        }
    }

    /// Where a keypoint is in the start pose and in the target.
    private func places(of slot: Int, _ joint: Int) -> (start: LaneVector, target: LaneVector) {
        let (start, aim) = (chain.positions[joint], target[joint])
        guard !layout.offsets.isEmpty, layout.offsets[slot] != .zero, let end = BoneTopology.next(after: joint) else {
            return (start, aim)
        }
        let rest = layout.offsets[slot]
        let offset =
            chain.globals[joint]
            * LaneVector(Lanes(repeating: rest.x), Lanes(repeating: rest.y), Lanes(repeating: rest.z))
        let turn = LaneMatrix.swing(from: chain.positions[end] - start, to: target[end] - aim)
        return (start + offset, aim + turn * offset)
    }

    /// The start pose's frame; its columns are the axes.
    private func humanFrame() -> LaneMatrix {
        func unit(_ v: LaneVector) -> LaneVector { (1 / (v.length + 1e-8)) * v }
        func keypoint(_ slot: Int) -> LaneVector { chain.positions[layout.keypoints[slot]] }
        let y = unit(keypoint(layout.frame.left) - keypoint(layout.frame.right))
        let up = unit(keypoint(layout.frame.top) - keypoint(layout.frame.origin))
        let z = unit(up - dot(up, y) * y)
        let x = unit(cross(z, y))
        return LaneMatrix(rows: x, y, z).transposed
    }
}

/// How well posed joints fit observed ones, by how sure those are; up to four people, lane = person.
struct TargetFit {
    /// Metres: the deviation at which a joint counts half.
    private static let confidenceScale = 0.02
    private static let sigmaMax = 0.4

    /// Observed positions, zeros where nothing was seen.
    private(set) var positions = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    /// Whether each joint was seen.
    private(set) var isSeen = [LaneMask](repeating: LaneMask(repeating: false), count: Skeleton.positionCount)
    /// 1 for an exact joint, ½ at 20 mm, 0 for a missing one.
    private(set) var confidence = [Lanes](repeating: .zero, count: Skeleton.positionCount)
    private var totalWeight = Lanes(repeating: 1)
    private let parents = Skeleton.smpl29.parents

    init() {}

    mutating func read(_ people: LanePeople, _ observations: PoseObservations) {
        totalWeight = .zero
        for joint in 0..<Skeleton.positionCount {
            let seen = people.mask { observations.observed[$0] & (1 << UInt32(joint)) != 0 }
            isSeen[joint] = seen
            positions[joint] = people.vector(observations.joints, width: 87, at: joint * 3).selected(seen, else: .zero)
            var sigma = people.number(observations.sigma, width: 29, at: joint)
            sigma = sigma.selected(sigma .> .zero, else: .zero)
            let most = Lanes(repeating: Self.sigmaMax)
            sigma = sigma.selected(sigma .< most, else: most)
            let scale = Lanes(repeating: Self.confidenceScale)
            confidence[joint] = (scale / (scale + sigma)).selected(seen, else: .zero)
            totalWeight += confidence[joint] * confidence[joint]
        }
        let least = Lanes(repeating: 1e-12)
        totalWeight = totalWeight.selected(totalWeight .> least, else: least)
    }

    /// From posed joints to the observed ones: the mean difference, weighted by squared confidence.
    func shift(from posed: [LaneVector]) -> LaneVector {
        var sum = LaneVector.zero
        for joint in 0..<Skeleton.positionCount {
            let weight = confidence[joint] * confidence[joint]
            sum = sum + weight * (positions[joint] - posed[joint]).selected(isSeen[joint], else: .zero)
        }
        return (1 / totalWeight) * sum
    }

    /// Root of the weighted mean square distance of the moved posed joints from the observed ones, metres.
    func misfit(of posed: [LaneVector], shift: LaneVector) -> Lanes {
        var sum = Lanes.zero
        for joint in 0..<Skeleton.positionCount {
            let weight = confidence[joint] * confidence[joint]
            let difference = (posed[joint] + shift - positions[joint]).selected(isSeen[joint], else: .zero)
            sum += weight * dot(difference, difference)
        }
        return (sum / totalWeight).squareRoot()
    }

    /// How far observed bones are from the body's lengths, root of the weighted mean square, metres; 0 when no bone was seen whole.
    ///
    /// No pose explains this part of the observation away, so it tells how noisy the joints are, whatever their sigma says.
    func boneNoise(_ people: LanePeople, rest: [Float]) -> Lanes {
        var sum = Lanes.zero
        var weights = Lanes.zero
        for joint in 1..<Skeleton.positionCount {
            let parent = parents[joint]
            let bone = people.vector(rest, width: 87, at: joint * 3) - people.vector(rest, width: 87, at: parent * 3)
            let difference = (positions[joint] - positions[parent]).length - bone.length
            let weight = confidence[joint] * confidence[parent]
            sum += weight * difference * difference
            weights += weight
        }
        let least = Lanes(repeating: 1e-12)
        return (sum / weights.selected(weights .> least, else: least)).squareRoot()
    }
}
