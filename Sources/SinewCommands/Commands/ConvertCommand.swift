internal import ArgumentParser
internal import SinewBody
internal import SinewFormats

/// `sinew convert`: poses and joints from one file format to another.
struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Convert poses or joints between file formats.",
        discussion: """
            What a file is, its content tells. Poses: .npz (AMASS's layout), .jsonl and COCO .json as sinew writes them, and the motion of a \
            rig (.bvh, .amc with .asf, .glb), which is carried to the body of --gender and --betas. Joints: .npz, .jsonl, TRC, EasyMocap, \
            OpenPose, COCO, AlphaPose and MMPose JSON with 3D. Written by the ending of the output: poses as .npz, .jsonl, .bvh or COCO \
            .json; joints, or those of poses with --joints, as .npz, .jsonl, .trc or COCO .json. Everything is written in metres, y up, \
            except BVH (centimetres) and AMASS's own layouts (z up). Joints become poses by sinew solve.
            """)

    @Argument(help: "Poses or joints; a folder for tools that write a file per frame.")
    var input: String

    @Option(
        name: [.short, .customLong("output")],
        help: "Where to write; the ending says what: .npz, .jsonl, .bvh, .json (COCO), .trc.")
    var output: String

    @Flag(name: .customLong("joints"), help: "Write the joints of poses instead of the poses.")
    var writesJoints = false

    @Option(
        name: .long,
        help: "The layout of poses in .npz: smpl (24 joints, y up), or smplh, smplx as AMASS has them (z up).")
    var layout = LayoutOption.smpl

    @Option(name: .customLong("track"), help: "Only this person; again for several.")
    var tracks: [String] = []

    @Option(name: .long, help: "RIGJOINT=SMPLJOINT, once per joint of a rig whose names say nothing.")
    var map: [String] = []

    @Option(name: .long, help: "The body that a rig's motion is carried to: neutral, female or male.")
    var gender = GenderOption.neutral

    @Option(name: .long, help: "That body's shape, up to ten numbers separated by commas.")
    var betas: String?

    @OptionGroup var joints: JointFileOptions
    @OptionGroup var clipOptions: ClipOptions
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let reading = try joints.reading()
        let isPoses = try !isFolder && PoseClip.isRead(path: input, format: reading.format)
        let summary = isPoses ? try convertPoses(reading) : try convertJoints(reading)
        for note in summary.notes { StandardStreams.talk("note: \(note)") }
        if options.json { return try JSONOutput.print(summary) }
        StandardStreams.talk(
            "\(summary.outputs.joined(separator: " ")): \(summary.frames) frames of \(summary.tracks.joined(separator: ", "))"
        )
    }

    private var isFolder: Bool { OutputPath.isFolder(input) }

    private func convertPoses(_ reading: PoseInput.Options) throws -> ConvertSummary {
        var options = PoseClip.Options()
        options.upAxis = reading.upAxis
        options.format = reading.format
        options.rigPath = reading.rigPath
        options.named = try map.map(RetargetCommand.parse)
        options.gender = gender.gender
        if let betas {
            let shape = try RetargetCommand.numbers(betas)
            options.betas = Array((shape + [Float](repeating: 0, count: 10)).prefix(10))
        }
        if writesJoints {
            try OutputPath.check(output, endingWith: PoseInput.Kind.allCases.map(\.rawValue))
        } else {
            try OutputPath.check(output, endingWith: PoseOutput.Kind.allCases.map(\.rawValue))
        }
        if clipOptions.stitch != nil || clipOptions.oneShape {
            throw ValidationError(
                "--stitch and --one-shape are for joints; the poses of a file have one shape for each person")
        }
        let processing = clipOptions.processing
        let clips = try chosen(try PoseClip.readAll(path: input, options: options), named: \.name)
            .map { try processing.applied(to: $0) }
        let paths: [String]
        if writesJoints {
            try PoseClip.observations(clips, path: input).write(to: output)
            paths = [output]
        } else {
            paths = try PoseOutput(clips).write(to: output, layout: layout.layout)
        }
        return ConvertSummary(
            input: input, outputs: paths, kind: writesJoints ? "joints" : "poses",
            frames: clips.reduce(0) { $0 + $1.count }, tracks: clips.map(\.name), notes: clips.flatMap(\.notes))
    }

    private func convertJoints(_ reading: PoseInput.Options) throws -> ConvertSummary {
        guard output.lowercased().hasSuffix(PoseOutput.Kind.bvh.rawValue) == false else {
            throw CommandFailure(
                .usage,
                "\(input) holds joints, and \(output) would hold rotations: make poses first, sinew solve '\(input)' -o pose.npz"
            )
        }
        try OutputPath.check(output, endingWith: PoseInput.Kind.allCases.map(\.rawValue))
        var people = try PoseInput.read(path: input, options: reading)
        if !tracks.isEmpty {
            let names = try chosen(people.trackNames, named: \.self)
            people = people.keeping(tracks: names)
        }
        people = try clipOptions.processing.applied(to: people)
        try people.write(to: output)
        return ConvertSummary(
            input: input, outputs: [output], kind: "joints", frames: people.count, tracks: people.trackNames,
            notes: people.notes)
    }

    /// Those of `--track`, all without it.
    private func chosen<Track>(_ all: [Track], named name: (Track) -> String) throws -> [Track] {
        guard !tracks.isEmpty else { return all }
        for track in tracks where !all.contains(where: { name($0) == track }) {
            let known = all.map(name).prefix(8).joined(separator: ", ")
            throw CommandFailure(.usage, "\(input) has nobody called '\(track)'; it has \(known)")
        }
        return all.filter { tracks.contains(name($0)) }
    }
}

/// ``AMASSLayout`` as an option's value.
enum LayoutOption: String, CaseIterable, ExpressibleByArgument {
    case smpl, smplh, smplx

    var layout: AMASSLayout {
        switch self {
        case .smpl: .smpl
        case .smplh: .smplh
        case .smplx: .smplx
        }
    }
}

/// What `sinew convert` did.
struct ConvertSummary: Encodable {
    let input: String
    let outputs: [String]
    /// `poses` or `joints`.
    let kind: String
    let frames: Int
    let tracks: [String]
    let notes: [String]
}
