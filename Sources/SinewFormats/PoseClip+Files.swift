internal import SinewArrayFiles
package import SinewBody

extension PoseClip {
    /// What the caller knows better than a file of poses.
    package struct Options: Sendable {
        /// Which way is up in the file; nil reads it there or finds it out.
        package var upAxis: UpAxis?
        /// What the file is; nil tells it by its content.
        package var format: PoseFileFormat?
        /// The `.asf` file of an `.amc` file; nil looks beside it.
        package var rigPath: String?
        /// SMPL joint names by a rig's names.
        package var named: [(rig: String, smpl: String)] = []
        /// The body that a rig's motion is carried to.
        package var gender = Gender.neutral
        /// Its shape.
        package var betas = [Float](repeating: 0, count: 10)

        package init() {}
    }

    /// Whether a file holds poses (rotations), so that ``readAll(path:options:)`` reads it; otherwise it may hold joints.
    package static func isRead(path: String, format: PoseFileFormat? = nil) throws(FormatError) -> Bool {
        let file = try file(path, format)
        switch file.format {
        case .npz:
            return try rewording { () throws(ArrayFileError) in
                try NPZFile(bytes: file.bytes, path: path).contains("poses")
            }
        case .jsonLines: return try !PoseLines.hasOnlyJoints(file)
        case .coco: return file.json?["annotations"]?.array?.contains { $0["smpl"] != nil } ?? false
        case .bvh, .amc, .gltf, .rig: return true
        case .openPose, .easyMocap, .mmPose, .trc: return false
        }
    }

    /// Reads the poses of everybody in a file: AMASS's `.npz`, our JSON lines and COCO with `smpl`, or the motion of a rig carried to a
    /// body.
    ///
    /// Poses come back in metres, y up. What a file does not say of its axes is found out: people mostly stand.
    /// - Throws: ``FormatError`` with the file and where in it.
    package static func readAll(path: String, options: Options = Options()) throws(FormatError) -> [PoseClip] {
        let file = try file(path, options.format)
        switch file.format {
        case .npz: return [try amass(file, options)]
        case .jsonLines: return try PoseLines.clips(lines: file, options)
        case .coco: return try PoseLines.clips(coco: file, options)
        case .bvh, .amc, .gltf, .rig: return [try rig(file, options)]
        case .openPose, .easyMocap, .mmPose, .trc:
            throw FormatError(
                .invalidData,
                "\(path) is \(file.format.name): it holds joints, no rotations; sinew solve makes poses of them",
                field: "poses")
        }
    }

    private static func file(_ path: String, _ format: PoseFileFormat?) throws(FormatError) -> PoseFile {
        let bytes = try rewording { () throws(ArrayFileError) in try FileContents.read(path) }
        return try PoseFile(path: path, bytes: bytes, declared: format)
    }

    private static func amass(_ file: PoseFile, _ options: Options) throws(FormatError) -> PoseClip {
        var clip = try PoseClip.read(path: file.path)
        let archive = try rewording { () throws(ArrayFileError) in try NPZFile(bytes: file.bytes, path: file.path) }
        func text(_ name: String) throws(FormatError) -> String? {
            guard archive.contains(name) else { return nil }
            return try rewording(field: name, path: file.path) { () throws(ArrayFileError) in
                try archive.array(name).strings().first
            }
        }
        if let name = try text("track") { clip.name = name }
        if archive.contains("solved") {
            let solved = try rewording(field: "solved", path: file.path) { () throws(ArrayFileError) in
                try archive.array("solved").ints()
            }
            clip.keepFrames(solved.indices.filter { solved[$0] != 0 })
        }
        try clip.checkAngles(file.path)
        let declared = try text("up_axis").flatMap(UpAxis.init(named:))
        try clip.turnUpright(declared: options.upAxis ?? declared)
        return clip
    }

    private static func rig(_ file: PoseFile, _ options: Options) throws(FormatError) -> PoseClip {
        var rig = try RigClip.read(file, skeleton: options.rigPath)
        if !options.named.isEmpty {
            rig.mapping = try RigClip.rig(rig.rig.joints, path: file.path, named: options.named).1
        }
        guard !rig.frames.isEmpty else {
            throw FormatError(.invalidData, "\(file.path) holds a rig but no motion of it")
        }
        let rest = try RestPelvis.joints(options.gender, betas: options.betas)
        let retargeting: Retargeting
        do throws(BodyError) {
            retargeting = try Retargeting(rig: rig.rig, mapping: rig.mapping, restJoints: rest)
        } catch {
            throw FormatError(.invalidData, "\(file.path): \(error.message)")
        }
        var clip = PoseClip(
            theta: [], translation: [], betas: options.betas, gender: options.gender,
            framesPerSecond: rig.framesPerSecond)
        // Acclaim's files say their unit, so the person walks as far as it did; other rigs are taken as tall as the body.
        let scale = file.format == .amc ? 1 / retargeting.metresPerUnit : 1
        for frame in rig.frames {
            var pose = retargeting.humanPose(of: frame)
            pose.pelvis *= scale
            clip.append(pose, restJoints: rest)
        }
        clip.notes = ["\(file.path): \(file.format.name), carried to the \(options.gender.rawValue) body"]
        return clip
    }

