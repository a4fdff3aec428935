internal import SinewArrayFiles

/// One motion in AMASS's `.npz` layout: the body's local rotations, frame by frame.
///
/// Read are `poses` of SMPL (72 values a frame), SMPL+H (156) and SMPL-X (165). Of the latter two the hands' own rotations are left
/// out: SMPL's joints 22 and 23 stand at rest.
package struct AMASSClip: Sendable {
    /// The path, for messages.
    package let path: String
    /// The file's name without ending.
    package let name: String
    /// `[frames, 24, 3]` axis-angle, radians.
    package let theta: [Float]
    /// The number of frames.
    package var frameCount: Int { theta.count / 72 }

    private static let widths = [72, 156, 165]

    /// Reads a clip.
    ///
    /// - Throws: ``FormatError`` naming the file, and the frame where a number is none.
    package init(path: String) throws(FormatError) {
        let poses = try rewording(field: "poses", path: path) { () throws(ArrayFileError) in
            try NPZFile(path: path).array("poses")
        }
        guard poses.shape.count == 2, poses.shape[0] > 0, Self.widths.contains(poses.shape[1]) else {
            throw FormatError(
                .invalidData,
                "\(path): poses has shape \(poses.shape); needed are one or more frames of 72 (SMPL), 156 (SMPL+H) or 165 "
                    + "(SMPL-X) axis-angle values", field: "poses")
        }
        let values = try rewording(field: "poses", path: path) { () throws(ArrayFileError) in try poses.floats() }
        let width = poses.shape[1]
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw FormatError(
                .invalidData, "\(path): poses of frame \(bad / width) holds \(values[bad]), which is no angle",
                field: "poses")
        }
        self.path = path
        let file = path.split(separator: "/").last.map(String.init) ?? path
        name = file.hasSuffix(".npz") ? String(file.dropLast(4)) : file
        guard width > 72 else {
            theta = values
            return
        }
        var theta: [Float] = []
        theta.reserveCapacity(poses.shape[0] * 72)
        for frame in 0..<poses.shape[0] {
            theta += values[(frame * width)..<(frame * width + 66)]
            theta += [0, 0, 0, 0, 0, 0]
        }
        self.theta = theta
    }
}
