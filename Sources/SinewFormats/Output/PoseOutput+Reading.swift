internal import SinewArrayFiles
internal import SinewBody

extension PoseOutput {
    /// Reads solved poses back: `.npz` and JSON lines as ``write(to:layout:)`` makes them, with every measure of quality; of other files
    /// of poses (AMASS's, BVH, …) what ``PoseClip/readAll(path:options:)`` reads, with nothing measured (``Track/isSolved`` is empty).
    ///
    /// - Throws: ``FormatError`` with the file, the field and the frame.
    /// - Cost: the whole file in memory, and the poses beside it.
    package static func read(path: String) throws(FormatError) -> PoseOutput {
        let bytes = try rewording { () throws(ArrayFileError) in try FileContents.read(path) }
        let file = try PoseFile(path: path, bytes: bytes)
        switch file.format {
        case .npz:
            let archive = try rewording { () throws(ArrayFileError) in try NPZFile(bytes: bytes, path: path) }
            if try ArchivedPoses.isWhole(archive) { return try ArchivedPoses(archive).output() }
        case .jsonLines: if let output = try PoseLines.output(file) { return output }
        case .openPose, .easyMocap, .coco, .mmPose, .trc, .bvh, .amc, .gltf, .rig: break
        }
        return try PoseOutput(PoseClip.readAll(path: path))
    }

    /// Whether every row has its measures of quality.
    package var isMeasured: Bool { tracks.allSatisfy { $0.isSolved.count == $0.frames.count } }
}

/// The `.npz` of one track as ``PoseOutput`` writes it.
private struct ArchivedPoses {
    private let archive: NPZFile
    private let clip: PoseClip

    /// Whether an archive has the solved joints and the measures, in our own frame.
    static func isWhole(_ archive: NPZFile) throws(FormatError) -> Bool {
        guard ["poses", "solved", "joints3d", "joint_residual_mm", "skeleton"].allSatisfy(archive.contains) else {
            return false
        }
        func word(_ name: String) throws(FormatError) -> String? {
            guard archive.contains(name) else { return nil }
            return try rewording(field: name, path: archive.path) { () throws(ArrayFileError) in
                try archive.array(name).strings().first
            }
        }
        let (skeleton, unit, axis) = (try word("skeleton"), try word("unit"), try word("up_axis"))
        return skeleton == Skeleton.smpl29.name && unit.map { LengthUnit(named: $0) == .metres } ?? true
            && axis.map { UpAxis(named: $0) == .plusY } ?? true
    }

    init(_ archive: NPZFile) throws(FormatError) {
        self.archive = archive
        clip = try PoseClip.read(path: archive.path)
    }

    func output() throws(FormatError) -> PoseOutput {
        var track = PoseOutput.Track(name: try text("track") ?? clip.name, gender: clip.gender)
        let shape = try floats("betas_per_frame", columns: 10, isOptional: true)
        track.frames = clip.frameNumbers
        track.theta = clip.theta
        track.translation = clip.translation
        track.joints = try floats("joints3d", columns: 87)
        track.betas = shape.isEmpty ? (0..<clip.count).flatMap { _ in clip.betas } : shape
        track.latentNorm = try measure("latent_norm")
        track.jointResidualMillimetres = try measure("joint_residual_mm")
        track.orientationResidualRadians = try measure("orientation_residual_rad")
        track.boneLengthChange = try measure("bone_length_change")
        track.unobservedJoints = try counts("unobserved_joints", 0...Skeleton.positionCount)
        track.outcome = try counts("outcome", 0...2)
        track.isSolved = try counts("solved", 0...1).map { $0 != 0 }
        track.corrections = try corrections()
        return PoseOutput(
            tracks: [track], framesPerSecond: clip.framesPerSecond, model: try text("model") ?? "")
    }

    private func corrections() throws(FormatError) -> [Int: PoseOutput.Correction] {
        guard archive.contains("corrected_joints"), archive.contains("corrected_by") else { return [:] }
        let sets = try counts("corrected_joints", 0...(1 << Skeleton.rotationCount - 1))
        let models = try rewording(field: "corrected_by", path: archive.path) { () throws(ArrayFileError) in
            try archive.array("corrected_by").strings()
        }
        guard models.count == clip.count else {
            throw wrong("corrected_by", "does not have one name for each of \(clip.count) frames")
        }
        var corrections: [Int: PoseOutput.Correction] = [:]
        for row in sets.indices {
            corrections[row] = PoseOutput.Correction(jointSet: Int(sets[row]), model: models[row])
        }
        return corrections
    }

    private func text(_ name: String) throws(FormatError) -> String? {
        guard archive.contains(name) else { return nil }
        return try rewording(field: name, path: archive.path) { () throws(ArrayFileError) in
            try archive.array(name).strings().first
        }
    }

    /// One number per frame; zeros where an older file has none.
    private func measure(_ name: String) throws(FormatError) -> [Float] {
        let found = try floats(name, columns: 1, isOptional: true)
        return found.isEmpty ? [Float](repeating: 0, count: clip.count) : found
    }

    private func floats(_ name: String, columns: Int, isOptional: Bool = false) throws(FormatError) -> [Float] {
        if isOptional, !archive.contains(name) { return [] }
        let values = try rewording(field: name, path: archive.path) { () throws(ArrayFileError) in
            try archive.array(name).floats()
        }
        guard values.count == clip.count * columns else {
            throw wrong(name, "has \(values.count) numbers for \(clip.count) frames; each has \(columns)")
        }
        guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return values }
        throw wrong(name, "holds \(values[bad]) at row \(bad / columns); solve the clip again")
    }

    private func counts(_ name: String, _ range: ClosedRange<Int>) throws(FormatError) -> [Int32] {
        guard archive.contains(name) else { return [Int32](repeating: 0, count: clip.count) }
        let values = try rewording(field: name, path: archive.path) { () throws(ArrayFileError) in
            try archive.array(name).ints()
        }
        guard values.count == clip.count, values.allSatisfy(range.contains) else {
            throw wrong(
                name, "is not one number of \(range.lowerBound)…\(range.upperBound) for each of \(clip.count) frames")
        }
        return values.map { Int32($0) }
    }

    private func wrong(_ name: String, _ what: String) -> FormatError {
        FormatError(.invalidData, "\(archive.path): \(name) \(what)", field: name)
    }
}
