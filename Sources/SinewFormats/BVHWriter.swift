internal import Glibc
internal import SinewBody

/// Writes a rig and its motion as BVH.
///
/// BVH joints have no rotation at rest, so a rig with turned rest frames is written with frames that stand along the world's axes at rest;
/// every joint is where it was.
enum BVHWriter {
    /// - Parameter ends: where the bones of joints without children end, from the joint; empty where that is not known.
    static func text(of clip: RigClip, ends: [SIMD3<Double>?] = []) -> String {
        var text = "HIERARCHY\n"
        write(joint: 0, depth: 0, of: clip, ends: ends, to: &text)
        text += "MOTION\nFrames: \(clip.frames.count)\nFrame Time: \(1 / clip.framesPerSecond)\n"
        let order = depthFirst(clip.rig)
        for frame in clip.frames { text += line(frame, of: clip, order: order) }
        return text
    }

    private static func write(
        joint index: Int, depth: Int, of clip: RigClip, ends: [SIMD3<Double>?], to text: inout String
    ) {
        let joint = clip.rig.joints[index]
        let indent = String(repeating: "  ", count: depth)
        let offset = restFrame(above: index, clip.rig) * joint.offset
        text += "\(indent)\(index == 0 ? "ROOT" : "JOINT") \(joint.name)\n\(indent){\n"
        text += "\(indent)  OFFSET \(offset.x) \(offset.y) \(offset.z)\n"
        let isMoved = index == 0 || index == clip.mapping.rigJoints[0]
        let moves = isMoved ? "6 Xposition Yposition Zposition" : "3"
        text += "\(indent)  CHANNELS \(moves) Zrotation Xrotation Yrotation\n"
        let children = clip.rig.joints.indices.filter { clip.rig.joints[$0].parent == index }
        for child in children { write(joint: child, depth: depth + 1, of: clip, ends: ends, to: &text) }
        if children.isEmpty {
            let end = (index < ends.count ? ends[index] : nil) ?? .zero
            let line = "OFFSET \(end.x) \(end.y) \(end.z)"
            text += "\(indent)  End Site\n\(indent)  {\n\(indent)    \(line)\n\(indent)  }\n"
        }
        text += "\(indent)}\n"
    }

    /// The order in which a file lists joints: a whole branch before the next.
    private static func depthFirst(_ rig: RigSkeleton) -> [Int] {
        var order: [Int] = []
        var waiting = [0]
        while let index = waiting.popLast() {
            order.append(index)
            waiting += rig.joints.indices.filter { rig.joints[$0].parent == index }.reversed()
        }
        return order
    }

    /// The world rotation at rest of what a joint hangs on.
    private static func restFrame(above index: Int, _ rig: RigSkeleton) -> RotationMatrix {
        let parent = rig.joints[index].parent
        return parent < 0 ? .identity : rig.restWorldRotations[parent]
    }

    private static func line(_ frame: RigPose, of clip: RigClip, order: [Int]) -> String {
        let rig = clip.rig
        var world: [RotationMatrix] = []
        for (index, joint) in rig.joints.enumerated() {
            world.append((joint.parent < 0 ? .identity : world[joint.parent]) * frame.rotations[index])
        }
        // How each joint is turned from its rest pose, in the world.
        let turned = world.indices.map { world[$0] * rig.restWorldRotations[$0].transposed }
        var numbers: [Double] = []
        for index in order {
            let joint = rig.joints[index]
            if index == 0 || index == clip.mapping.rigJoints[0] {
                let offset = index == clip.mapping.rigJoints[0] ? frame.pelvisOffset : joint.offset
                let v = restFrame(above: index, rig) * offset
                numbers += [v.x, v.y, v.z]
            }
            let parent = joint.parent < 0 ? .identity : turned[joint.parent]
            numbers += zxyDegrees(parent.transposed * turned[index])
        }
        return numbers.map { "\($0)" }.joined(separator: " ") + "\n"
    }

    /// Angles about z, x and y with `R = Rz Rx Ry`, degrees.
    private static func zxyDegrees(_ r: RotationMatrix) -> [Double] {
        let x = asin(min(max(r.row2.y, -1), 1))
        let z: Double
        let y: Double
        if abs(r.row2.y) < 1 - 1e-12 {
            z = atan2(-r.row0.y, r.row1.y)
            y = atan2(-r.row2.x, r.row2.z)
        } else {
            // Straight up or down, z and y turn about the same axis; z takes it all.
            z = atan2(r.row1.x, r.row0.x)
            y = 0
        }
        return [z, x, y].map { $0 * 180 / .pi }
    }
}
