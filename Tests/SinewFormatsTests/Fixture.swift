import Foundation
import SinewArrayFiles
import SinewBody
import SinewFormats

/// The path of a committed fixture.
func fixture(_ name: String) -> String {
    Bundle.module.bundlePath + "/Fixtures/" + name
}

/// A folder of this test's own, removed by ``discard(_:)``.
func scratchFolder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/sinew-formats-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// Removes a scratch folder; what is left of it would only waste space.
func discard(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
}

/// What is in a folder.
func contents(of folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// An upright adult in the 24-joint order, metres, y up: the open body at rest with its arms spread.
func figure() throws -> [Float] {
    Array(try BodyModel.bundled(.neutral).restJoints(betas: [])[..<72])
}

/// Writes arrays to an `.npz` and reads it as observations.
func reading(
    _ arrays: [(String, NDArray)], options: PoseInput.Options = PoseInput.Options()
) throws -> PoseInput {
    let folder = try scratchFolder()
    defer { discard(folder) }
    var writer = NPZWriter()
    for (name, array) in arrays { writer.add(name, array) }
    try writer.write(to: folder + "/in.npz")
    return try PoseInput.read(path: folder + "/in.npz", options: options)
}

/// Writes lines and reads them as observations.
func reading(lines: [String], name: String = "in.jsonl") throws -> PoseInput {
    let folder = try scratchFolder()
    defer { discard(folder) }
    try AtomicFile.write(Array(lines.joined(separator: "\n").utf8), to: folder + "/" + name)
    return try PoseInput.read(path: folder + "/" + name)
}

/// The largest difference; infinite for different lengths.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}
