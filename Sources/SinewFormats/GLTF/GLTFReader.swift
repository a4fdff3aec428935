internal import SinewArrayFiles
internal import SinewBody

/// Skeletons and their motion in glTF 2.0 (`.glb`, `.gltf`).
///
/// The joints are those of all skins with everything above them, or without skins the nodes of the largest tree that show nothing. The rest pose
/// is the one in which the skin was bound; where a file has none, the nodes as they stand. Of several animations the first is read.
enum GLTFReader {
    /// More rotations than this are refused: more than an hour of sixty joints at thirty frames a second. Two keys far apart cost no bytes.
    private static let rotationsMax = 1 << 23
    private static let skinsMax = 1024

    static func read(
        _ bytes: [UInt8], path: String, named: [(rig: String, smpl: String)]
    ) throws(FormatError) -> RigClip {
        var file = try GLTFFile(bytes, path: path)
        let forest = try GLTFNodes(file)
        let nodes = forest.nodes
        let skins = try skins(&file, forest)
        let order = try joints(of: nodes, skinned: skins.flatMap(\.joints), file)
        let scales = scalesAbove(order, nodes)
        let (rig, mapping) = try RigClip.rig(
            rigJoints(order, scales, forest, skins, file), path: path, named: named)
        let animation = try GLTFAnimation(
            &file, joints: Dictionary(uniqueKeysWithValues: order.map { ($0, nodes[$0].placement) }))
        guard animation.frameTimes.count * rig.joints.count <= rotationsMax else {
            throw file.wrong("\(animation.frameTimes.count) frames of \(rig.joints.count) joints are too many; cut it")
        }
        var frames: [RigPose] = []
        frames.reserveCapacity(animation.frameTimes.count)
        for time in animation.frameTimes {
            var offsets: [SIMD3<Double>] = []
            var rotations: [RotationMatrix] = []
            for (node, scale) in zip(order, scales) {
                let standing = nodes[node].placement
                let moved = animation.translations[node]?.value(at: time)
                let offset = scale * (moved.map { SIMD3($0[0], $0[1], $0[2]) } ?? standing.translation)
                guard isNear(offset) else {
                    throw file.wrong("node \(node) is \(length(offset)) from its parent at \(time) s")
                }
                offsets.append(offset)
                let turned = animation.rotations[node].flatMap { RotationMatrix(xyzw: $0.value(at: time)) }
                rotations.append(turned ?? standing.rotation)
            }
            frames.append(
                RigPose(of: rig, pelvis: mapping.rigJoints[0] ?? 0, offsets: offsets, rotations: rotations))
        }
        return RigClip(rig: rig, mapping: mapping, frames: frames, framesPerSecond: animation.framesPerSecond)
    }

    /// For each joint of `order` how long a unit of its parent is in the scene.
    private static func scalesAbove(_ order: [Int], _ nodes: [GLTFNodes.Node]) -> [Double] {
        var scales: [Int: Double] = [:]
        return order.map { node in
            let above = nodes[node].parent.flatMap { scales[$0] } ?? 1
            scales[node] = above * nodes[node].placement.scale
            return above
        }
    }

    /// The joints at rest, in the units of the scene.
    private static func rigJoints(
        _ order: [Int], _ scales: [Double], _ forest: GLTFNodes, _ skins: [Skin], _ file: GLTFFile
    ) throws(FormatError) -> [RigSkeleton.Joint] {
        var joints: [RigSkeleton.Joint] = []
        var indices: [Int: Int] = [:]
        var names: Set<String> = []
        for (node, scale) in zip(order, scales) {
            let rest = restPlacement(of: node, forest, skins)
            // Names are for people in glTF and need not differ.
            var name = forest.nodes[node].name.flatMap { $0.isEmpty ? nil : $0 } ?? "node_\(node)"
            if !names.insert(name).inserted {
                name += "_\(node)"
                names.insert(name)
            }
            let offset = scale * rest.translation
            guard isNear(offset) else {
                throw file.wrong("node \(node) (\(name)) is \(length(offset)) from its parent")
            }
            let parent = forest.nodes[node].parent.flatMap { indices[$0] } ?? -1
            joints.append(.init(name: name, parent: parent, offset: offset, restRotation: rest.rotation))
            indices[node] = joints.count - 1
        }
        return joints
    }

    /// Whether an offset is one that floats keep, in any unit of length.
    private static func isNear(_ offset: SIMD3<Double>) -> Bool { length(offset) < 1e9 }

