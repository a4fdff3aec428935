internal import ArgumentParser
internal import SinewBody
internal import SinewFormats

/// `sinew retarget`: poses of the body to a rig of your own, and back.
struct RetargetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retarget",
        abstract: "Carry poses to a rig of your own (BVH, glTF or JSON), or a rig's motion to the body.",
        discussion: """
            sinew retarget pose.npz --rig rig.bvh -o out.bvh: the poses that sinew solve writes, on the rig.
            sinew retarget motion.glb -o pose.npz: a rig's motion as poses of the body.
            Joints are matched by name; SMPL's names and those of Mixamo, Unity, Unreal, Blender, VRM and CMU's files are \
            known, others are told by --map. Every matched joint is turned in the world as its counterpart, measured from \
            rest. Of glTF (.glb, or .gltf with buffers inside or beside it) the skins' joints, their bind pose and the first \
            animation are read; written is a .glb of joints and their motion, without a mesh. The rig's JSON form: {"joints": [{"name", "parent", "offset", "rotation"}], "fps", "frames": [{"pelvis", \
            "rotations"}]}, quaternions w, x, y, z.
            """)

    @Argument(help: "Poses of the body (.npz), or the motion of a rig (.bvh, .glb, .gltf, .json, .amc).")
    var input: String

    @Option(name: .long, help: "The rig that poses of the body are carried to (.bvh, .glb, .gltf or .json).")
    var rig: String?

    @Option(
        name: [.short, .customLong("output")],
        help: "Where to write: .bvh, .glb or .json for a rig, .npz for the body.")
    var output: String

    @Option(name: .long, help: "RIGJOINT=SMPLJOINT, once per joint; RIGJOINT= leaves a joint unmatched.")
    var map: [String] = []

    @Option(name: .long, help: "The body that a rig's motion is carried to: neutral, female or male.")
    var gender = GenderOption.neutral

    @Option(name: .long, help: "That body's shape, up to ten numbers separated by commas.")
    var betas: String?

    @OptionGroup var options: OutputOptions

    func validate() throws {
        let isBody = input.lowercased().hasSuffix(".npz")
        guard isBody == (rig != nil) else {
            throw ValidationError(
                isBody
                    ? "--rig is missing: the rig that the poses are carried to"
                    : "--rig is for poses of the body (.npz)")
        }
        if isBody, betas != nil {
            throw ValidationError("--betas is for a rig's motion; the poses of \(input) have their own shape")
        }
    }

    func run() async throws {
        let named = try map.map(Self.parse)
        let summary = if let rig { try toRig(rig, named: named) } else { try toBody(named: named) }
        if options.json { return try JSONOutput.print(summary) }
        StandardStreams.talk(
            "\(summary.output): \(summary.frames) frames, \(summary.matchedJoints) of \(summary.rigJoints) joints matched"
                + (summary.unmatchedSmplJoints.isEmpty
                    ? "" : "; the rig has no " + summary.unmatchedSmplJoints.joined(separator: ", ")))
    }

    private func toRig(_ rigPath: String, named: [(rig: String, smpl: String)]) throws -> RetargetSummary {
        let ending = [".json", ".glb"].first { output.lowercased().hasSuffix($0) } ?? ".bvh"
        try OutputPath.check(output, endingWith: ending)
        let poses = try PoseClip.read(path: input)
        var clip = try RigClip.read(path: rigPath, named: named)
        let rest = try BodyModel.bundled(poses.gender).restJoints(betas: poses.betas)
        let retargeting = try Retargeting(rig: clip.rig, mapping: clip.mapping, restJoints: rest)
        clip.frames = (0..<poses.count).map { retargeting.rigPose(of: poses.pose($0, restJoints: rest)) }
        clip.framesPerSecond = poses.framesPerSecond
        try clip.write(to: output)
        return RetargetSummary(output: output, clip: clip, metresPerUnit: retargeting.metresPerUnit)
    }

    private func toBody(named: [(rig: String, smpl: String)]) throws -> RetargetSummary {
        try OutputPath.check(output, endingWith: ".npz")
        let shape = try betas.map(Self.numbers) ?? []
        let clip = try RigClip.read(path: input, named: named)
        guard !clip.frames.isEmpty else { throw CommandFailure(.badData, "\(input) holds a rig but no motion of it") }
        let rest = try BodyModel.bundled(gender.gender).restJoints(betas: shape)
        let retargeting = try Retargeting(rig: clip.rig, mapping: clip.mapping, restJoints: rest)
        var poses = PoseClip(
            theta: [], translation: [], betas: Array((shape + [Float](repeating: 0, count: 10)).prefix(10)),
            gender: gender.gender, framesPerSecond: clip.framesPerSecond)
        for frame in clip.frames { poses.append(retargeting.humanPose(of: frame), restJoints: rest) }
        try poses.write(to: output)
        return RetargetSummary(output: output, clip: clip, metresPerUnit: retargeting.metresPerUnit)
    }

    static func parse(_ text: String) throws -> (rig: String, smpl: String) {
        guard let mark = text.lastIndex(of: "="), mark > text.startIndex else {
            throw ValidationError("--map '\(text)' is not RIGJOINT=SMPLJOINT")
        }
        return (String(text[..<mark]), String(text[text.index(after: mark)...]))
    }

    static func numbers(_ text: String) throws -> [Float] {
        let values = try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let value = Float(word), value.isFinite else {
                throw ValidationError("--betas: '\(word)' is not a number")
            }
            return value
        }
        guard values.count <= BodyModel.shapeCount else {
            throw ValidationError("--betas has \(values.count) numbers; a shape has at most \(BodyModel.shapeCount)")
        }
        return values
    }
}

/// What `sinew retarget` did.
struct RetargetSummary: Encodable {
    let output: String
    let frames: Int
    let rigJoints: Int
    let matchedJoints: Int
    let unmatchedSmplJoints: [String]
    let metresPerUnit: Double

    init(output: String, clip: RigClip, metresPerUnit: Double) {
        self.output = output
        frames = clip.frames.count
        rigJoints = clip.rig.joints.count
        matchedJoints = clip.mapping.smplJoints.count { $0 != nil }
        unmatchedSmplJoints = clip.mapping.rigJoints.indices.filter { clip.mapping.rigJoints[$0] == nil }
            .map { Skeleton.smpl24.jointNames[$0] }
        self.metresPerUnit = metresPerUnit
    }
}
