internal import SinewArrayFiles
internal import SinewBody

/// Where a node of a glTF file stands against its parent.
struct GLTFPlacement {
    var translation: SIMD3<Double>
    var rotation: RotationMatrix
    /// The same along all axes.
    var scale: Double

    static let identity = GLTFPlacement(translation: .zero, rotation: .identity, scale: 1)
}

/// The nodes of a glTF file: a forest.
struct GLTFNodes {
    struct Node {
        let name: String?
        var parent: Int?
        let children: [Int]
        let placement: GLTFPlacement
        /// Whether it shows something, which a joint does not.
        let isThing: Bool
        /// The skin that its mesh wears.
        let skin: Int?
    }

    let nodes: [Node]

    /// More nodes than a scene of people has; every skin walks up from its mesh.
    private static let nodesMax = 1 << 16

    /// Reads all nodes.
    ///
    /// - Throws: ``FormatError`` naming the node: one that has two parents or is its own ancestor, or a transform that is none.
    init(_ file: GLTFFile) throws(FormatError) {
        var nodes: [Node] = []
        let listed = try file.list("nodes")
        guard listed.count <= Self.nodesMax else {
            throw file.wrong("it has \(listed.count) nodes; at most \(Self.nodesMax) are read, export the rig alone")
        }
        for (index, value) in listed.enumerated() { nodes.append(try Self.node(value, index, listed.count, file)) }
        for index in nodes.indices {
            for child in nodes[index].children {
                guard nodes[child].parent == nil, child != index else {
                    throw file.wrong("node \(child) has two parents, or is its own")
                }
                nodes[child].parent = index
            }
        }
        // Every node has at most one parent, so what is not reached from a root goes round in a circle.
        var reached = 0
        var waiting = nodes.indices.filter { nodes[$0].parent == nil }
        while let index = waiting.popLast() {
            reached += 1
            waiting += nodes[index].children
        }
        guard reached == nodes.count else {
            throw file.wrong("its nodes are no tree: \(nodes.count - reached) of them are their own ancestors")
        }
        self.nodes = nodes
    }

    /// Where a node stands in the scene.
    func world(of node: Int) -> GLTFPlacement {
        var placement = nodes[node].placement
        var at = nodes[node].parent
        while let above = at {
            placement = nodes[above].placement.placing(placement)
            at = nodes[above].parent
        }
        return placement
    }

    private static func node(
        _ value: JSONValue, _ index: Int, _ count: Int, _ file: GLTFFile
    ) throws(FormatError) -> Node {
        let place = "node \(index)"
        var children: [Int] = []
        for child in value["children"]?.array ?? [] {
            guard let child = child.int, (0..<count).contains(child) else {
                throw file.wrong("\(place): a child is no node of the file")
            }
            children.append(child)
        }
        return Node(
            name: value["name"]?.string, parent: nil, children: children,
            placement: try placement(value, place, file), isThing: value["mesh"] != nil || value["camera"] != nil,
            skin: value["skin"]?.int)
    }

    private static func placement(
        _ value: JSONValue, _ place: String, _ file: GLTFFile
    ) throws(FormatError) -> GLTFPlacement {
        func numbers(_ field: String, _ standard: [Double]) throws(FormatError) -> [Double] {
            guard let found = value[field] else { return standard }
            let values = found.array?.compactMap(\.double) ?? []
            guard values.count == standard.count, found.array?.count == standard.count, values.allSatisfy(\.isFinite)
            else { throw file.wrong("\(place): \"\(field)\" is not \(standard.count) numbers") }
            return values
        }
        if value["matrix"] != nil {
            let matrix = try numbers("matrix", [Double](repeating: 0, count: 16))
            guard let placement = GLTFPlacement(columnMajor: matrix) else {
                throw file.wrong(
                    "\(place) (\(value["name"]?.string ?? "unnamed")): \"matrix\" mirrors, shears or scales unevenly")
            }
            return placement
        }
        let t = try numbers("translation", [0, 0, 0])
        let q = try numbers("rotation", [0, 0, 0, 1])
        let s = try numbers("scale", [1, 1, 1])
        guard s[0] > 0, s.allSatisfy({ abs($0 - s[0]) <= GLTFPlacement.scaleTolerance * s[0] }) else {
            throw file.wrong(
                "\(place) (\(value["name"]?.string ?? "unnamed")) is scaled by \(s), which is uneven or mirrors; apply the scale "
                    + "before exporting")
        }
        guard let rotation = RotationMatrix(xyzw: q) else {
            throw file.wrong("\(place): \"rotation\" is no unit quaternion (x, y, z, w)")
        }
        return GLTFPlacement(translation: SIMD3(t[0], t[1], t[2]), rotation: rotation, scale: s[0])
    }
}

extension GLTFPlacement {
    /// How far apart the scales of the axes may be, relative.
    static let scaleTolerance = 1e-3

    /// Takes a 4 by 4 matrix apart; nil where it mirrors, shears, scales unevenly or flattens.
    init?(columnMajor m: [Double]) {
        let columns = (0..<3).map { SIMD3(m[4 * $0], m[4 * $0 + 1], m[4 * $0 + 2]) }
        let scales = columns.map(length)
        let scale = scales[0]
        guard scale > 1e-12, scale.isFinite, scales.allSatisfy({ abs($0 - scale) <= Self.scaleTolerance * scale })
        else {
            return nil
        }
        let unit = zip(columns, scales).map { $0 / $1 }
        guard abs(dot(unit[0], unit[1])) < 1e-3, abs(dot(unit[1], unit[2])) < 1e-3, abs(dot(unit[0], unit[2])) < 1e-3,
            dot(unit[0], cross(unit[1], unit[2])) > 0
        else { return nil }
        // Through a quaternion, so that what little the columns lean is gone.
        rotation = RotationMatrix(Quaternion(RotationMatrix(columns: unit[0], unit[1], unit[2])))
        translation = SIMD3(m[12], m[13], m[14])
        self.scale = scale
    }

    /// This placement seen from another one of the same space.
    func relative(to other: GLTFPlacement) -> GLTFPlacement {
        GLTFPlacement(
            translation: other.rotation.transposed * (translation - other.translation) / other.scale,
            rotation: other.rotation.transposed * rotation, scale: scale / other.scale)
    }

    /// What is placed so within this placement, seen from outside.
    func placing(_ inner: GLTFPlacement) -> GLTFPlacement {
        GLTFPlacement(
            translation: translation + scale * (rotation * inner.translation), rotation: rotation * inner.rotation,
            scale: scale * inner.scale)
    }

    /// The placement that undoes this one.
    var inverse: GLTFPlacement { GLTFPlacement.identity.relative(to: self) }
}

extension RotationMatrix {
    /// The rotation of four numbers in glTF's order; nil where their length is not 1.
    init?(xyzw q: some Collection<Double>) {
        let q = Array(q)
        let squares = q.reduce(0) { $0 + $1 * $1 }
        guard q.count == 4, abs(squares - 1) < 0.02 else { return nil }
        self.init(Quaternion(w: q[3], x: q[0], y: q[1], z: q[2]))
    }
}
