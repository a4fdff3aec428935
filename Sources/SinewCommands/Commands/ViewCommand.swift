internal import ArgumentParser
internal import SinewFormats
internal import SinewPictures

/// `sinew view`: poses and joints as a picture.
struct ViewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view", abstract: "Show poses as a page to turn and play, or as an animated glTF.",
        discussion: """
            sinew view pose.npz -o pose.html: one page that works without network, from a file or attached to a review.
            sinew view niki.left.npz niki.right.npz --input joints.npz --compare hybrik.left.npz hybrik.right.npz: two people in one \
            frame, the joints they were solved from, and another model's poses, each a layer to switch on and off.
            sinew view pose.npz -o pose.glb: skinned bodies and their motion, for Blender and other programs.
            Files are those of sinew solve, AMASS's, or observed joints alone. Tracks of the same name are the same person. Frames \
            without a pose, or with numbers that are none, are gaps.
            """)

    @Argument(help: "Poses (.npz), several for several people or models; or observed joints.")
    var files: [String]

    @Option(
        name: [.short, .customLong("output")],
        help: "Where to write (.html, .glb; default: the first file's name with that ending).")
    var output: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Observed joints that the poses were solved from.")
    var input: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Poses of other models, to compare.")
    var compare: [String] = []

    @Option(name: .long, help: "What the picture is called (default: the first file's name).")
    var title: String?

    @OptionGroup var joints: JointFileOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("give a file of poses or joints") }
    }

    func run() throws {
        let output = output ?? Self.defaultOutput(for: files[0])
        let format = try OutputPath.pictureFormat(of: output)
        let reading = SceneFiles(
            paths: files, observed: input, compared: compare,
            options: try joints.reading(), title: title)
        let scene = try reading.read()
        for note in scene.notes { StandardStreams.talk("note: \(note)") }
        try format.write(scene, to: output)
        let summary = PictureSummary(output: output, scene: scene)
        if options.json { return try JSONOutput.print(summary) }
        StandardStreams.talk(summary.line)
    }

    private static func defaultOutput(for path: String) -> String {
        let stem =
            path.lastIndex(of: ".").map { dot in path[dot...].contains("/") ? path : String(path[..<dot]) } ?? path
        return stem + ".html"
    }
}

/// What was drawn.
struct PictureSummary: Encodable {
    let output: String
    let frames: Int
    let people: [String]
    let layers: [String]

    init(output: String, scene: PictureScene) {
        self.output = output
        frames = scene.frameNumbers.count
        people = scene.people
        layers = scene.layers.map(\.name)
    }

    var line: String {
        "\(output): \(frames) frames of \(people.count) \(people.count == 1 ? "person" : "people"), layers: "
            + layers.joined(separator: ", ")
    }
}
