internal import ArgumentParser
internal import SinewBody
internal import SinewImport

/// `sinew body`: the bodies that shapes and poses refer to.
struct BodyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "body", abstract: "List the bundled bodies, or import one you have a licence for.",
        subcommands: [List.self, Import.self])

    /// `sinew body list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the bundled bodies.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            let bodies = try Gender.allCases.map { BodySummary(try BodyModel.bundled($0)) }
            if output.json { return try JSONOutput.print(bodies) }
            var table = TextTable(["body", "vertices", "shape directions", "pose blend shapes", "height m", "licence"])
            for body in bodies {
                table.add([
                    "\(body.name)/\(body.gender)", "\(body.vertices)", "\(body.shapeDirections)",
                    body.hasPoseBlendShapes ? "yes" : "no", fixed(body.heightMetres, 2), body.licence,
                ])
            }
            for line in table.lines(style: .data) { StandardStreams.data(line) }
        }
    }

    /// `sinew body import`.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Read an SMPL body (.pkl or .npz), check it, and write it as .safetensors.",
            discussion: """
                The file stays under its own licence; nothing of it is uploaded or stored elsewhere. \
                A .pkl is read as data: nothing in it is run, and what is not needed for arrays is refused.
                """)

        @Argument(help: "The file (v_template, shapedirs, posedirs, J_regressor, weights, kintree_table, f).")
        var file: String

        @Option(name: .long, help: "neutral, female or male, when the file does not say.")
        var gender: GenderOption?

        @Option(name: [.short, .customLong("output")], help: "Where to write the body.")
        var output: String

        @OptionGroup var options: OutputOptions

        func run() async throws {
            try OutputPath.check(output, endingWith: ".safetensors")
            let body = try read()
            try body.write(safetensors: output)
            let summary = BodySummary(body)
            if options.json { return try JSONOutput.print(summary) }
            StandardStreams.talk(
                "\(output): \(summary.vertices) vertices, \(summary.shapeDirections) shape directions, \(summary.gender), "
                    + "\(fixed(summary.heightMetres, 2)) m tall at rest")
        }

        private func read() throws -> BodyModel {
            guard file.hasSuffix(".pkl") else {
                return try BodyModel(smplLayoutNPZ: file, gender: gender?.gender)
            }
            let found = try BodyPickle.read(file, gender: gender?.gender)
            if !found.isKnownRelease {
                StandardStreams.talk(
                    "warning: \(file) is not byte for byte a v1.0.0 release of SMPL (a file that was saved again is not); its "
                        + "arrays were checked for shape and range only")
            }
            return found.body
        }
    }
}

/// ``Gender`` as an option's value; a conformance of the public type itself would be seen by every user of SinewBody.
enum GenderOption: String, CaseIterable, ExpressibleByArgument {
    case neutral, female, male

    var gender: Gender {
        switch self {
        case .neutral: .neutral
        case .female: .female
        case .male: .male
        }
    }
}

/// What a person wants to know of a body.
struct BodySummary: Encodable {
    let name: String
    let gender: String
    let vertices: Int
    let shapeDirections: Int
    let hasPoseBlendShapes: Bool
    let heightMetres: Double
    let licence: String

    init(_ body: BodyModel) {
        name = body.name
        gender = body.gender.rawValue
        vertices = body.vertexCount
        shapeDirections = body.shapeDirections.count / max(1, body.template.count)
        hasPoseBlendShapes = !body.poseDirections.isEmpty
        licence = body.licence
        let heights = stride(from: 1, to: body.template.count, by: 3).map { Double(body.template[$0]) }
        heightMetres = (heights.max() ?? 0) - (heights.min() ?? 0)
    }
}
