internal import ArgumentParser
internal import SinewBody

/// `sinew skeleton`: the orders of joints that files and requests may use.
struct SkeletonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skeleton",
        abstract: "List the known skeletons, or show the joints of one and what SMPL gets of them.",
        subcommands: [List.self, Show.self])

    /// `sinew skeleton list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the known skeletons.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            let skeletons = Skeleton.all.map(SkeletonSummary.init)
            if output.json { return try JSONOutput.print(skeletons) }
            var table = TextTable(["skeleton", "joints", "of SMPL's 29", "also called"])
            for skeleton in skeletons {
                table.add([
                    skeleton.name, "\(skeleton.joints)", "\(29 - skeleton.missingSmplJoints.count)",
                    skeleton.aliases.joined(separator: ", "),
                ])
            }
            for line in table.lines(style: .data) { StandardStreams.data(line) }
        }
    }

    /// `sinew skeleton show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a skeleton's joints in order, and which of SMPL's 29 joints follow from them.")

        @Argument(help: "The skeleton's name (sinew skeleton list).")
        var name: String

        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let skeleton = Skeleton.named(name) else {
                throw CommandFailure(
                    .usage,
                    "skeleton '\(name)' is not known; known are \(Skeleton.all.map(\.name).joined(separator: ", "))")
            }
            let details = SkeletonDetails(skeleton)
            if output.json { return try JSONOutput.print(details) }
            for line in details.lines { StandardStreams.data(line) }
        }
    }
}

/// A line of `sinew skeleton list`.
struct SkeletonSummary: Encodable {
    let name: String
    let aliases: [String]
    let joints: Int
    let missingSmplJoints: [String]

    init(_ skeleton: Skeleton) {
        name = skeleton.name
        aliases = skeleton.aliases
        joints = skeleton.jointCount
        missingSmplJoints = skeleton.missingJoints
    }
}

/// What `sinew skeleton show` prints.
struct SkeletonDetails: Encodable {
    struct Joint: Encodable {
        let index: Int
        let name: String
        let parent: String?
        let otherSide: String?
        /// SMPL's joints that it tells of.
        let smpl: [String]
    }
    let name: String
    let joints: [Joint]
    let missingSmplJoints: [String]

    init(_ skeleton: Skeleton) {
        name = skeleton.name
        missingSmplJoints = skeleton.missingJoints
        let mirrored = skeleton.mirrored
        joints = skeleton.jointNames.indices.map { joint in
            let parent = skeleton.parents[joint]
            let told = Skeleton.smpl29.jointNames.indices.filter { index in
                skeleton.smplSources[index].terms.contains { $0.joint == joint }
            }
            return Joint(
                index: joint, name: skeleton.jointNames[joint],
                parent: parent < 0 ? nil : skeleton.jointNames[parent],
                otherSide: mirrored[joint] == joint ? nil : skeleton.jointNames[mirrored[joint]],
                smpl: told.map { Skeleton.smpl29.jointNames[$0] })
        }
    }

    var lines: [String] {
        var table = TextTable(["joint", "index", "parent", "other side", "tells of SMPL's"])
        for joint in joints {
            table.add([
                joint.name, "\(joint.index)", joint.parent ?? "–", joint.otherSide ?? "–",
                joint.smpl.isEmpty ? "–" : joint.smpl.joined(separator: " "),
            ])
        }
        let missing =
            missingSmplJoints.isEmpty
            ? "nothing of SMPL's 29 joints is missing"
            : "not told, and taken as not seen: " + missingSmplJoints.joined(separator: ", ")
        return table.lines(style: .data) + [missing]
    }
}
