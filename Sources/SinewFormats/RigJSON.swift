internal import SinewArrayFiles
internal import SinewBody

/// Rigs and motions as JSON; the form is described in ``RigClip``.
enum RigJSON {
    static func read(
        _ bytes: [UInt8], path: String, named: [(rig: String, smpl: String)]
    ) throws(FormatError) -> RigClip {
        let json = try rewording { () throws(ArrayFileError) in try JSONValue.parse(bytes[...], name: path) }
        guard let listed = json["joints"]?.array else { throw wrong(path, "\"joints\" is not a list of joints") }
        var names: [String] = []
        var joints: [RigSkeleton.Joint] = []
        for (index, value) in listed.enumerated() {
            let place = "joint \(index)"
            guard let name = value["name"]?.string else { throw wrong(path, "\(place): \"name\" is not text") }
            var parent = -1
            switch value["parent"] {
            case nil, .null: break
            case .string(let above):
                guard let known = names.firstIndex(of: above) else {
                    throw wrong(path, "joint \"\(name)\": its parent \"\(above)\" does not come before it")
                }
                parent = known
            case .bool, .integer, .number, .array, .object:
                throw wrong(path, "joint \"\(name)\": \"parent\" is neither a name nor null")
            }
            let offset = try numbers(value["offset"], 3, path, "joint \"\(name)\": \"offset\"")
            var rotation = RotationMatrix.identity
            if let given = value["rotation"] {
                rotation = try self.rotation(given, path, "joint \"\(name)\": \"rotation\"")
            }
            names.append(name)
            joints.append(
                .init(
                    name: name, parent: parent, offset: SIMD3(offset[0], offset[1], offset[2]), restRotation: rotation))
        }
        let (rig, mapping) = try RigClip.rig(joints, path: path, named: named)
        var rate = 30.0
        if let given = json["fps"] {
            guard let value = given.double, value > 0, value.isFinite else {
                throw wrong(path, "\"fps\" is not a number above 0")
            }
            rate = value
        }
        var frames: [RigPose] = []
        if let given = json["frames"] {
            guard let listed = given.array, listed.count <= RigClip.framesMax else {
                throw wrong(path, "\"frames\" is not a list of at most \(RigClip.framesMax) frames")
            }
            for (index, value) in listed.enumerated() {
                frames.append(try frame(value, jointCount: joints.count, path, "frame \(index)"))
            }
        }
        return RigClip(rig: rig, mapping: mapping, frames: frames, framesPerSecond: rate)
    }

    static func text(of clip: RigClip) -> String {
        let joints = clip.rig.joints.map { joint in
            JSONValue.object([
                .init("name", .string(joint.name)),
                .init("parent", joint.parent < 0 ? .null : .string(clip.rig.joints[joint.parent].name)),
                .init("offset", vector(joint.offset)), .init("rotation", quaternion(joint.restRotation)),
            ])
        }
        let frames = clip.frames.map { frame in
            JSONValue.object([
                .init("pelvis", vector(frame.pelvisOffset)),
                .init("rotations", .array(frame.rotations.map(quaternion))),
            ])
        }
        return JSONValue.object([
            .init("joints", .array(joints)), .init("fps", .number(clip.framesPerSecond)),
            .init("frames", .array(frames)),
        ]).encoded() + "\n"
    }

    private static func frame(
        _ value: JSONValue, jointCount: Int, _ path: String, _ place: String
    ) throws(FormatError) -> RigPose {
        let pelvis = try numbers(value["pelvis"], 3, path, "\(place): \"pelvis\"")
        guard let listed = value["rotations"]?.array, listed.count == jointCount else {
            throw wrong(path, "\(place): \"rotations\" is not a list of \(jointCount) quaternions, one for each joint")
        }
        var rotations: [RotationMatrix] = []
        for (joint, given) in listed.enumerated() {
            rotations.append(try rotation(given, path, "\(place), joint \(joint): the rotation"))
        }
        return RigPose(rotations: rotations, pelvisOffset: SIMD3(pelvis[0], pelvis[1], pelvis[2]))
    }

    private static func rotation(
        _ value: JSONValue, _ path: String, _ place: String
    ) throws(FormatError) -> RotationMatrix {
        let q = try numbers(value, 4, path, place)
        let squares = q.reduce(0) { $0 + $1 * $1 }
        guard abs(squares - 1) < 0.01 else {
            throw wrong(path, "\(place) is no unit quaternion (w, x, y, z): its length is \(squares.squareRoot())")
        }
        return RotationMatrix(Quaternion(w: q[0], x: q[1], y: q[2], z: q[3]))
    }

    private static func numbers(
        _ value: JSONValue?, _ count: Int, _ path: String, _ place: String
    ) throws(FormatError) -> [Double] {
        let found = value?.array?.compactMap(\.double) ?? []
        guard found.count == count, value?.array?.count == count, found.allSatisfy(\.isFinite) else {
            throw wrong(path, "\(place) is not a list of \(count) numbers")
        }
        return found
    }

    private static func wrong(_ path: String, _ what: String) -> FormatError {
        FormatError(.invalidData, "\(path): \(what)")
    }

    private static func vector(_ v: SIMD3<Double>) -> JSONValue { .array([.number(v.x), .number(v.y), .number(v.z)]) }

    private static func quaternion(_ matrix: RotationMatrix) -> JSONValue {
        let q = Quaternion(matrix)
        return .array([.number(q.w), .number(q.imaginary.x), .number(q.imaginary.y), .number(q.imaginary.z)])
    }
}
