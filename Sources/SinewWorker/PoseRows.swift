package import SinewModels

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

    /// Some of the people, as a batch of their own.
    package func rows(_ range: Range<Int>) -> PoseObservations {
        func part<Element>(_ values: [Element], _ width: Int) -> [Element] {
            Array(values[range.lowerBound * width..<range.upperBound * width])
        }
        return PoseObservations(
            count: range.count, joints: part(joints, 87), sigma: part(sigma, 29), observed: part(observed, 1),
            twists: part(twists, 23), hasTwists: part(hasTwists, 1), betas: part(betas, 10), genders: part(genders, 1))
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
