/// The frame of the published NIKI checkpoints: x right, y down, z forward, where ours has y up and the person facing +z.
///
/// The two differ by half a turn about x, so changing twice changes nothing (models.md §1.3).
internal enum CameraFrame {
    /// Turns points, `[n, 3]`, in place.
    static func turn(points: inout [Float]) {
        for start in stride(from: 0, to: points.count, by: 3) {
            points[start + 1] = -points[start + 1]
            points[start + 2] = -points[start + 2]
        }
    }

    /// Turns the root rotations of `[count, 24, 3, 3]` in place; the others are relative to their parents.
    static func turn(rootsOf rotations: inout [Float]) {
        for person in stride(from: 0, to: rotations.count, by: 216) {
            for entry in 3..<9 { rotations[person + entry] = -rotations[person + entry] }
        }
    }
}
