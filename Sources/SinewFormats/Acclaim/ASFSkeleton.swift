internal import SinewBody

/// Acclaim's skeleton file (`.asf`): bones with direction, length, the axes they turn about, and their tree.
///
/// A bone turns about the end of its parent by `C · M · C⁻¹`: `C` the turn of its axes against the world at rest, `M` the motion's angles
/// about them. Lengths are in the unit that ``metresPerUnit`` says.
struct ASFSkeleton {
    /// A bone, or the root.
    struct Bone {
        let name: String
        /// From its start to its end at rest, in the file's unit and the world's axes.
        var reach = SIMD3<Double>.zero
        /// The axes that it turns about, against the world.
        var axes = RotationMatrix.identity
        /// The numbers that a frame has of it, in order.
        var freedoms: [Freedom] = []
        var parent = -1
    }
    /// A number of a frame.
    enum Freedom: String {
        case translationX = "tx"
        case translationY = "ty"
        case translationZ = "tz"
        case rotationX = "rx"
        case rotationY = "ry"
        case rotationZ = "rz"
        /// A change of the bone's length; it is read and not used.
        case length = "l"
    }

    /// The root first, parents before their children.
    private(set) var bones: [Bone] = []
    /// Where the root is at rest.
    private(set) var rootPosition = SIMD3<Double>.zero
    /// The lengths' factor: Acclaim writes inches divided by it (CMU: 0.45).
    private(set) var lengthFactor = 1.0
    /// Radians of one unit of angle.
    private(set) var angleUnit = Double.pi / 180

    /// Metres of one unit of length, as CMU documents it.
    var metresPerUnit: Double { 0.0254 / lengthFactor }

    /// The joints as a rig: a bone's joint is where it starts, without rotation at rest.
    var joints: [RigSkeleton.Joint] {
        bones.map { bone in
            .init(
                name: bone.name, parent: bone.parent,
                offset: bone.parent < 0 ? rootPosition : bones[bone.parent].reach)
        }
    }

    static func read(_ bytes: [UInt8], path: String) throws(FormatError) -> ASFSkeleton {
        var lines = AcclaimLines(bytes, path: path)
        return try ASFSkeleton(&lines)
    }

    private init(_ lines: inout AcclaimLines) throws(FormatError) {
        bones = [Bone(name: "root")]
        var hasTree = false
        while let line = lines.next() {
            switch line.words[0].lowercased() {
            case ":units": try readUnits(&lines)
            case ":root": try readRoot(&lines)
            case ":bonedata": while let bone = try Self.bone(&lines, angleUnit) { bones.append(bone) }
            case ":hierarchy":
                try readHierarchy(&lines)
                hasTree = true
            default: break  // Version, name, documentation and skin say nothing of the motion.
            }
        }
        guard hasTree, bones.count > 1 else {
            throw lines.wrong("it has no bones or no :hierarchy; is this an .asf file?")
        }
        guard bones.count <= RigSkeleton.jointsMax else {
            throw lines.wrong("it has more than \(RigSkeleton.jointsMax) bones")
        }
        try sortByTree(lines)
    }

    private mutating func readUnits(_ lines: inout AcclaimLines) throws(FormatError) {
        while let line = lines.nextOfSection() {
            if line.words[0] == "length" {
                lengthFactor = try lines.number(line, 1)
                guard lengthFactor > 0 else { throw lines.wrong("the unit of length is \(lengthFactor)") }
            }
            if line.words[0] == "angle" { angleUnit = line.words.last?.lowercased() == "rad" ? 1 : .pi / 180 }
        }
    }

    private mutating func readRoot(_ lines: inout AcclaimLines) throws(FormatError) {
        var order = "XYZ"
        var orientation = SIMD3<Double>.zero
        while let line = lines.nextOfSection() {
            switch line.words[0].lowercased() {
            case "order": bones[0].freedoms = try Self.freedoms(line, lines)
            case "axis": order = String(line.words.last ?? "XYZ")
            case "position": rootPosition = try lines.vector(line, 1)
            case "orientation": orientation = try lines.vector(line, 1)
            default: throw lines.wrong("\"\(line.words[0])\" is not known of the root")
            }
        }
        bones[0].axes = try Self.turn(order, orientation * angleUnit, lines)
    }

