internal import SinewArrayFiles
package import SinewBody

/// A rig and a motion of it, read from BVH (`.bvh`), glTF (`.glb`, `.gltf`) or our JSON (`.json`), and written to `.bvh`, `.glb` or `.json`.
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
    /// - Parameters:
    ///   - named: SMPL joint names by the rig's names, where those say nothing.
    ///   - skeleton: the `.asf` file of an `.amc` file; nil looks beside it.
    /// - Throws: ``FormatError`` with the file and where in it.
    package static func read(
        path: String, named: [(rig: String, smpl: String)] = [], skeleton: String? = nil
    ) throws(FormatError) -> RigClip {
        let bytes = try rewording { () throws(ArrayFileError) in try FileContents.read(path) }
        if path.lowercased().hasSuffix(".amc") {
            return try AMCReader.read(bytes, path: path, skeleton: skeleton, named: named)
        }
        return try read(bytes, path: path, named: named)
    }

    /// Reads a file whose format is known.
    static func read(_ file: PoseFile, skeleton: String?) throws(FormatError) -> RigClip {
        switch file.format {
        case .bvh: return try BVHReader.read(file.bytes, path: file.path, named: [])
        case .amc: return try AMCReader.read(file.bytes, path: file.path, skeleton: skeleton)
        case .gltf: return try GLTFReader.read(file.bytes, path: file.path, named: [])
        case .rig: return try RigJSON.read(file.bytes, path: file.path, named: [])
        case .npz, .jsonLines, .openPose, .easyMocap, .coco, .mmPose, .trc:
            throw FormatError(.unreadableFile, "\(file.path) is \(file.format.name), which holds no rig")
        }
    }

    /// Reads a file that is already in memory; the path says what it is.
    package static func read(
        _ bytes: [UInt8], path: String, named: [(rig: String, smpl: String)] = []
    ) throws(FormatError) -> RigClip {
        let lowercased = path.lowercased()
        if lowercased.hasSuffix(".bvh") { return try BVHReader.read(bytes, path: path, named: named) }
        if lowercased.hasSuffix(".glb") || lowercased.hasSuffix(".gltf") {
            return try GLTFReader.read(bytes, path: path, named: named)
        }
        guard lowercased.hasSuffix(".json") else {
            throw FormatError(.unreadableFile, "\(path): a rig is read from .bvh, .glb, .gltf, .json or .amc with .asf")
        }
        return try RigJSON.read(bytes, path: path, named: named)
    }

    /// The file of that ending: BVH, glTF, or else JSON.
    package func encoded(for path: String) -> [UInt8] {
        let lowercased = path.lowercased()
        if lowercased.hasSuffix(".glb") { return GLTFWriter.bytes(of: self) }
        return Array((lowercased.hasSuffix(".bvh") ? BVHWriter.text(of: self) : RigJSON.text(of: self)).utf8)
    }

    /// Writes a file by its ending; it appears complete or not at all.
    package func write(to path: String) throws(FormatError) {
        let bytes = encoded(for: path)
        try rewording { () throws(ArrayFileError) in try AtomicFile.write(bytes, to: path) }
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

extension RigPose {
    /// The pose of a rig whose file may move every joint: only the pelvis keeps its movement, and that of all joints above it.
    ///
    /// - Parameters:
    ///   - pelvis: the joint that stands for the pelvis.
    ///   - offsets: where the file places each joint, from its parent and in its parent's frame.
    ///   - rotations: how each joint is turned against its parent.
    init(of rig: RigSkeleton, pelvis: Int, offsets: [SIMD3<Double>], rotations: [RotationMatrix]) {
        var world: [RotationMatrix] = []
        // As the file places the joints, and as a pose does, where only the pelvis may be moved.
        var placed: [SIMD3<Double>] = []
        var still: [SIMD3<Double>] = []
        var pelvisOffset = SIMD3<Double>.zero
        for (index, joint) in rig.joints.enumerated() {
            let above = joint.parent < 0 ? .identity : world[joint.parent]
            let place = (joint.parent < 0 ? .zero : placed[joint.parent]) + above * offsets[index]
            let stillParent = joint.parent < 0 ? .zero : still[joint.parent]
            if index == pelvis { pelvisOffset = above.transposed * (place - stillParent) }
            world.append(above * rotations[index])
            placed.append(place)
            still.append(stillParent + above * joint.offset)
        }
        self.init(rotations: rotations, pelvisOffset: pelvisOffset)
    }
}
