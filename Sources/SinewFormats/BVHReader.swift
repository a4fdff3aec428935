internal import SinewArrayFiles
internal import SinewBody

/// Biovision's hierarchy files: a tree of joints with offsets and channels, then one line of numbers per frame.
///
/// Joints have no rotation at rest. Channels may come in any order; rotations are applied in the order in which they stand, in degrees.
struct BVHReader {
    private enum Channel: String {
        case xPosition = "xposition"
        case yPosition = "yposition"
        case zPosition = "zposition"
        case xRotation = "xrotation"
        case yRotation = "yrotation"
        case zRotation = "zrotation"
    }

    /// A word of the file and the line it stands in.
    private struct Word {
        let text: Substring
        let line: Int
    }

    private let path: String
    private var words: [Word]
    private var position = 0
    private var joints: [RigSkeleton.Joint] = []
    private var channels: [[Channel]] = []

    static func read(
        _ bytes: [UInt8], path: String, named: [(rig: String, smpl: String)]
    ) throws(FormatError) -> RigClip {
        var reader = BVHReader(bytes, path: path)
        return try reader.clip(named: named)
    }

    private init(_ bytes: [UInt8], path: String) {
        self.path = path
        words = []
        // Joint names may hold blanks (Bip01 L Thigh); the lines are kept for them.
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            words += line.split(whereSeparator: \.isWhitespace).map { Word(text: $0, line: index + 1) }
        }
    }

    private mutating func clip(named: [(rig: String, smpl: String)]) throws(FormatError) -> RigClip {
        try expect("HIERARCHY")
        try expect("ROOT")
        try joint(parent: -1, depth: 0)
        try expect("MOTION")
        try expect("Frames:")
        let count = Int(try number("the number of frames"))
        guard (0...RigClip.framesMax).contains(count) else {
            throw wrong("it has \(count) frames; 0 to \(RigClip.framesMax) can be read")
        }
        try expect("Frame")
        try expect("Time:")
        let seconds = try number("the time of a frame")
        guard seconds > 0 else { throw wrong("the time of a frame is \(seconds) s") }
        let (rig, mapping) = try RigClip.rig(joints, path: path, named: named)
        var frames: [RigPose] = []
        for _ in 0..<count { frames.append(try frame(rig, pelvis: mapping.rigJoints[0] ?? 0)) }
        return RigClip(rig: rig, mapping: mapping, frames: frames, framesPerSecond: 1 / seconds)
    }

    /// A joint from its name to its closing brace.
    private mutating func joint(parent: Int, depth: Int) throws(FormatError) {
        guard depth < RigSkeleton.jointsMax, joints.count < RigSkeleton.jointsMax else {
            throw wrong("it has more than \(RigSkeleton.jointsMax) joints")
        }
        let own = joints.count
        let name = try name()
        try expect("{")
        try expect("OFFSET")
        let x = try number("an offset")
        let y = try number("an offset")
        let offset = SIMD3(x, y, try number("an offset"))
        joints.append(.init(name: name, parent: parent, offset: offset))
        channels.append([])
        if try peek("CHANNELS") {
            position += 1
            let count = Int(try number("the number of channels"))
            guard (0...6).contains(count) else { throw wrong("\"\(name)\" has \(count) channels; 0 to 6 are possible") }
            for _ in 0..<count {
                let word = try next("a channel")
                guard let channel = Channel(rawValue: word.text.lowercased()) else {
                    throw wrong("\"\(word.text)\" is no channel")
                }
                channels[own].append(channel)
            }
        }
        while try !peek("}") {
            if try peek("End") {
                position += 1
                try endSite()
            } else {
                try expect("JOINT")
                try joint(parent: own, depth: depth + 1)
            }
        }
        position += 1
    }

    /// The length of the last bone; nothing is turned there.
    private mutating func endSite() throws(FormatError) {
        try expect("Site")
        try expect("{")
        try expect("OFFSET")
        for _ in 0..<3 { _ = try number("an offset") }
        try expect("}")
    }

    private mutating func frame(_ rig: RigSkeleton, pelvis: Int) throws(FormatError) -> RigPose {
        var offsets: [SIMD3<Double>] = []
        var rotations: [RotationMatrix] = []
        for (index, joint) in rig.joints.enumerated() {
            var offset = joint.offset
            var rotation = RotationMatrix.identity
            for channel in channels[index] {
                let value = try number("a value of \"\(joint.name)\"")
                switch channel {
                case .xPosition: offset.x = value
                case .yPosition: offset.y = value
                case .zPosition: offset.z = value
                case .xRotation: rotation = rotation * Self.turn(SIMD3(1, 0, 0), value)
                case .yRotation: rotation = rotation * Self.turn(SIMD3(0, 1, 0), value)
                case .zRotation: rotation = rotation * Self.turn(SIMD3(0, 0, 1), value)
                }
            }
            offsets.append(offset)
            rotations.append(rotation)
        }
        return RigPose(of: rig, pelvis: pelvis, offsets: offsets, rotations: rotations)
    }

    private static func turn(_ axis: SIMD3<Double>, _ degrees: Double) -> RotationMatrix {
        RotationMatrix(AxisAngle(axis: axis, angle: degrees * .pi / 180))
    }

    private mutating func name() throws(FormatError) -> String {
        let first = try next("the name of a joint")
        var parts = [first.text]
        while position < words.count, words[position].line == first.line, words[position].text != "{" {
            parts.append(words[position].text)
            position += 1
        }
        return parts.joined(separator: " ")
    }

    private func peek(_ text: String) throws(FormatError) -> Bool {
        guard position < words.count else { throw wrong("it ends too early, before \(text)") }
        return words[position].text.lowercased() == text.lowercased()
    }

    private mutating func next(_ what: String) throws(FormatError) -> Word {
        guard position < words.count else { throw wrong("it ends too early, before \(what)") }
        position += 1
        return words[position - 1]
    }

    private mutating func expect(_ text: String) throws(FormatError) {
        let word = try next(text)
        guard word.text.lowercased() == text.lowercased() else {
            throw wrong("\(text) belongs here, not \"\(word.text)\"")
        }
    }

    private mutating func number(_ what: String) throws(FormatError) -> Double {
        let word = try next(what)
        guard let value = Double(word.text), value.isFinite, abs(value) < 1e9 else {
            throw wrong("\"\(word.text)\" is not \(what)")
        }
        return value
    }

    private func wrong(_ what: String) -> FormatError {
        let line = words.isEmpty ? 1 : words[min(max(0, position - 1), words.count - 1)].line
        return FormatError(.invalidData, "\(path), line \(line): \(what)")
    }
}
