internal import SinewFormats
internal import SinewPictures

extension PictureScene {
    /// Poses that were just solved, over the joints that they were solved from.
    ///
    /// - Parameter observed: the input where it was a file of joints; effectors are not drawn.
    init(of output: PoseOutput, observed: PoseInput?, titled path: String) {
        var sources: [Source] = [.poses(name: output.model, output.tracks.map { PoseTrack($0) })]
        if let observed { sources.append(.observed(name: "input", ObservedTrack.tracks(of: observed))) }
        self.init(
            title: path.split(separator: "/").last.map(String.init) ?? path,
            framesPerSecond: output.framesPerSecond ?? PoseOutput.framesPerSecondAssumed, sources: sources)
        // The input is the first layer to switch on and off, as in sinew view; it comes second above so that the poses name the people.
        layers.reverse()
    }
}

/// Where solved poses go: files of poses, or a picture of them.
enum PoseDestination: Equatable, Sendable {
    case poses(path: String)
    case picture(PictureFormat, path: String)

    /// Looks at the path before anything is solved.
    ///
    /// - Throws: ``CommandFailure`` for an ending that is neither, or a file that cannot be written.
    init(checking path: String) throws(CommandFailure) {
        if PictureFormat(path: path) != nil {
            self = .picture(try OutputPath.pictureFormat(of: path), path: path)
        } else {
            let files = PoseOutput.Kind.allCases.map(\.rawValue)
            let endings = (files + PictureFormat.allCases.map(\.rawValue)).joined(separator: ", ")
            guard PoseOutput.Kind(path: path) != nil else {
                throw CommandFailure(
                    .usage, "the output '\(path)' ends in none of \(endings): write -o NAME.npz")
            }
            try OutputPath.check(path, endingWith: files)
            self = .poses(path: path)
        }
    }

    /// Writes the poses; each file appears complete or not at all.
    ///
    /// - Returns: the paths written.
    func write(_ output: PoseOutput, observed: PoseInput?, titled title: String) throws -> [String] {
        switch self {
        case .poses(let path): return try output.write(to: path)
        case .picture(let format, let path):
            let observed = format == .glb ? nil : observed
            let scene = PictureScene(of: output, observed: observed, titled: title)
            for note in scene.notes { StandardStreams.talk("note: \(note)") }
            try format.write(scene, to: path)
            return [path]
        }
    }
}
