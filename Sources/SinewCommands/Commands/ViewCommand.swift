internal import ArgumentParser
internal import SinewFormats
internal import SinewPictures

/// `sinew view`: poses and joints as a picture.
struct ViewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Show poses as a page to turn and play, as an animated glTF, or as a sheet of pictures.",
        discussion: """
            sinew view pose.npz -o pose.html: one page that works without network, from a file or attached to a review.
            sinew view niki.left.npz niki.right.npz --input joints.npz --compare hybrik.left.npz hybrik.right.npz: two people in one \
            frame, the joints they were solved from, and another model's poses, each a layer to switch on and off.
            sinew view pose.npz -o pose.glb: skinned bodies and their motion, for Blender and other programs.
            sinew view pose.npz --input joints.npz -o sheet.png: the worst frames side by side, to put into a review.
            Files are those of sinew solve, AMASS's, or observed joints alone. Tracks of the same name are the same person. Frames \
            without a pose, or with numbers that are none, are gaps.
            """)

    @Argument(help: "Poses (.npz), several for several people or models; or observed joints.")
    var files: [String]

    @Option(
        name: [.short, .customLong("output")],
        help: "Where to write (.html, .glb, .png; default: the first file's name with that ending).")
    var output: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Observed joints that the poses were solved from.")
    var input: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Poses of other models, to compare.")
    var compare: [String] = []

    @Option(name: .long, help: "What the picture is called (default: the first file's name).")
    var title: String?

    @Option(name: .long, help: "A sheet's number of frames (default: 12).")
    var frames: Int?

    @Option(name: .long, help: "A sheet's columns (default: 4).")
    var columns: Int?

    @Option(
        name: .long,
        help:
            "A sheet's frames: worst, by the distance to --input or else the first measure of the poses, or even (default: worst)."
    )
    var order: FrameOrderOption?

    @Flag(name: .long, help: "A sheet of skeletons instead of bodies.")
    var skeletons = false

    @OptionGroup var joints: JointFileOptions
    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("give a file of poses or joints") }
        let sheetOnly =
            frames.map { _ in "--frames" } ?? columns.map { _ in "--columns" } ?? order.map { _ in "--order" }
            ?? (skeletons ? "--skeletons" : nil)
        if let option = sheetOnly, output?.lowercased().hasSuffix(".png") != true {
            throw ValidationError("\(option) is for sheets: write -o NAME.png")
        }
        if let frames, !(1...ContactSheet.Options.framesMax).contains(frames) {
            throw ValidationError("--frames must be 1…\(ContactSheet.Options.framesMax), not \(frames)")
        }
        if let columns, !(1...ContactSheet.Options.columnsMax).contains(columns) {
            throw ValidationError("--columns must be 1…\(ContactSheet.Options.columnsMax), not \(columns)")
        }
    }

    func run() throws {
        let output = output ?? Self.defaultOutput(for: files[0])
        let format = try OutputPath.pictureFormat(of: output)
        let reading = SceneFiles(
            paths: files, observed: input, compared: compare,
            options: try joints.reading(), title: title)
        let scene = try reading.read()
        for note in scene.notes { StandardStreams.talk("note: \(note)") }
        try format.write(scene, to: output, sheet: sheet)
        let summary = PictureSummary(output: output, scene: scene)
        if options.json { return try JSONOutput.print(summary) }
        StandardStreams.talk(summary.line)
    }

    private var sheet: ContactSheet.Options {
        var sheet = ContactSheet.Options()
        if let frames { sheet.frames = frames }
        if let columns { sheet.columns = columns }
        if let order { sheet.order = order.order }
        sheet.showsMeshes = !skeletons
        return sheet
    }

    private static func defaultOutput(for path: String) -> String {
        let stem =
            path.lastIndex(of: ".").map { dot in path[dot...].contains("/") ? path : String(path[..<dot]) } ?? path
        return stem + ".html"
    }
}

/// `--order` of `sinew view`.
enum FrameOrderOption: String, ExpressibleByArgument, CaseIterable {
    case worst, even

    var order: FrameChoice.Order {
        switch self {
        case .worst: .worst
        case .even: .even
        }
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
