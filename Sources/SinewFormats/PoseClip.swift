internal import SinewArrayFiles
package import SinewBody

/// One person's poses through time in AMASS's `.npz` layout: `poses` of SMPL `(T, 72)`, SMPL+H `(T, 156)` or SMPL-X `(T, 165)`, and where
/// known `trans` `(T, 3)`, `betas`, `gender`, `mocap_framerate` (SMPL-X: `mocap_frame_rate`) and `frame` `(T)`. Metres, y up.
package struct PoseClip: Sendable {
    /// `[T, 24, 3]` axis-angle, radians.
    package var theta: [Float]
    /// `[T, 3]` SMPL's transl.
    package var translation: [Float]
    /// Ten coefficients.
    package var betas: [Float]
    package var gender: Gender
    package var framesPerSecond: Double
    /// The number of each frame in the clip that it was taken from.
    package private(set) var frameNumbers: [Int]
    /// Whose poses they are.
    package var name = "person-0"
    /// What was assumed and converted, for the user to read.
    package var notes: [String] = []

    /// How many frames.
    package var count: Int { translation.count / 3 }

    package init(
        theta: [Float], translation: [Float], betas: [Float], gender: Gender, framesPerSecond: Double
    ) {
        self.theta = theta
        self.translation = translation
        self.betas = betas
        self.gender = gender
        self.framesPerSecond = framesPerSecond
        frameNumbers = Array(0..<(translation.count / 3))
    }

    /// Widths of `poses`.
    private static let widths = [72, 156, 165]

    /// Reads what `sinew solve` writes and AMASS's own files; finger joints are dropped and SMPL's two hands left unturned then.
    ///
    /// - Parameter keepsGaps: lets frames through in `poses` and `trans` that hold NaN or infinity, for readers that can show a gap.
    /// - Throws: ``FormatError`` naming the file and the array, and the frame where a number is none.
    package static func read(path: String, keepsGaps: Bool = false) throws(FormatError) -> PoseClip {
        let file = try rewording { () throws(ArrayFileError) in try NPZFile(path: path) }
        func array(_ name: String) throws(FormatError) -> NDArray {
            try rewording(field: name, path: path) { () throws(ArrayFileError) in try file.array(name) }
        }
        func floats(_ name: String, keepsGaps: Bool = false) throws(FormatError) -> [Float] {
            let array = try array(name)
            let values = try rewording(field: name, path: path) { () throws(ArrayFileError) in try array.floats() }
            guard !keepsGaps, let bad = values.firstIndex(where: { !$0.isFinite }) else { return values }
            let place = array.shape.count == 2 ? "\(name) of frame \(bad / array.shape[1])" : name
            throw FormatError(
                .invalidData, "\(path): \(place) holds \(values[bad]); repair the clip or leave the frame out",
                field: name)
        }
        func wrong(_ name: String, _ what: String) -> FormatError {
            FormatError(.invalidData, "\(path): \(name) \(what)", field: name)
        }
        let shape = try array("poses").shape
        guard shape.count == 2, shape[0] >= 1, widths.contains(shape[1]) else {
            throw wrong(
                "poses",
                "has the shape \(shape); needed are one or more frames of 72 (SMPL), 156 (SMPL+H) or 165 (SMPL-X) axis-angle "
                    + "values")
        }
        let poses = try floats("poses", keepsGaps: keepsGaps)
        var theta: [Float] = []
        theta.reserveCapacity(shape[0] * 72)
        for frame in 0..<shape[0] {
            let row = poses[(frame * shape[1])..<((frame + 1) * shape[1])]
            theta += shape[1] == 72 ? row : row.prefix(66) + [Float](repeating: 0, count: 6)
        }
        var translation = [Float](repeating: 0, count: shape[0] * 3)
        if file.contains("trans") {
            translation = try floats("trans", keepsGaps: keepsGaps)
            guard translation.count == shape[0] * 3 else { throw wrong("trans", "does not have one row per frame") }
        }
        let betas = file.contains("betas") ? try floats("betas") : []
        var gender = Gender.neutral
        if file.contains("gender") {
            let names = try array("gender")
            let text = try rewording(field: "gender", path: path) { () throws(ArrayFileError) in try names.strings() }
            let word = text.first ?? ""
            guard let known = word.isEmpty ? .neutral : Gender(rawValue: word) else {
                throw wrong("gender", "is \"\(word)\"; neutral, female and male are known")
            }
            gender = known
        }
        var rate = PoseOutput.framesPerSecondAssumed
        if let name = ["mocap_framerate", "mocap_frame_rate"].first(where: file.contains) {
            rate = Double(try floats(name).first ?? 0)
            guard rate > 0 else { throw wrong(name, "is \(rate); it must be above 0") }
        }
        var clip = PoseClip(
            theta: theta, translation: translation, betas: Array((betas + [Float](repeating: 0, count: 10)).prefix(10)),
            gender: gender, framesPerSecond: rate)
        if file.contains("frame") {
            let numbers = try array("frame")
            clip.frameNumbers = try rewording(field: "frame", path: path) { () throws(ArrayFileError) in
                try numbers.ints()
            }
            guard clip.frameNumbers.count == shape[0] else {
                throw wrong("frame", "does not have one number per frame")
            }
        }
        return clip
    }

    /// Writes AMASS's layout; the file appears complete or not at all.
    package func write(to path: String) throws(FormatError) {
        var writer = NPZWriter(compression: .stored)
        writer.add("poses", .float32(theta, shape: [count, 72]))
        writer.add("trans", .float32(translation, shape: [count, 3]))
        writer.add("betas", .float32(betas, shape: [betas.count]))
        writer.add("gender", .strings([gender.rawValue], shape: []))
        for name in ["mocap_framerate", "mocap_frame_rate"] { writer.add(name, .float64([framesPerSecond], shape: [])) }
        writer.add("up_axis", .strings([UpAxis.plusY.rawValue], shape: []))
        try rewording { () throws(ArrayFileError) in try AtomicFile.write(try writer.encode(), to: path) }
    }

    /// The pose of a frame on a body with these rest joints.
    package func pose(_ frame: Int, restJoints: [Float]) -> HumanPose {
        HumanPose(
            rotations: (0..<Skeleton.rotationCount).map {
                RotationMatrix(AxisAngle(theta.vector(at: (frame * Skeleton.rotationCount + $0) * 3)))
            },
            pelvis: translation.vector(at: frame * 3) + restJoints.vector(at: 0))
    }

    /// Appends a frame of 72 axis-angle values; without a number it follows the last one.
    mutating func append(theta frameTheta: [Float], translation frameTranslation: [Float], frame: Int?) {
        theta += frameTheta
        translation += frameTranslation
        frameNumbers.append(frame ?? (frameNumbers.last ?? -1) + 1)
    }

    /// Keeps some frames, in the order given.
    mutating func keepFrames(_ frames: [Int]) {
        theta = frames.flatMap { theta[($0 * 72)..<($0 * 72 + 72)] }
        translation = frames.flatMap { translation[($0 * 3)..<($0 * 3 + 3)] }
        frameNumbers = frames.map { frameNumbers[$0] }
    }

    /// Appends a pose on a body with these rest joints.
    package mutating func append(_ pose: HumanPose, restJoints: [Float]) {
        let offset = theta.count
        theta += [Float](repeating: 0, count: 72)
        for (joint, rotation) in pose.rotations.enumerated() {
            theta.store(AxisAngle(rotation).vector, at: offset + joint * 3)
        }
        translation += [0, 0, 0]
        translation.store(pose.pelvis - restJoints.vector(at: 0), at: translation.count - 3)
        frameNumbers.append((frameNumbers.last ?? -1) + 1)
    }
}
