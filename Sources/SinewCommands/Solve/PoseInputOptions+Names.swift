internal import ArgumentParser
internal import SinewFormats

extension PoseInput.Options {
    /// What `--unit`, `--up-axis` and `--skeleton` say; nil leaves it to the file.
    ///
    /// - Throws: `ValidationError` for a name that is not known.
    init(unitNamed unit: String?, upAxisNamed upAxis: String?, skeleton: String?) throws {
        self.init(skeletonName: skeleton)
        if let unit {
            guard let known = LengthUnit(named: unit) else {
                throw ValidationError("--unit '\(unit)' is not known; use m, cm or mm")
            }
            self.unit = known
        }
        if let upAxis {
            guard let known = UpAxis(named: upAxis) else {
                throw ValidationError("--up-axis '\(upAxis)' is not known; use y, z, -y, …")
            }
            self.upAxis = known
        }
    }
}
