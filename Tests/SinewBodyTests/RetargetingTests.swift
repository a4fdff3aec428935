import SinewBody
import TestSupport
import Testing

/// Rigs made here: SMPL's own tree under other names, axes, sizes and rest poses.
private struct RigMaker {
    /// Mixamo's words for SMPL's joints, in order.
    static let mixamo = [
        "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2",
        "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
        "LeftForeArm", "RightForeArm", "LeftHand", "RightHand", "LeftHandMiddle1", "RightHandMiddle1",
    ].map { "mixamorig:\($0)" }

    var names = Self.mixamo
    /// From the model frame to the rig's axes; a turn by quarters.
    var axes = RotationMatrix.identity
    var unitsPerMetre = 1.0
    /// World turns of limbs at rest, by SMPL joint; children go along.
    var restTurns: [Int: RotationMatrix] = [:]
    /// Joint frames at rest that point anywhere.
    var frames: [RotationMatrix] = Array(repeating: .identity, count: 24)
    /// SMPL joints that the rig lacks.
    var without: Set<Int> = []

    func rig(_ restJoints: [Float]) throws -> RigSkeleton {
        let parents = Skeleton.smpl24.parents
        var turns: [RotationMatrix] = []
        var positions: [SIMD3<Double>] = []
        for joint in 0..<24 {
            let place = restJoints.vector(at: joint * 3)
            guard parents[joint] >= 0 else {
                turns.append(.identity)
                positions.append(place)
                continue
            }
            let parent = parents[joint]
            turns.append((restTurns[joint] ?? .identity) * turns[parent])
            positions.append(positions[parent] + turns[parent] * (place - restJoints.vector(at: parent * 3)))
        }
        var joints: [RigSkeleton.Joint] = []
        var indices: [Int: Int] = [:]
        var world: [RotationMatrix] = []
        var placed: [SIMD3<Double>] = []
        for joint in 0..<24 where !without.contains(joint) {
            var parent = parents[joint]
            while parent >= 0, without.contains(parent) { parent = parents[parent] }
            let above = parent < 0 ? -1 : indices[parent]!
            let rotation = axes * frames[joint]
            let place = unitsPerMetre * (axes * positions[joint])
            let parentRotation = above < 0 ? .identity : world[above]
            indices[joint] = joints.count
            joints.append(
                .init(
                    name: names[joint], parent: above,
                    offset: parentRotation.transposed * (place - (above < 0 ? .zero : placed[above])),
                    restRotation: parentRotation.transposed * rotation))
            world.append(rotation)
            placed.append(place)
        }
        return try RigSkeleton(joints: joints)
    }
}

/// Each coordinate uniform, of variance 1.
private func randomVector(_ random: inout SplitMix64) -> SIMD3<Double> {
    SIMD3(
        .random(in: -1.7...1.7, using: &random), .random(in: -1.7...1.7, using: &random),
        .random(in: -1.7...1.7, using: &random))
}

private func randomRotation(_ spread: Double, _ random: inout SplitMix64) -> RotationMatrix {
    RotationMatrix(AxisAngle(spread * randomVector(&random)))
}

private func randomPose(_ random: inout SplitMix64) -> HumanPose {
    HumanPose(
        rotations: (0..<24).map { _ in randomRotation(0.4, &random) },
        pelvis: randomVector(&random))
}

/// World positions of a rig's joints.
private func positions(_ rig: RigSkeleton, _ pose: RigPose, pelvis: Int) -> [SIMD3<Double>] {
    var world: [RotationMatrix] = []
    var places: [SIMD3<Double>] = []
    for (index, joint) in rig.joints.enumerated() {
        let parent = index == 0 ? .identity : world[joint.parent]
        places.append(
            (index == 0 ? .zero : places[joint.parent]) + parent * (index == pelvis ? pose.pelvisOffset : joint.offset))
        world.append(parent * pose.rotations[index])
    }
    return places
}

struct RetargetingTests {
    private let body: BodyModel
    private let rest: [Float]

    init() throws {
        body = try BodyModel.bundled(.neutral)
        rest = body.restJoints(betas: [0.5, -1])
    }

