internal import SinewArrayFiles
internal import SinewBody

/// The layouts of AMASS's releases.
package enum AMASSLayout: String, CaseIterable, Sendable {
    /// `poses` `(T, 72)`, y up, with our own arrays beside it.
    case smpl
    /// SMPL+H as AMASS has it: `poses` `(T, 156)`, 16 betas, z up; what aitviewer and the SMPL-H add-ons load.
    case smplh
    /// SMPL-X as AMASS has it: `poses` `(T, 165)`, 16 betas, z up; what the SMPL-X Blender add-on loads.
    case smplx

    /// Joints with a rotation.
    var rotationCount: Int {
        switch self {
        case .smpl: 24
        case .smplh: 52
        case .smplx: 55
        }
    }

    /// AMASS's arrays and nothing else; fingers, jaw and eyes stay at rest, because nothing is known of them.
    func archive(of track: PoseOutput.Track, _ output: PoseOutput) throws(FormatError) -> NPZWriter {
        let count = track.frames.count
        let betas = track.betasOfAll.mean
        let restPelvis = try RestPelvis.of(track.gender, betas: betas)
        var poses = [Float](repeating: 0, count: count * rotationCount * 3)
        var translation = track.translation
        for frame in 0..<count {
            let isSolved = track.isSolved.isEmpty || track.isSolved[frame]
            for index in 0..<66 { poses[frame * rotationCount * 3 + index] = track.theta[frame * 72 + index] }
            guard isSolved else { continue }
            let root = RotationMatrix(AxisAngle(track.theta.vector(at: frame * 72)))
            poses.store(AxisAngle(UpAxis.plusZ.rotationFromModelFrame * root).vector, at: frame * rotationCount * 3)
            let pelvis = track.translation.vector(at: frame * 3) + restPelvis
            translation.store(UpAxis.plusZ.rotationFromModelFrame * pelvis - restPelvis, at: frame * 3)
        }
        let rate = output.framesPerSecond ?? PoseOutput.framesPerSecondAssumed
        var writer = NPZWriter()
        writer.add("poses", .float32(poses, shape: [count, rotationCount * 3]))
        writer.add("trans", .float32(translation, shape: [count, 3]))
        writer.add("betas", .float32(betas + [Float](repeating: 0, count: 6), shape: [16]))
        writer.add("gender", .strings([track.gender.rawValue], shape: []))
        for name in ["mocap_framerate", "mocap_frame_rate"] { writer.add(name, .float64([rate], shape: [])) }
        writer.add("up_axis", .strings([UpAxis.plusZ.rawValue], shape: []))
        writer.add("track", .strings([track.name], shape: []))
        switch self {
        case .smpl: break
        case .smplh: writer.add("dmpls", .float32([Float](repeating: 0, count: count * 8), shape: [count, 8]))
        case .smplx:
            writer.add("surface_model_type", .strings(["smplx"], shape: []))
            writer.add("mocap_time_length", .float64([Double(count) / rate], shape: []))
            func columns(_ range: Range<Int>) -> NDArray {
                .float32(
                    (0..<count).flatMap { poses[($0 * 165 + range.lowerBound)..<($0 * 165 + range.upperBound)] },
                    shape: [count, range.count])
            }
            writer.add("root_orient", columns(0..<3))
            writer.add("pose_body", columns(3..<66))
            writer.add("pose_jaw", columns(66..<69))
            writer.add("pose_eye", columns(69..<75))
            writer.add("pose_hand", columns(75..<165))
        }
        return writer
    }
}

/// Where the pelvis of a body is at rest; SMPL turns the body about it.
enum RestPelvis {
    static func of(_ gender: Gender, betas: [Float]) throws(FormatError) -> SIMD3<Double> {
        try joints(gender, betas: betas).vector(at: 0)
    }

