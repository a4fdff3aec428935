internal import SinewArrayFiles
package import SinewBody
package import SinewFormats

/// One person's poses through time, as a picture shows them: frames without a pose are gaps.
package struct PoseTrack: Sendable {
    /// A number per frame that says how good a pose is.
    package struct Series: Sendable, Equatable {
        package var key: String
        /// What people read.
        package var name: String
        /// `mm`, `°` or nothing.
        package var unit: String
        /// `[T]`; NaN where it is not known.
        package var values: [Float]
    }

    /// The person's name.
    package var name: String
    package var gender: Gender
    /// Ten coefficients.
    package var betas: [Float]
    /// `[T]` frame numbers.
    package var frames: [Int]
    /// `[T, 24, 3]` axis-angle, radians.
    package var theta: [Float]
    /// `[T, 3]` SMPL's transl, metres.
    package var translation: [Float]
    /// `[T]` whether there is a pose.
    package var isPresent: [Bool]
    package var series: [Series]

    /// How many frames.
    package var count: Int { frames.count }

    /// Takes a clip; rows that hold a number that is none are gaps.
    package init(_ clip: PoseClip, name: String) {
        self.name = name
        gender = clip.gender
        betas = clip.betas
        frames = clip.frameNumbers
        theta = clip.theta
        translation = clip.translation
        series = []
        isPresent = (0..<clip.count).map { row in
            clip.theta[(row * 72)..<(row * 72 + 72)].allSatisfy(\.isFinite)
                && clip.translation[(row * 3)..<(row * 3 + 3)].allSatisfy(\.isFinite)
        }
    }

    /// Takes a track that was just solved; one shape is drawn for all frames, the mean of the solved ones.
    package init(_ track: PoseOutput.Track) {
        name = track.name
        gender = track.gender
        frames = track.frames
        theta = track.theta
        translation = track.translation
        isPresent = track.isSolved
        let solved = track.frames.indices.filter { track.isSolved[$0] }
        betas = (0..<BodyModel.shapeCount).map { beta in
            solved.reduce(Float(0)) { $0 + track.betas[$1 * BodyModel.shapeCount + beta] } / Float(max(solved.count, 1))
        }
        series = []
        for given in Self.known {
            switch given.array {
            case "joint_residual_mm": add(given, track.jointResidualMillimetres)
            case "latent_norm": add(given, track.latentNorm)
            case "orientation_residual_rad": add(given, track.orientationResidualRadians)
            case "bone_length_change": add(given, track.boneLengthChange)
            default: preconditionFailure("\(given.array) is not a measure of a solved track")
            }
        }
    }

    /// A pose file: who it says solved it, how fast it runs, and its track.
    package struct File: Sendable {
        /// `name/version`, or nil.
        package var model: String?
        package var framesPerSecond: Double
        package var track: PoseTrack
    }

    /// Reads what `sinew solve` writes and AMASS's own files.
    ///
    /// - Throws: ``FormatError`` as ``PoseClip/read(path:keepsGaps:)``, and where a measure does not have one number per frame.
    package static func read(path: String) throws(FormatError) -> File {
        let clip = try PoseClip.read(path: path, keepsGaps: true)
        do throws(ArrayFileError) {
            let file = try NPZFile(path: path)
            let name = file.contains("track") ? try file.array("track").strings().first : nil
            var track = PoseTrack(clip, name: name ?? stem(of: path))
            if file.contains("solved") {
                let solved = try numbers("solved", of: file, count: clip.count)
                for row in 0..<clip.count where solved[row] == 0 { track.isPresent[row] = false }
            }
            for given in known where file.contains(given.array) {
                track.add(given, try numbers(given.array, of: file, count: clip.count))
            }
            let model = file.contains("model") ? try file.array("model").strings().first : nil
            return File(
                model: model.flatMap { $0.isEmpty ? nil : $0 }, framesPerSecond: clip.framesPerSecond, track: track)
        } catch {
            throw FormatError(.invalidData, "\(path): \(error.message)")
        }
    }

    /// The measures that files may hold.
    private struct Known {
        let array, name, unit: String
        let factor: Float
    }
    private static let known = [
        Known(array: "joint_residual_mm", name: "Joint residual", unit: "mm", factor: 1),
        Known(array: "latent_norm", name: "Latent norm", unit: "", factor: 1),
        Known(array: "orientation_residual_rad", name: "Orientation residual", unit: "°", factor: 180 / .pi),
        Known(array: "bone_length_change", name: "Bone length change", unit: "%", factor: 100),
    ]

    /// Adds a measure unless it is zero throughout: solvers write zeros for what they do not have.
    private mutating func add(_ known: Known, _ values: [Float]) {
        guard values.contains(where: { $0 != 0 && $0.isFinite }) else { return }
        series.append(
            Series(key: known.array, name: known.name, unit: known.unit, values: values.map { $0 * known.factor }))
    }

    private static func numbers(_ name: String, of file: NPZFile, count: Int) throws(ArrayFileError) -> [Float] {
        let values = try file.array(name).doubles()
        guard values.count == count else {
            throw ArrayFileError(.wrongShape, "\(name) has \(values.count) values for \(count) frames")
        }
        return values.map(Float.init)
    }

    private static func stem(of path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        return last.lastIndex(of: ".").map { String(last[..<$0]) } ?? last
    }
}
