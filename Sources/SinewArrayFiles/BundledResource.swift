internal import Foundation

/// Where a file or folder that ships with the package may lie.
package enum BundledResource {
    /// Beside the executable, in the share folder of an installation, and in the source tree of a development build, in this order.
    ///
    /// The generated `Bundle.module` looks in the first and in the build folder only, and stops the process when both fail.
    ///
    /// - Parameters:
    ///   - item: the path below the target's `Resources` folder, for example `bodies`.
    ///   - target: the target that the resource belongs to, for example `SinewBody`.
    package static func places(of item: String, target: String) -> [String] {
        let executable = Bundle.main.bundlePath
        let sources = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let bundle = bundleName(of: target)
        return [
            "\(executable)/\(bundle)/\(item)", "\(executable)/../share/sinew/\(bundle)/\(item)",
            "/\(sources)/\(target)/Resources/\(item)",
        ]
    }

    /// The folder that the build makes of a target's resources.
    package static func bundleName(of target: String) -> String { "sinew_\(target).resources" }
}