    /// Refuses what can be no rotation vectors in radians.
    private func checkAngles(_ path: String) throws(FormatError) {
        for joint in 0..<(count * Skeleton.rotationCount) {
            let angle = AxisAngle(theta.vector(at: joint * 3)).angle
            guard angle > 4 * .pi else { continue }
            throw FormatError(
                .invalidData,
                "\(path), frame \(joint / Skeleton.rotationCount): \(Skeleton.smpl24.jointNames[joint % Skeleton.rotationCount]) is "
                    + "turned by \(angle) rad, more than two turns; poses are axis-angle in radians: convert degrees or Euler angles "
                    + "first", field: "poses")
        }
    }

    /// Turns the people upright.
    mutating func turnUpright(declared: UpAxis?) throws(FormatError) {
        let found = standing
        let axis = declared ?? found ?? .plusY
        if let declared, let found, declared != found {
            notes.append(
                "\(declared.rawValue) is declared as up, but people stand along \(found.rawValue); the declaration was followed, type "
                    + "--up-axis=\(found.rawValue) if it is wrong")
        }
        guard axis != .plusY else { return }
        if declared == nil {
            notes.append("no up_axis is declared; people stand along \(axis.rawValue), so that was taken as up")
        }
        notes.append("\(axis.rawValue) was up: \(axis.conversion)")
        let turn = axis.rotationToModelFrame
        let restPelvis = try RestPelvis.of(gender, betas: betas)
        for frame in 0..<count {
            let root = RotationMatrix(AxisAngle(theta.vector(at: frame * 72)))
            theta.store(AxisAngle(turn * root).vector, at: frame * 72)
            // SMPL turns about the pelvis, which is not where trans is.
            let pelvis = translation.vector(at: frame * 3) + restPelvis
            translation.store(turn * pelvis - restPelvis, at: frame * 3)
        }
    }

    /// The axis that people stand along, from the turn of the pelvis; nil in a clip of less than ten frames, or where they mostly do not
    /// stand.
    private var standing: UpAxis? {
        guard count >= 10 else { return nil }
        var sum = SIMD3<Double>.zero
        for frame in 0..<count { sum += RotationMatrix(AxisAngle(theta.vector(at: frame * 72))) * SIMD3(0, 1, 0) }
        let mean = sum / Double(count)
        return UpAxis.allCases.filter { $0 != .plusY }.first { dot(mean, $0.direction) >= 0.7 }
            ?? (dot(mean, UpAxis.plusY.direction) >= 0.5 ? .plusY : nil)
    }
}

extension PoseOutput {
    /// Poses that nobody graded, for writing; the joints are those of the bundled bodies.
    package init(_ clips: [PoseClip], model: String = "") throws(FormatError) {
        var tracks: [Track] = []
        for clip in clips {
            var track = Track(name: clip.name, gender: clip.gender)
            track.frames = clip.frameNumbers
            track.theta = clip.theta
            track.translation = clip.translation
            track.betas = (0..<clip.count).flatMap { _ in clip.betas }
            track.joints = try clip.joints()
            tracks.append(track)
        }
        self.init(tracks: tracks, framesPerSecond: clips.first?.framesPerSecond, model: model)
    }
}

extension PoseClip {
    /// Where the 29 joints of the bundled body are, `[T, 29, 3]` metres.
    package func joints() throws(FormatError) -> [Float] {
        let rest = try RestPelvis.joints(gender, betas: betas)
        var joints: [Float] = []
        joints.reserveCapacity(count * 87)
        for frame in 0..<count {
            var rotations = [Float](repeating: 0, count: 216)
            for joint in 0..<24 {
                RotationMatrix(AxisAngle(theta.vector(at: frame * 72 + joint * 3))).write(
                    into: &rotations, at: joint * 9)
            }
            let posed = ForwardKinematics.pose(rotations: rotations, restJoints: rest).joints
            for index in posed.indices { joints.append(posed[index] + translation[frame * 3 + index % 3]) }
        }
        return joints
    }

    /// The joints of several people as observations, one track each; everything is seen.
    package static func observations(_ clips: [PoseClip], path: String) throws(FormatError) -> PoseInput {
        var raw = RawPeople(path: path, skeleton: .smpl29)
        raw.unit = .metres
        raw.upAxis = .plusY
        raw.framesPerSecond = clips.first?.framesPerSecond
        for (track, clip) in clips.enumerated() {
            raw.trackNames.append(clip.name)
            raw.joints += try clip.joints()
            raw.tracks += [Int](repeating: track, count: clip.count)
            raw.frames += clip.frameNumbers
            raw.places += clip.frameNumbers.map { "frame \($0) of \(clip.name)" }
            raw.genders += [Gender](repeating: clip.gender, count: clip.count)
            raw.betas += (0..<clip.count).flatMap { _ in clip.betas }
        }
        let count = raw.count
        raw.observed = [Bool](repeating: true, count: count * 29)
        raw.certainty = [RawPeople.Certainty](repeating: .sigma, count: count)
        raw.certaintyValues = [Float](repeating: 0, count: count * 29)
        raw.twists = [Float](repeating: 0, count: count * 23)
        raw.hasTwists = [Bool](repeating: false, count: count)
        return try PoseInput(checking: raw, options: PoseInput.Options(upAxis: .plusY))
    }
}
