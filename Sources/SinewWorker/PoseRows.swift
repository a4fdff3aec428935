internal import SinewModels

extension PoseObservations {
    /// Adds the people of another batch behind those of this one.
    mutating func append(_ other: PoseObservations) {
        count += other.count
        joints += other.joints
        sigma += other.sigma
        observed += other.observed
        twists += other.twists
        hasTwists += other.hasTwists
        betas += other.betas
        genders += other.genders
    }
}

extension PoseSolutions {
    /// Takes over one person's poses from another batch.
    mutating func copyRow(_ row: Int, from other: PoseSolutions, row source: Int) {
        func copy(_ target: inout [Float], _ values: [Float], _ width: Int) {
            for column in 0..<width { target[row * width + column] = values[source * width + column] }
        }
        copy(&theta, other.theta, 72)
        copy(&translation, other.translation, 3)
        copy(&joints, other.joints, 87)
        copy(&latentNorm, other.latentNorm, 1)
        copy(&jointResidualMillimetres, other.jointResidualMillimetres, 1)
        copy(&boneLengthChange, other.boneLengthChange, 1)
        unobservedJoints[row] = other.unobservedJoints[source]
    }

    /// Whether all of a person's numbers are finite.
    func isFinite(row: Int) -> Bool {
        func isFinite(_ values: [Float], _ width: Int) -> Bool {
            values[row * width..<(row + 1) * width].allSatisfy { $0.isFinite }
        }
        return isFinite(theta, 72) && isFinite(translation, 3) && isFinite(joints, 87) && isFinite(latentNorm, 1)
            && isFinite(jointResidualMillimetres, 1) && isFinite(boneLengthChange, 1)
    }
}
