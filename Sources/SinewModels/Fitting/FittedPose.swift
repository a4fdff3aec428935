package import SinewBody

/// The poses of up to four people while they are being fitted, lane = person.
///
/// Joint positions are those of forward kinematics without the translation, which is kept apart.
package struct FittedPose {
    package private(set) var locals = [LaneMatrix](repeating: .identity, count: Skeleton.rotationCount)
    private(set) var globals = [LaneMatrix](repeating: .identity, count: Skeleton.rotationCount)
    private(set) var positions = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    /// Added to every position.
    package private(set) var translation = LaneVector.zero

    static let parents = Skeleton.smpl29.parents

    init() {}

    /// Starts from local rotations.
    ///
    /// - Parameter rest: the 29 rest joints.
    mutating func place(locals start: [LaneMatrix], translation: LaneVector = .zero, rest: [LaneVector]) {
        locals = start
        self.translation = translation
        place(rest: rest)
    }

    /// Turns every joint by its own local increment and moves the root: `R_i ← R_i · cayley(δ_i)`.
    mutating func move(_ previous: borrowing FittedPose, by step: PoseStep, rest: [LaneVector]) {
        for joint in 0..<Skeleton.rotationCount {
            let increment = previous.globals[joint].inverseRotated(step.turns[joint])
            locals[joint] = previous.locals[joint] * LaneMatrix(cayley: increment)
        }
        translation = previous.translation + step.translation
        place(rest: rest)
    }

    /// Takes over the other pose in the lanes of `mask`.
    mutating func take(_ other: borrowing FittedPose, where mask: LaneMask) {
        for joint in 0..<Skeleton.rotationCount {
            locals[joint] = other.locals[joint].selected(mask, else: locals[joint])
            globals[joint] = other.globals[joint].selected(mask, else: globals[joint])
        }
        for joint in 0..<Skeleton.positionCount {
            positions[joint] = other.positions[joint].selected(mask, else: positions[joint])
        }
        translation = other.translation.selected(mask, else: translation)
    }

    private mutating func place(rest: [LaneVector]) {
        globals[0] = locals[0]
        positions[0] = rest[0]
        for joint in 1..<Skeleton.positionCount {
            let parent = Self.parents[joint]
            positions[joint] = positions[parent] + globals[parent] * (rest[joint] - rest[parent])
            guard joint < Skeleton.rotationCount else { continue }
            globals[joint] = globals[parent] * locals[joint]
        }
    }
}

/// A step of a fit: the turn of every joint against its parent, as a rotation vector in the world frame, and the root's movement.
package struct PoseStep {
    package var turns = [LaneVector](repeating: .zero, count: Skeleton.rotationCount)
    package var translation = LaneVector.zero

    package init() {}
}
