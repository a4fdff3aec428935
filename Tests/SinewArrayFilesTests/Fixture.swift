import Foundation

/// The path of a committed fixture.
func fixture(_ name: String) -> String {
    Bundle.module.bundlePath + "/Fixtures/" + name
}

/// A folder of this test's own, removed by ``discard(_:)``.
func scratchFolder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/sinew-arrays-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// Removes a scratch folder; what is left of it would only waste space.
func discard(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
}
