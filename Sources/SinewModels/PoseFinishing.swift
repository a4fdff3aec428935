internal import SinewBody

/// Turns local rotations into a person's row of ``PoseSolutions``: axis-angle, translation, joints and quality.
///
/// Every model ends here, so that translation and quality mean the same whoever solved. Four people are finished at once, lane =
/// person; a person's bits do not depend on the others.
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
        var chain = LaneChain()
        var seen = ObservedLanes()
        for people in LanePeople.groups(of: observations.count) {
            chain.place(people, rotations: rotations, rest: restJoints)
            for joint in 0..<Skeleton.rotationCount {
                let local = people.matrix(rotations, width: 216, at: joint * 9)
                people.store(local.rotationVector, into: &solutions.theta, width: 72, at: joint * 3)
            }
            seen.read(people, observations)
            let translation =
                translations.map { people.vector($0, width: 3, at: 0) } ?? seen.translation(from: chain.positions)
            people.store(translation, into: &solutions.translation, width: 3, at: 0)
            for joint in 0..<Skeleton.positionCount {
                let position = chain.positions[joint] + translation
                people.store(position, into: &solutions.joints, width: 87, at: joint * 3)
            }
            let residual = seen.residual(to: chain.positions, translation: translation)
            people.store(1000 * residual, into: &solutions.jointResidualMillimetres, width: 1, at: 0)
            let change = seen.boneLengthChange(people, rest: restJoints)
            people.store(change, into: &solutions.boneLengthChange, width: 1, at: 0)
            for lane in 0..<people.count {
                let row = people.row(lane)
                let count = (observations.observed[row] & 0x1FFF_FFFF).nonzeroBitCount
                solutions.unobservedJoints[row] = Int32(Skeleton.positionCount - count)
            }
        }
        return solutions
    }
}
