internal import SinewArrayFiles
internal import SinewBody

/// Acclaim's motion (`.amc`): for each frame its number, then a line per bone with the angles of its degrees of freedom.
///
/// Its skeleton is an `.asf` file: given, or beside it (`02_01.amc` with `02.asf`). The format does not hold the frame rate; CMU's is 120.
enum AMCReader {
    private static let framesPerSecond = 120.0
    /// CMU's bones: the wrist's own turn is the forearm's; what turns at the wrist is the hand, and there the fingers.
    private static let named: [(rig: String, smpl: String)] = [
        ("lwrist", ""), ("rwrist", ""), ("lhand", "left_wrist"), ("rhand", "right_wrist"), ("lfingers", "left_hand"),
        ("rfingers", "right_hand"),
    ]

    static func read(
        _ bytes: [UInt8], path: String, skeleton given: String?, named: [(rig: String, smpl: String)] = []
    ) throws(FormatError) -> RigClip {
        let asfPath: String
        if let given { asfPath = given } else { asfPath = try skeletonPath(beside: path) }
        let asf = try ASFSkeleton.read(
            rewording { () throws(ArrayFileError) in try FileContents.read(asfPath) }, path: asfPath)
        let isCMU =
            asf.index(of: "lwrist") != nil && asf.index(of: "lhand") != nil && asf.index(of: "lfingers") != nil
            && asf.index(of: "rwrist") != nil && asf.index(of: "rhand") != nil && asf.index(of: "rfingers") != nil
        let scale = asf.metresPerUnit
        let joints = asf.joints.map { RigSkeleton.Joint(name: $0.name, parent: $0.parent, offset: $0.offset * scale) }
        let (rig, mapping) = try RigClip.rig(joints, path: asfPath, named: (isCMU ? Self.named : []) + named)
        let frames = try frames(bytes, path: path, asf: asf, rig: rig, pelvis: mapping.rigJoints[0] ?? 0)
        return RigClip(rig: rig, mapping: mapping, frames: frames, framesPerSecond: framesPerSecond)
    }

    private static func frames(
        _ bytes: [UInt8], path: String, asf: ASFSkeleton, rig: RigSkeleton, pelvis: Int
    ) throws(FormatError) -> [RigPose] {
        var lines = AcclaimLines(bytes, path: path)
        var frames: [RigPose] = []
        let restOffsets = rig.joints.map(\.offset)
        var offsets = restOffsets
        var rotations = [RotationMatrix](repeating: .identity, count: rig.joints.count)
        var angleUnit = asf.angleUnit
        var isBegun = false
        func pose() -> RigPose { RigPose(of: rig, pelvis: pelvis, offsets: offsets, rotations: rotations) }
        while let line = lines.next() {
            if line.words[0].hasPrefix(":") {
                if line.words[0].lowercased() == ":radians" { angleUnit = 1 }
                if line.words[0].lowercased() == ":degrees" { angleUnit = .pi / 180 }
                continue
            }
            if line.words.count == 1, Int(line.words[0]) != nil {
                if isBegun { frames.append(pose()) }
                guard frames.count < RigClip.framesMax else {
                    throw lines.wrong("more than \(RigClip.framesMax) frames")
                }
                isBegun = true
                offsets = restOffsets
                rotations = [RotationMatrix](repeating: .identity, count: rig.joints.count)
                continue
            }
            guard isBegun else { throw lines.wrong("a frame number belongs before the first bone") }
            guard let index = asf.index(of: line.words[0]) else {
                throw lines.wrong("the skeleton has no bone \"\(line.words[0])\"; is it this motion's .asf?")
            }
            let bone = asf.bones[index]
            guard line.words.count == bone.freedoms.count + 1 else {
                throw lines.wrong(
                    "\"\(bone.name)\" has \(line.words.count - 1) numbers, its degrees of freedom are \(bone.freedoms.count)"
                )
            }
            var turned = RotationMatrix.identity
            for (place, freedom) in bone.freedoms.enumerated() {
                let value = try lines.number(line, place + 1)
                switch freedom {
                case .translationX: offsets[index].x += value * asf.metresPerUnit
                case .translationY: offsets[index].y += value * asf.metresPerUnit
                case .translationZ: offsets[index].z += value * asf.metresPerUnit
                case .rotationX: turned = ASFSkeleton.turn(0, value * angleUnit) * turned
                case .rotationY: turned = ASFSkeleton.turn(1, value * angleUnit) * turned
                case .rotationZ: turned = ASFSkeleton.turn(2, value * angleUnit) * turned
                case .length: break
                }
            }
            rotations[index] = bone.axes * turned * bone.axes.transposed
        }
        if isBegun { frames.append(pose()) }
        return frames
    }

    /// `02.asf` beside `02_01.amc`, `walk.asf` beside `walk.amc`, or the only one in the folder.
    private static func skeletonPath(beside path: String) throws(FormatError) -> String {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let file = String(path.split(separator: "/").last ?? "")
        let stem = file.lowercased().hasSuffix(".amc") ? String(file.dropLast(4)) : file
        let found = try FolderListing.files(of: folder.isEmpty ? "/" : folder, endingIn: ".asf")
        let names = [stem, String(stem.prefix { $0 != "_" })]
        for name in names {
            if let match = found.first(where: { $0.hasSuffix("/\(name).asf") }) { return match }
        }
        guard found.count == 1 else {
            throw FormatError(
                .missingFile,
                "\(path) is a motion without its skeleton: no \(names[1]).asf lies beside it; put it there, or say which with --rig"
            )
        }
        return found[0]
    }
}