    /// One bone from `begin` to `end`; nil at the end of the section.
    private static func bone(_ lines: inout AcclaimLines, _ angleUnit: Double) throws(FormatError) -> Bone? {
        guard let begin = lines.nextOfSection() else { return nil }
        guard begin.words[0] == "begin" else { throw lines.wrong("begin belongs here, not \"\(begin.words[0])\"") }
        var name = ""
        var axes = RotationMatrix.identity
        var heading = SIMD3<Double>.zero
        var length = 0.0
        var freedoms: [Freedom] = []
        while true {
            guard let line = lines.nextOfSection() else { throw lines.wrong("a bone has no end") }
            switch line.words[0].lowercased() {
            case "name": name = String(line.words.last ?? "")
            case "direction": heading = try lines.vector(line, 1)
            case "length": length = try lines.number(line, 1)
            case "axis": axes = try turn(String(line.words.last ?? ""), lines.vector(line, 1) * angleUnit, lines)
            case "dof": freedoms = try Self.freedoms(line, lines)
            case "end":
                guard let along = direction(heading) ?? (length == 0 ? .zero : nil), !name.isEmpty else {
                    throw lines.wrong("the bone \"\(name)\" has no name or no direction")
                }
                return Bone(name: name, reach: along * length, axes: axes, freedoms: freedoms)
            default: break  // id, limits and mass say nothing of the motion.
            }
        }
    }

    private mutating func readHierarchy(_ lines: inout AcclaimLines) throws(FormatError) {
        while let line = lines.nextOfSection() {
            if ["begin", "end"].contains(line.words[0]) { continue }
            guard let parent = index(of: line.words[0]) else {
                throw lines.wrong("there is no bone \"\(line.words[0])\"")
            }
            for word in line.words.dropFirst() {
                guard let child = index(of: word), child > 0, bones[child].parent < 0 else {
                    throw lines.wrong("\"\(word)\" is no bone, or has a parent already")
                }
                bones[child].parent = parent
            }
        }
    }

    /// Puts parents before their children.
    private mutating func sortByTree(_ lines: AcclaimLines) throws(FormatError) {
        var order = [0]
        var next = 0
        while next < order.count {
            order += bones.indices.filter { $0 > 0 && bones[$0].parent == order[next] }
            next += 1
        }
        guard order.count == bones.count else {
            let lost = bones.indices.first { !order.contains($0) } ?? 0
            throw lines.wrong("the bone \"\(bones[lost].name)\" does not hang on the root")
        }
        let sorted = order.map { index in
            var bone = bones[index]
            bone.parent = bone.parent < 0 ? -1 : order.firstIndex(of: bone.parent) ?? 0
            return bone
        }
        bones = sorted
    }

    func index(of name: Substring) -> Int? { bones.firstIndex { $0.name == name } }

    private static func freedoms(_ line: AcclaimLines.Line, _ lines: AcclaimLines) throws(FormatError) -> [Freedom] {
        var found: [Freedom] = []
        for word in line.words.dropFirst() {
            guard let freedom = Freedom(rawValue: word.lowercased()), !found.contains(freedom) else {
                throw lines.wrong("\"\(word)\" is no degree of freedom, or stands there twice")
            }
            found.append(freedom)
        }
        return found
    }

    /// Angles about x, y and z, the first letter of the order first.
    private static func turn(
        _ order: String, _ angles: SIMD3<Double>, _ lines: AcclaimLines
    ) throws(FormatError) -> RotationMatrix {
        var rotation = RotationMatrix.identity
        guard order.count == 3, Set(order.uppercased()) == ["X", "Y", "Z"] else {
            throw lines.wrong("the order of axes is \"\(order)\"; a permutation of XYZ is needed")
        }
        for letter in order.uppercased() {
            let axis = letter == "X" ? 0 : letter == "Y" ? 1 : 2
            rotation = Self.turn(axis, angles[axis]) * rotation
        }
        return rotation
    }

    /// A turn about one of the axes, radians.
    static func turn(_ axis: Int, _ angle: Double) -> RotationMatrix {
        var unit = SIMD3<Double>.zero
        unit[axis] = 1
        return RotationMatrix(AxisAngle(axis: unit, angle: angle))
    }
}