    /// Rigs that differ in everything a rig may differ in.
    private func makers(_ random: inout SplitMix64) -> [RigMaker] {
        let zUp = RotationMatrix(rows: SIMD3(1, 0, 0), SIMD3(0, 0, -1), SIMD3(0, 1, 0))
        let sideways = RotationMatrix(rows: SIMD3(0, 0, -1), SIMD3(0, 1, 0), SIMD3(1, 0, 0))
        let down = RotationMatrix(AxisAngle(SIMD3(0, 0, -0.8)))
        let up = RotationMatrix(AxisAngle(SIMD3(0, 0, 0.8)))
        let frames = (0..<24).map { _ in randomRotation(2, &random) }
        return [
            RigMaker(), RigMaker(axes: zUp, unitsPerMetre: 100), RigMaker(axes: sideways, frames: frames),
            RigMaker(axes: zUp, unitsPerMetre: 39.37, restTurns: [16: down, 17: up, 1: up], frames: frames),
        ]
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `there and back is the same pose`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for maker in makers(&random) {
            let rig = try maker.rig(rest)
            let mapping = try RigMapping(rig)
            #expect(mapping.smplJoints == (0..<24).map { $0 }, "seed \(seed)")
            let retargeting = try Retargeting(rig: rig, mapping: mapping, restJoints: rest)
            #expect(abs(retargeting.metresPerUnit * maker.unitsPerMetre - 1) < 0.2)
            let pose = randomPose(&random)
            let back = retargeting.humanPose(of: retargeting.rigPose(of: pose))
            for joint in 0..<24 { #expect(back.rotations[joint].angle(to: pose.rotations[joint]) < 1e-6) }
            #expect(length(back.pelvis - pose.pelvis) < 1e-9)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a rig of the body's own build stands where the body stands, whatever its axes, units, frames and rest pose`(
        seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        for maker in makers(&random) {
            let rig = try maker.rig(rest)
            let retargeting = try Retargeting(rig: rig, mapping: try RigMapping(rig), restJoints: rest)
            let pose = randomPose(&random)
            var flat = [Float](repeating: 0, count: 216)
            for joint in 0..<24 { pose.rotations[joint].write(into: &flat, at: joint * 9) }
            let posed = ForwardKinematics.pose(rotations: flat, restJoints: rest).joints
            let shift = pose.pelvis - posed.vector(at: 0)
            let found = positions(rig, retargeting.rigPose(of: pose), pelvis: 0)
            // Legs spread at rest lower the hips a little, so sizes are compared with the pelvis taken out.
            for joint in 0..<24 {
                let expected = posed.vector(at: joint * 3) + shift - pose.pelvis
                let there = maker.axes.transposed * (found[joint] - found[0]) / maker.unitsPerMetre
                // The smallest swing onto a limb's direction leaves the twist about it open: a quarter of a millimetre at the hands.
                #expect(length(there - expected) < 5e-4, "joint \(joint), seed \(seed)")
            }
        }
    }

    @Test func `a spine of one joint comes back shared out, and what the rig lacks stays unturned`() throws {
        var random = SplitMix64(seed: 9)
        let rig = try RigMaker(without: [3, 6, 13, 14, 22, 23]).rig(rest)
        let mapping = try RigMapping(rig)
        #expect(mapping.rigJoints[9] != nil && mapping.rigJoints[3] == nil)
        let retargeting = try Retargeting(rig: rig, mapping: mapping, restJoints: rest)
        let pose = randomPose(&random)
        let back = retargeting.humanPose(of: retargeting.rigPose(of: pose))
        let turn = pose.rotations[3] * pose.rotations[6] * pose.rotations[9]
        let returned = back.rotations[3] * back.rotations[6] * back.rotations[9]
        #expect(returned.angle(to: turn) < 1e-6)
        for joint in [3, 6, 9] { #expect(abs(back.rotations[joint].angle - turn.angle / 3) < 1e-6) }
        for joint in [13, 14, 22, 23] { #expect(back.rotations[joint].angle < 1e-6) }
        for joint in [0, 1, 2, 4, 5, 7, 8, 18, 19] {
            #expect(back.rotations[joint].angle(to: pose.rotations[joint]) < 1e-6)
        }
    }

    @Test(arguments: [
        ["hip", "lThigh", "rThigh", "abdomen", "lShin", "rShin", "chest", "lFoot", "rFoot", "upperChest"],
        ["pelvis", "thigh_l", "thigh_r", "spine_01", "calf_l", "calf_r", "spine_02", "foot_l", "foot_r", "spine_03"],
        ["root", "lfemur", "rfemur", "lowerback", "ltibia", "rtibia", "upperback", "lfoot", "rfoot", "thorax"],
        [
            "Hips", "LeftUpperLeg", "RightUpperLeg", "Spine", "LeftLowerLeg", "RightLowerLeg", "Chest", "LeftFoot",
            "RightFoot",
            "UpperChest",
        ],
        [
            "J_Bip_C_Hips", "J_Bip_L_UpperLeg", "J_Bip_R_UpperLeg", "J_Bip_C_Spine", "J_Bip_L_LowerLeg",
            "J_Bip_R_LowerLeg",
            "J_Bip_C_Chest", "J_Bip_L_Foot", "J_Bip_R_Foot", "J_Bip_C_UpperChest",
        ],
        [
            "Bip01 Pelvis", "Bip01 L Thigh", "Bip01 R Thigh", "Bip01 Spine", "Bip01 L Calf", "Bip01 R Calf",
            "Bip01 Spine1",
            "Bip01 L Foot", "Bip01 R Foot", "Bip01 Spine2",
        ],
        Array(Skeleton.smpl24.jointNames[..<10]),
    ])
    func `the words of other tools are understood`(trunk: [String]) throws {
        let isSMPL = trunk[0] == Skeleton.smpl24.jointNames[0] && trunk[1] == "left_hip"
        let maker = RigMaker(names: trunk + (isSMPL ? Skeleton.smpl24.jointNames : RigMaker.mixamo)[10...])
        let mapping = try RigMapping(try maker.rig(rest))
        #expect(mapping.smplJoints == (0..<24).map { $0 })
    }

    @Test func `names that say nothing are asked for, and can be given`() throws {
        var names = RigMaker.mixamo
        names[4] = "bone07"
        let rig = try RigMaker(names: names).rig(rest)
        let error = #expect(throws: BodyError.self) { try RigMapping(rig) }
        #expect(error?.message.contains("left_knee") == true && error?.message.contains("bone07") == true)
        #expect(try RigMapping(rig, named: [("bone07", "left_knee")]).rigJoints[4] == 4)
        #expect(throws: BodyError.self) { try RigMapping(rig, named: [("bone8", "left_knee")]) }
        #expect(throws: BodyError.self) { try RigMapping(rig, named: [("bone07", "tail")]) }
    }

    @Test func `trees that are none are refused`() {
        let bad: [[RigSkeleton.Joint]] = [
            [], [.init(name: "a", parent: 0, offset: .zero)],
            [.init(name: "a", parent: -1, offset: .zero), .init(name: "a", parent: 0, offset: .zero)],
            [.init(name: "a", parent: -1, offset: .zero), .init(name: "b", parent: -1, offset: .zero)],
            [.init(name: "a", parent: -1, offset: SIMD3(0, .infinity, 0))],
            [
                .init(
                    name: "a", parent: -1, offset: .zero,
                    restRotation: RotationMatrix(rows: SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)))
            ],
        ]
        for joints in bad { #expect(throws: BodyError.self) { try RigSkeleton(joints: joints) } }
    }

    @Test func `a rig that does not stand is refused`() throws {
        let lying = RigMaker(restTurns: [16: RotationMatrix(AxisAngle(SIMD3(0, 0, 0.3)))])
        var joints = try lying.rig(rest).joints
        joints[0] = .init(name: joints[0].name, parent: -1, offset: .zero)
        for knee in [1, 2, 4, 5] {
            joints[knee] = .init(name: joints[knee].name, parent: joints[knee].parent, offset: .zero)
        }
        for ankle in [7, 8] {
            joints[ankle] = .init(name: joints[ankle].name, parent: joints[ankle].parent, offset: SIMD3(0, 1, 0))
        }
        let rig = try RigSkeleton(joints: joints)
        #expect(throws: BodyError.self) {
            try Retargeting(rig: rig, mapping: try RigMapping(rig), restJoints: rest)
        }
    }
}
