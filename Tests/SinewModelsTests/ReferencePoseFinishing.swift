import SinewBody
import SinewModels

/// Pose finishing for one person, written with ordinary numbers and branches.
///
/// The package finishes four people at once with masks; this is what that is tested against.
enum ReferencePoseFinishing {
    /// Finishes row `person` of a batch.
    static func finish(
        rotations: [Float], observations: PoseObservations, restJoints: [Float], person: Int,
        into solutions: inout PoseSolutions
    ) {
        let positions = posedJoints(rotations: rotations, rest: restJoints, person: person)
        for joint in 0..<Skeleton.rotationCount {
            let local = RotationMatrix(rowMajor: rotations, at: person * 216 + joint * 9)
            solutions.theta.store(AxisAngle(local).vector, at: person * 72 + joint * 3)
        }
        let seen = ObservedJoints(observations, person: person)
        let translation = self.translation(from: positions, to: seen)
        solutions.translation.store(translation, at: person * 3)
        var residual = 0.0
        for joint in 0..<Skeleton.positionCount {
            let position = positions[joint] + translation
            solutions.joints.store(position, at: person * 87 + joint * 3)
            if seen.contains(joint) { residual += length(position - seen.positions[joint]) }
        }
        solutions.jointResidualMillimetres[person] = seen.count > 0 ? Float(1000 * residual / Double(seen.count)) : 0
        solutions.boneLengthChange[person] = boneLengthChange(of: seen, rest: restJoints, person: person)
        solutions.unobservedJoints[person] = Int32(Skeleton.positionCount - seen.count)
    }

    private static func translation(from posed: [SIMD3<Double>], to seen: ObservedJoints) -> SIMD3<Double> {
        if seen.contains(0) { return seen.positions[0] - posed[0] }
        var sum = SIMD3<Double>.zero
        for joint in 0..<Skeleton.positionCount where seen.contains(joint) {
            sum += seen.positions[joint] - posed[joint]
        }
        return seen.count > 0 ? sum / Double(seen.count) : .zero
    }

    private static func boneLengthChange(of seen: ObservedJoints, rest: [Float], person: Int) -> Float {
        var largest = 0.0
        for joint in 1..<Skeleton.positionCount {
            let parent = Skeleton.smpl29.parents[joint]
            guard seen.contains(joint), seen.contains(parent) else { continue }
            let base = person * 87
            let restLength = length(rest.vector(at: base + joint * 3) - rest.vector(at: base + parent * 3))
            guard restLength > 0 else { continue }
            let change = length(seen.positions[joint] - seen.positions[parent]) / restLength - 1
            largest = max(largest, abs(change))
        }
        return Float(largest)
    }

    /// The 29 joints, parents first.
    private static func posedJoints(rotations: [Float], rest: [Float], person: Int) -> [SIMD3<Double>] {
        var globals = [RotationMatrix](repeating: .identity, count: Skeleton.rotationCount)
        var positions = [SIMD3<Double>](repeating: .zero, count: Skeleton.positionCount)
        for joint in 0..<Skeleton.positionCount {
            let parent = Skeleton.smpl29.parents[joint]
            let origin = rest.vector(at: person * 87 + joint * 3)
            positions[joint] =
                parent < 0
                ? origin
                : positions[parent] + globals[parent] * (origin - rest.vector(at: person * 87 + parent * 3))
            guard joint < Skeleton.rotationCount else { continue }
            let local = RotationMatrix(rowMajor: rotations, at: person * 216 + joint * 9)
            globals[joint] = parent < 0 ? local : globals[parent] * local
        }
        return positions
    }
}

/// One person's observed joints.
struct ObservedJoints {
    /// All 29 positions; those of unobserved joints mean nothing.
    let positions: [SIMD3<Double>]
    private let mask: UInt32

    init(_ observations: PoseObservations, person: Int) {
        positions = (0..<Skeleton.positionCount).map { observations.joints.vector(at: person * 87 + $0 * 3) }
        mask = observations.observed[person] & 0x1FFF_FFFF
    }

    /// Whether the joint was observed.
    func contains(_ joint: Int) -> Bool { mask & (1 << UInt32(joint)) != 0 }

    /// How many joints were observed.
    var count: Int { mask.nonzeroBitCount }

    /// The pelvis, or the best guess at it: the middle of the observed hips, then of all observed joints.
    var pelvis: SIMD3<Double> {
        if contains(0) { return positions[0] }
        let hips = [1, 2].filter(contains)
        let joints = hips.isEmpty ? (0..<Skeleton.positionCount).filter(contains) : hips
        guard !joints.isEmpty else { return .zero }
        return joints.reduce(.zero) { $0 + positions[$1] } / Double(joints.count)
    }
}
