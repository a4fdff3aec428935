/// Places a skeleton's joints from its local rotations.
///
/// - Source: models.md §1.3 step 5: `T_i = T_parent · [R_i | J_i − J_parent]`. The body turns about its rest pelvis, which is not at the
///   origin. The five leaves (24…28) move rigidly with their parents; the exact skinned leaf is ``LinearBlendSkinning``'s.
public enum ForwardKinematics {
    /// The joints of one posed person.
    public struct PosedSkeleton: Sendable, Hashable {
        /// Posed joints, `[29, 3]`, metres.
        public var joints: [Float]
        /// Global orientations of the joints with a rotation, `[24, 3, 3]` row-major.
        public var globalRotations: [Float]
    }

    /// Poses one person.
    ///
    /// - Shape: `rotations` `[24, 3, 3]` row-major, parent-relative; `restJoints` `[29, 3]`.
    /// - Frame: the frame of the rest joints (model frame, y up, metres).
    public static func pose(rotations: [Float], restJoints: [Float]) -> PosedSkeleton {
        var joints = [Float](repeating: 0, count: 87)
        var globals = [Float](repeating: 0, count: 216)
        pose(count: 1, rotations: rotations, restJoints: restJoints, joints: &joints, globalRotations: &globals)
        return PosedSkeleton(joints: joints, globalRotations: globals)
    }

    /// Poses `count` people.
    ///
    /// - Shape: `rotations` `[count, 24, 3, 3]`, `restJoints` `[count, 29, 3]` → `joints` `[count, 29, 3]`,
    ///   `globalRotations` `[count, 24, 3, 3]`.
    /// - Cost: about a thousand multiply-adds each; memory for one pass is allocated once per call.
    public static func pose(
        count: Int, rotations: [Float], restJoints: [Float], joints: inout [Float], globalRotations: inout [Float]
    ) {
        precondition(rotations.count >= count * 216 && restJoints.count >= count * 87)
        precondition(joints.count >= count * 87 && globalRotations.count >= count * 216)
        let split = LaneSplit(rowCount: count)
        pose(Lanes.self, split.wide, rotations, restJoints, &joints, &globalRotations)
        pose(Double.self, split.single, rotations, restJoints, &joints, &globalRotations)
    }

    private static func pose<Number: LaneNumber>(
        _: Number.Type, _ range: Range<Int>, _ rotations: [Float], _ restJoints: [Float],
        _ joints: inout [Float], _ globalRotations: inout [Float]
    ) {
        guard !range.isEmpty else { return }
        var chain = PosedChain<Number>()
        for people in LaneRows<Number>.groups(range) {
            chain.place(people, rotations: rotations, rest: restJoints)
            for joint in 0..<Skeleton.positionCount {
                people.store(chain.positions[joint], into: &joints, width: 87, at: joint * 3)
            }
            for joint in 0..<Skeleton.rotationCount {
                people.store(chain.globals[joint], into: &globalRotations, width: 216, at: joint * 9)
            }
        }
    }

    /// One person's chain in double precision.
    package struct Chain {
        /// Global orientations of the 24 joints with a rotation.
        package var globals: [RotationMatrix]
        /// Positions of all 29 joints.
        package var positions: [SIMD3<Double>]

        /// Reads row `person` of `[n, 24, 3, 3]` rotations and `[n, 29, 3]` rest joints.
        package init(rotations: [Float], rest: [Float], person: Int = 0) {
            globals = [RotationMatrix](repeating: .identity, count: Skeleton.rotationCount)
            positions = [SIMD3<Double>](repeating: .zero, count: Skeleton.positionCount)
            let parents = Skeleton.smpl29.parents
            for joint in 0..<Skeleton.positionCount {
                let origin = rest.vector(at: person * 87 + joint * 3)
                let parent = parents[joint]
                if parent < 0 {
                    positions[joint] = origin
                } else {
                    let offset = origin - rest.vector(at: person * 87 + parent * 3)
                    positions[joint] = positions[parent] + globals[parent] * offset
                }
                guard joint < Skeleton.rotationCount else { continue }
                let local = RotationMatrix(rowMajor: rotations, at: person * 216 + joint * 9)
                globals[joint] = parent < 0 ? local : globals[parent] * local
            }
        }
    }
}
