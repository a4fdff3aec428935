import Foundation
import SinewArrayFiles
import SinewBody
import TestSupport

/// The path of a committed fixture.
func fixture(_ name: String) -> String {
    Bundle.module.bundlePath + "/Fixtures/" + name
}

/// A folder of this test's own, removed by ``discard(_:)``.
func scratchFolder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/sinew-body-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// Removes a scratch folder; what is left of it would only waste space.
func discard(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
}

/// Row-major matrices of rows of axis-angle vectors.
func matrices(ofAxisAngles theta: ArraySlice<Float>) -> [Float] {
    let theta = Array(theta)
    var result = [Float](repeating: 0, count: theta.count * 3)
    for index in 0..<(theta.count / 3) {
        RotationMatrix(AxisAngle(theta.vector(at: index * 3))).write(into: &result, at: index * 9)
    }
    return result
}

/// The largest difference of two arrays of equal length.
func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
    precondition(a.count == b.count)
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

extension RotationMatrix {
    /// A rotation drawn uniformly.
    static func random(using random: inout SplitMix64) -> RotationMatrix {
        var numbers: [Double] = []
        while numbers.count < 4 {
            // Points of a cube outside the ball are thrown away, so that the direction is uniform.
            numbers = (0..<4).map { _ in Double.random(in: -1...1, using: &random) }
            let square = numbers.reduce(0) { $0 + $1 * $1 }
            if square > 1 || square < 1e-4 { numbers = [] }
        }
        return RotationMatrix(Quaternion(w: numbers[0], x: numbers[1], y: numbers[2], z: numbers[3]))
    }

    /// The largest difference of two entries.
    func distance(to other: RotationMatrix) -> Double {
        [row0 - other.row0, row1 - other.row1, row2 - other.row2]
            .map { max(abs($0.x), abs($0.y), abs($0.z)) }.max() ?? 0
    }
}
