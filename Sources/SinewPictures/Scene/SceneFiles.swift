internal import SinewArrayFiles
package import SinewFormats

/// The files that a scene is read from.
package struct SceneFiles: Sendable {
    /// Poses, or observed joints; files of the same model are one layer.
    package var paths: [String]
    /// Observed joints that the poses were solved from.
    package var observed: [String]
    /// Poses of other models, for comparison.
    package var compared: [String]
    /// How observed joints are read.
    package var options: PoseInput.Options
    /// What the picture is called; nil takes the first file's name.
    package var title: String?

    package init(
        paths: [String], observed: [String] = [], compared: [String] = [], options: PoseInput.Options = .init(),
        title: String? = nil
    ) {
        self.paths = paths
        self.observed = observed
        self.compared = compared
        self.options = options
        self.title = title
    }

    /// Pose files of one model, in the order in which they were named.
    private struct PoseLayer {
        var name: String
        var isCompared: Bool
        var tracks: [PoseTrack]
    }

    /// Reads all files.
    ///
    /// - Throws: ``FormatError`` naming the file.
    package func read() throws(FormatError) -> PictureScene {
        var observedLayers: [PictureScene.Source] = []
        var poseLayers: [PoseLayer] = []
        var rates: [Double] = []
        for (path, isCompared) in paths.map({ ($0, false) }) + compared.map({ ($0, true) }) {
            guard try holdsPoses(path) else {
                guard !isCompared else {
                    throw FormatError(
                        .invalidData, "\(path) holds no poses to compare with; observed joints are given by --input")
                }
                try addObserved(path, to: &observedLayers, &rates)
                continue
            }
            let file = try PoseTrack.read(path: path)
            rates.append(file.framesPerSecond)
            let name = file.model ?? "poses"
            if let known = poseLayers.firstIndex(where: { $0.name == name && $0.isCompared == isCompared }) {
                poseLayers[known].tracks.append(file.track)
            } else {
                poseLayers.append(PoseLayer(name: name, isCompared: isCompared, tracks: [file.track]))
            }
        }
        for path in observed { try addObserved(path, to: &observedLayers, &rates) }
        var notes: [String] = []
        if let first = rates.first, rates.contains(where: { abs($0 - first) > 1e-6 * first }) {
            let listed = rates.map { "\($0)" }.joined(separator: ", ")
            notes.append(
                "The files have different frame rates (\(listed)); the first is used, and frames of equal number are shown together"
            )
        }
        let poses = poseLayers.map { layer in
            let isTwice = poseLayers.contains { $0.name == layer.name && $0.isCompared != layer.isCompared }
            let name = isTwice && layer.isCompared ? "\(layer.name) (compared)" : layer.name
            return PictureScene.Source.poses(name: name, layer.tracks)
        }
        // Poses of people come first, so that they give the people their names.
        var scene = PictureScene(
            title: title ?? Self.title(of: paths), framesPerSecond: rates.first ?? PoseOutput.framesPerSecondAssumed,
            sources: poses + observedLayers, notes: notes)
        let observedCount = observedLayers.count
        scene.layers = Array(scene.layers.suffix(observedCount) + scene.layers.dropLast(observedCount))
        return scene
    }

    private func addObserved(
        _ path: String, to layers: inout [PictureScene.Source], _ rates: inout [Double]
    ) throws(FormatError) {
        let input = try PoseInput.read(path: path, options: options)
        if let rate = input.framesPerSecond { rates.append(rate) }
        let name = layers.isEmpty ? "input" : "input \(layers.count + 1)"
        layers.append(.observed(name: name, ObservedTrack.tracks(of: input)))
    }

    /// Whether a file is one of poses; observed joints have no array of that name.
    private func holdsPoses(_ path: String) throws(FormatError) -> Bool {
        guard path.lowercased().hasSuffix(".npz") else { return false }
        do throws(ArrayFileError) { return try NPZFile(path: path).contains("poses") } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .unreadableFile, error.message)
        }
    }

    private static func title(of paths: [String]) -> String {
        let names = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        return names.count > 1 ? "\(names[0]) and \(names.count - 1) more" : names.first ?? "sinew"
    }
}
