internal import SinewArrayFiles
package import SinewBody

/// A rig and a motion of it, read from or written to BVH (`.bvh`) or our JSON (`.json`).
///
/// JSON: `{"joints": [{"name": "Hips", "parent": null, "offset": [0, 98, 0], "rotation": [1, 0, 0, 0]}, …], "fps": 30, "frames":
/// [{"pelvis": [0, 98, 0], "rotations": [[w, x, y, z], …]}, …]}`. `parent` is a joint's name; `offset` and `rotation` are the rest pose against
/// the parent, `rotation` is the identity where it is missing. In a frame `rotations` has one quaternion per joint against its parent, and
/// `pelvis` is the offset of the joint that stands for the pelvis from its parent. A rig without motion leaves out `frames`.
package struct RigClip: Sendable {
    /// The skeleton at rest.
    package var rig: RigSkeleton
    /// Which joint stands for which of SMPL.
    package var mapping: RigMapping
    /// The motion; empty for a rig alone.
    package var frames: [RigPose]
    /// Frames per second.
    package var framesPerSecond: Double

    /// More frames than this are refused: nine hours at 30 a second.
    package static let framesMax = 1_000_000

    package init(rig: RigSkeleton, mapping: RigMapping, frames: [RigPose], framesPerSecond: Double) {
        self.rig = rig
        self.mapping = mapping
        self.frames = frames
        self.framesPerSecond = framesPerSecond
    }

    /// Reads a file by its ending.
    ///
    /// - Parameter named: SMPL joint names by the rig's names, where those say nothing.
    /// - Throws: ``FormatError`` with the file and where in it.
    package static func read(
        path: String, named: [(rig: String, smpl: String)] = []
    ) throws(FormatError) -> RigClip {
        let bytes = try rewording { () throws(ArrayFileError) in try FileContents.read(path) }
        let lowercased = path.lowercased()
        if lowercased.hasSuffix(".bvh") { return try BVHReader.read(bytes, path: path, named: named) }
        guard lowercased.hasSuffix(".json") else {
            throw FormatError(.unreadableFile, "\(path): a rig is read from .bvh or .json")
        }
        return try RigJSON.read(bytes, path: path, named: named)
    }

    /// Writes a file by its ending; it appears complete or not at all.
    package func write(to path: String) throws(FormatError) {
        let text = path.lowercased().hasSuffix(".bvh") ? BVHWriter.text(of: self) : RigJSON.text(of: self)
        try rewording { () throws(ArrayFileError) in try AtomicFile.write(Array(text.utf8), to: path) }
    }

    /// Puts a rig and its mapping together, naming the file where they do not fit.
    static func rig(
        _ joints: [RigSkeleton.Joint], path: String, named: [(rig: String, smpl: String)]
    ) throws(FormatError) -> (RigSkeleton, RigMapping) {
        do throws(BodyError) {
            let rig = try RigSkeleton(joints: joints)
            return (rig, try RigMapping(rig, named: named))
        } catch {
            throw FormatError(.invalidData, "\(path): \(error.message)")
        }
    }
}
