internal import SinewBody
internal import SinewKernels
package import SinewModels

/// Times a model on people at rest, for ``BatchTable``.
///
/// Timing hardly depends on the pose, and a person at rest can be solved by every model.
package struct BatchTimer {
    private let restJoints: [Float]

    /// Loads the neutral body; nil when it is missing.
    package init?() {
        guard let body = try? BodyModel.bundled(.neutral) else { return nil }
        restJoints = body.restJoints(betas: [Float](repeating: 0, count: BodyModel.shapeCount))
    }

    /// The time of one batch of `size` people; nil when the model was cancelled or refused them.
    ///
    /// - Parameter team: its helpers are asleep when the batch begins, as a batch that is alone finds them.
    package func seconds(
        of model: any PoseModel, size: Int, on team: ComputeTeam = .alone, isCancelled: () -> Bool
    ) -> Double? {
        let batch = people(size)
        team.threads.settle()
        let begin = ContinuousClock.now
        guard (try? model.solve(batch, on: team, isCancelled: isCancelled)) != nil else { return nil }
        let taken = (ContinuousClock.now - begin).components
        return Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
    }

    private func people(_ count: Int) -> PoseObservations {
        var joints: [Float] = []
        joints.reserveCapacity(count * restJoints.count)
        for _ in 0..<count { joints += restJoints }
        return PoseObservations(
            count: count, joints: joints, sigma: Array(repeating: RequestFields.sigmaDefault, count: count * 29),
            observed: Array(repeating: (1 << 29) - 1, count: count), twists: Array(repeating: 0, count: count * 23),
            hasTwists: Array(repeating: false, count: count), betas: Array(repeating: 0, count: count * 10),
            genders: Array(repeating: .neutral, count: count))
    }
}
