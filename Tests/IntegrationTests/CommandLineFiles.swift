import Glibc
import SinewArrayFiles
import SinewBody
import TestSupport

/// A folder that is there for one test.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/sinew-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Trouble("cannot make a temporary folder") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeAll(folder) }
    return try await body(folder)
}

/// The names in a folder, sorted.
func names(in folder: String) -> [String] {
    guard let listing = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(listing) }
    var names: [String] = []
    while let entry = unsafe readdir(listing) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Removes a file, or a folder with everything in it.
func removeAll(_ path: String) {
    for name in names(in: path) { removeAll("\(path)/\(name)") }
    if unsafe rmdir(path) != 0 { _ = unsafe unlink(path) }
}

/// Changes who may do what with a file.
func changeMode(_ mode: UInt32, of path: String) throws {
    guard unsafe chmod(path, mode_t(mode)) == 0 else { throw Trouble("cannot change the mode of \(path)") }
}

/// Writes a small text file.
func write(_ text: String, to path: String) throws { try AtomicFile.write(Array(text.utf8), to: path) }

/// People that stand and move their limbs a little, as `sinew solve` reads them.
struct PeopleFile {
    var joints: [Float] = []
    let rows: Int
    var unit = "m"
    var skeleton = "smpl-29"
    var scale: Float = 1

    /// Random poses of the neutral body near the rest pose.
    init(rows: Int, seed: UInt64) throws {
        self.rows = rows
        var random = SplitMix64(seed: seed)
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
        for row in 0..<rows {
            var rotations: [Float] = []
            for _ in 0..<24 {
                let vector = SIMD3<Double>(
                    .random(in: -0.3...0.3, using: &random), .random(in: -0.3...0.3, using: &random),
                    .random(in: -0.3...0.3, using: &random))
                var matrix = [Float](repeating: 0, count: 9)
                RotationMatrix(AxisAngle(vector)).write(into: &matrix, at: 0)
                rotations += matrix
            }
            let posed = ForwardKinematics.pose(rotations: rotations, restJoints: rest).joints
            // Somewhere on a line, a hand's breadth a frame.
            joints += posed.enumerated().map { $0 % 3 == 0 ? $1 + Float(row) * 0.001 : $1 }
        }
    }

    /// The archive's bytes.
    func encoded(shape: [Int]? = nil) throws -> [UInt8] {
        var writer = NPZWriter(compression: .stored)
        writer.add("joints3d", .float32(joints.map { $0 * scale }, shape: shape ?? [rows, 29, 3]))
        writer.add("skeleton", .strings([skeleton], shape: []))
        writer.add("unit", .strings([unit], shape: []))
        return try writer.encode()
    }
}
