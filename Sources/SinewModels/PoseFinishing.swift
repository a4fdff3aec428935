internal import SinewBody

/// Turns local rotations into a person's row of ``PoseSolutions``: axis-angle, translation, joints and quality.
///
/// Every model ends here, so that translation and quality mean the same whoever solved. A person's bits do
/// not depend on the others.
package enum PoseFinishing {
    /// Finishes a whole batch.
    ///
    /// - Shape: `rotations` `[count, 24, 3, 3]` row-major, `restJoints` `[count, 29, 3]`, `latentNorms` `[count]` or empty for
    ///   solvers without an error code; `translations` `[count, 3]` of solvers that find it themselves.
    /// - Frame: rotations are in the frame of the observations. The translation puts the posed pelvis on the observed one; where the
    ///   pelvis was not observed, it centres the solved joints on the observed ones. A solver's own translation stays.
    package static func finish(
        rotations: [Float], observations: PoseObservations, restJoints: [Float], latentNorms: [Float] = [],
        translations: [Float]? = nil
    ) -> PoseSolutions {
        var solutions = PoseSolutions(count: observations.count)
        if !latentNorms.isEmpty { solutions.latentNorm = latentNorms }
        RotationRows.rotationVectors(ofMatrices: rotations, into: &solutions.theta)
        let split = LaneSplit(rowCount: observations.count)
        place(Lanes.self, split.wide, rotations, observations, restJoints, translations, into: &solutions)
        place(Double.self, split.single, rotations, observations, restJoints, translations, into: &solutions)
        for person in 0..<observations.count {
            let count = (observations.observed[person] & 0x1FFF_FFFF).nonzeroBitCount
            solutions.unobservedJoints[person] = Int32(Skeleton.positionCount - count)
        }
        return solutions
    }

    /// Finishes what a network made of a batch.
    static func finish(
        _ output: NetworkOutput, observations: PoseObservations, restJoints: [Float]
    ) -> PoseSolutions {
        finish(
            rotations: output.rotations, observations: observations, restJoints: restJoints,
            latentNorms: output.latentNorm)
    }

    /// Everything but the axis-angles: what needs the posed joints.
    private static func place<Number: LaneNumber>(
        _: Number.Type, _ range: Range<Int>, _ rotations: [Float], _ observations: PoseObservations,
        _ restJoints: [Float], _ translations: [Float]?, into solutions: inout PoseSolutions
    ) {
        guard !range.isEmpty else { return }
        var chain = PosedChain<Number>()
        var seen = ObservedPeople<Number>()
        for people in LaneRows<Number>.groups(range) {
            chain.place(people, rotations: rotations, rest: restJoints)
            seen.read(people, observations)
            let translation =
                translations.map { people.vector($0, width: 3, at: 0) } ?? seen.translation(from: chain.positions)
            people.store(translation, into: &solutions.translation, width: 3, at: 0)
            for joint in 0..<Skeleton.positionCount {
                let position = chain.positions[joint] + translation
                people.store(position, into: &solutions.joints, width: 87, at: joint * 3)
            }
            let residual = seen.residual(to: chain.positions, translation: translation)
            people.store(residual.times(1000), into: &solutions.jointResidualMillimetres, width: 1, at: 0)
            let change = seen.boneLengthChange(people, rest: restJoints)
            people.store(change, into: &solutions.boneLengthChange, width: 1, at: 0)
        }
    }
}