    /// A skin: its joints, and where they stood when it was bound, seen from the mesh that wears it.
    private struct Skin {
        var joints: [Int]
        /// Where that mesh stands.
        var mesh: GLTFPlacement
        var bound: [Int: GLTFPlacement] = [:]
    }

    private static func skins(
        _ file: inout GLTFFile, _ forest: GLTFNodes
    ) throws(FormatError) -> [Skin] {
        let nodes = forest.nodes
        let listed = try file.list("skins")
        guard listed.count <= skinsMax else {
            throw file.wrong("it has \(listed.count) skins; at most \(skinsMax) are read, export the rig alone")
        }
        var skins: [Skin] = []
        for (index, value) in listed.enumerated() {
            let joints = value["joints"]?.array?.compactMap(\.int) ?? []
            guard !joints.isEmpty, joints.count == value["joints"]?.array?.count,
                joints.allSatisfy(nodes.indices.contains)
            else { throw file.wrong("skin \(index): \"joints\" is not a list of nodes of the file") }
            let wearer = nodes.firstIndex { $0.skin == index }
            var skin = Skin(joints: joints, mesh: wearer.map(forest.world) ?? .identity)
            if let number = value["inverseBindMatrices"] {
                guard let accessor = number.int else { throw file.wrong("skin \(index): its matrices are no accessor") }
                let matrices = try file.accessor(accessor, kind: "MAT4", "bind matrices of skin \(index)")
                guard matrices.count >= joints.count * 16 else {
                    throw file.wrong(
                        "skin \(index) has \(joints.count) joints and \(matrices.count / 16) bind matrices")
                }
                for (place, joint) in joints.enumerated() {
                    guard let inverse = GLTFPlacement(columnMajor: Array(matrices[(place * 16)..<(place * 16 + 16)]))
                    else {
                        throw file.wrong(
                            "skin \(index): the bind matrix of \"\(nodes[joint].name ?? "node \(joint)")\" mirrors, shears, "
                                + "flattens or scales unevenly; apply the scale before exporting")
                    }
                    skin.bound[joint] = inverse.inverse
                }
            }
            skins.append(skin)
        }
        return skins
    }

    /// Against its parent: between two joints of a skin as they were bound, whatever space that was in; the topmost joint of a skin as the
    /// mesh places it, unless that would change its size; other nodes as they stand.
    private static func restPlacement(of node: Int, _ forest: GLTFNodes, _ skins: [Skin]) -> GLTFPlacement {
        let standing = forest.nodes[node].placement
        let parent = forest.nodes[node].parent
        for skin in skins {
            guard let own = skin.bound[node] else { continue }
            if let parent, let above = skin.bound[parent] { return own.relative(to: above) }
            let rest = skin.mesh.placing(own).relative(to: parent.map(forest.world) ?? .identity)
            if abs(rest.scale - standing.scale) < 0.01 * standing.scale { return rest }
        }
        return standing
    }

    /// The nodes that become joints, parents before their children.
    private static func joints(
        of nodes: [GLTFNodes.Node], skinned: [Int], _ file: GLTFFile
    ) throws(FormatError) -> [Int] {
        var isJoint = [Bool](repeating: false, count: nodes.count)
        for start in skinned.isEmpty ? nodes.indices.filter({ !nodes[$0].isThing }) : skinned {
            var at: Int? = start
            while let node = at, !isJoint[node] {
                isJoint[node] = true
                at = nodes[node].parent
            }
        }
        let trees = nodes.indices.filter { isJoint[$0] && nodes[$0].parent == nil }.map { root in
            var order: [Int] = []
            var waiting = [root]
            while let node = waiting.popLast() {
                order.append(node)
                waiting += nodes[node].children.filter { isJoint[$0] }.reversed()
            }
            return order
        }
        guard let largest = trees.max(by: { $0.count < $1.count }) else {
            throw file.wrong("it has no skeleton: neither a skin nor a tree of nodes")
        }
        guard skinned.isEmpty || trees.count == 1 else {
            throw file.wrong("the joints of its skins hang on \(trees.count) separate nodes; a rig has one root")
        }
        guard largest.count <= RigSkeleton.jointsMax else {
            throw file.wrong("its skeleton has \(largest.count) nodes; at most \(RigSkeleton.jointsMax) are possible")
        }
        // In the order of the file, if that puts parents first.
        return largest.allSatisfy { (nodes[$0].parent ?? -1) < $0 } ? largest.sorted() : largest
    }
}