    /// The 29 joints at rest.
    static func joints(_ gender: Gender, betas: [Float]) throws(FormatError) -> [Float] {
        do throws(BodyError) {
            return try BodyModel.bundled(gender).restJoints(betas: betas)
        } catch {
            throw FormatError(.io, error.message)
        }
    }
}

extension PoseOutput.Track {
    /// One shape for all frames, the mean of theirs, and whether they agree.
    var betasOfAll: (mean: [Float], areConstant: Bool) {
        let count = frames.count
        guard count > 0 else { return ([Float](repeating: 0, count: 10), true) }
        let first = Array(betas.prefix(10))
        if (0..<count).allSatisfy({ Array(betas[($0 * 10)..<($0 * 10 + 10)]) == first }) { return (first, true) }
        let mean = (0..<10).map { beta in
            (0..<count).reduce(Float(0)) { $0 + betas[$1 * 10 + beta] } / Float(count)
        }
        return (mean, false)
    }
}

extension PoseOutput {
    func archive(of track: Track, _ layout: AMASSLayout) throws(FormatError) -> NPZWriter {
        guard layout == .smpl else { return try layout.archive(of: track, self) }
        let count = track.frames.count
        var writer = NPZWriter()
        writer.add("poses", .float32(track.theta, shape: [count, 72]))
        writer.add("trans", .float32(track.translation, shape: [count, 3]))
        let betas = track.betasOfAll
        writer.add("betas", .float32(betas.mean, shape: [10]))
        // AMASS knows one shape per file: the mean, and the rows beside it.
        if !betas.areConstant { writer.add("betas_per_frame", .float32(track.betas, shape: [count, 10])) }
        writer.add("gender", .strings([track.gender.rawValue], shape: []))
        // AMASS's first release and its SMPL-X release spell it differently; readers look for one of them.
        for name in ["mocap_framerate", "mocap_frame_rate"] {
            writer.add(name, .float64([framesPerSecond ?? Self.framesPerSecondAssumed], shape: []))
        }
        writer.add("frame", .int64(track.frames, shape: [count]))
        writer.add("track", .strings([track.name], shape: []))
        writer.add("joints3d", .float32(track.joints, shape: [count, 29, 3]))
        writer.add("skeleton", .strings([Skeleton.smpl29.name], shape: []))
        writer.add("unit", .strings([LengthUnit.metres.rawValue], shape: []))
        writer.add("up_axis", .strings([UpAxis.plusY.rawValue], shape: []))
        if !track.corrections.isEmpty {
            let rows = (0..<count).map { track.corrections[$0] }
            writer.add("corrected_joints", .int32(rows.map { $0?.jointSet ?? 0 }, shape: [count]))
            writer.add("corrected_by", .strings(rows.map { $0?.model ?? "" }, shape: [count]))
        }
        guard track.isSolved.count == count else { return writer }
        writer.add("latent_norm", .float32(track.latentNorm, shape: [count]))
        writer.add("joint_residual_mm", .float32(track.jointResidualMillimetres, shape: [count]))
        writer.add("orientation_residual_rad", .float32(track.orientationResidualRadians, shape: [count]))
        writer.add("bone_length_change", .float32(track.boneLengthChange, shape: [count]))
        writer.add("unobserved_joints", .int32(track.unobservedJoints, shape: [count]))
        writer.add("outcome", .int32(track.outcome, shape: [count]))
        writer.add("solved", .bool(track.isSolved, shape: [count]))
        writer.add("model", .strings([model], shape: []))
        return writer
    }
}

extension PoseOutput.Correction {
    /// Bit `j` is set where joint `j` was moved.
    var jointSet: Int32 { joints.reduce(0) { $0 | 1 << Int32($1) } }

    /// The correction that a file tells of; nil where no joint was moved.
    init?(jointSet: Int, model: String) {
        let joints = (0..<Skeleton.rotationCount).filter { jointSet & (1 << $0) != 0 }
        guard !joints.isEmpty else { return nil }
        self.init(joints: joints, model: model)
    }
}
