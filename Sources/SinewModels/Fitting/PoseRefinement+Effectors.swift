internal import SinewBody

extension PoseRefinement {
    /// Refines poses towards effectors: positions, orientations and look-at targets alike.
    ///
    /// An effector counts with its weight over its tolerance squared. Tolerances below 1 mm and 0.01 rad are read as these. Of several
    /// look-at effectors of one joint the heaviest counts, others of one kind and joint count together.
    ///
    /// - Parameters:
    ///   - solutions: what a model made of `effectors`; theta, translation, joints and both residuals change.
    ///   - steps: how many steps each person gets; twenty suffice even far from the solution.
    /// - Throws: ``ModelError/cancelled``, or ``ModelError`` when the bundled bodies cannot be loaded.
    public static func refine(
        _ solutions: inout PoseSolutions, toward effectors: EffectorObservations, steps: [Int], isCancelled: () -> Bool
    ) throws(ModelError) {
        guard steps.contains(where: { $0 > 0 }) else { return }
        let rest = try BodyLibrary.shared().restJoints(betas: effectors.betas, genders: effectors.genders)
        try refine(
            &solutions, toward: FitTargets(effectors), restJoints: rest, steps: steps, isCancelled: isCancelled)
        var joints = [Float](repeating: 0, count: solutions.count * 87)
        var globals = [Float](repeating: 0, count: solutions.count * 216)
        ForwardKinematics.pose(
            count: solutions.count, rotations: PoseRows.matrices(ofTheta: solutions.theta), restJoints: rest,
            joints: &joints, globalRotations: &globals)
        for person in 0..<solutions.count where steps[person] > 0 {
            let residual = EffectorResidual(
                EffectorRows.canonical(effectors, person), joints: solutions.joints, globals: globals,
                restJoints: rest, person: person)
            solutions.jointResidualMillimetres[person] = Float(1000 * residual.position)
            solutions.orientationResidualRadians[person] = Float(residual.orientation)
        }
    }
}

extension FitTargets {
    /// A smaller angular tolerance is read as this one, radians.
    private static let angleMin = 0.01

    /// The effectors of positive weight.
    package init(_ effectors: EffectorObservations) {
        self.init(count: effectors.count)
        positions = [Float](repeating: 0, count: count * 87)
        positionWeights = [Float](repeating: 0, count: count * 29)
        if effectors.kinds.contains(.rotation) {
            orientations = [Float](repeating: 0, count: count * 216)
            orientationWeights = [Float](repeating: 0, count: count * 24)
        }
        if effectors.kinds.contains(.lookAt) {
            lookAtDirections = [Float](repeating: 0, count: count * 72)
            lookAtPoints = [Float](repeating: 0, count: count * 72)
            lookAtWeights = [Float](repeating: 0, count: count * 24)
        }
        for person in 0..<count {
            // Sums are taken in the canonical order, so that the caller's does not matter.
            for effector in EffectorRows.canonical(effectors, person) { add(effector, person) }
        }
    }

    private mutating func add(_ effector: Effector, _ person: Int) {
        let joint = Int(effector.joint)
        let index = person * 24 + joint
        let isPlace = effector.kind == .position
        let tolerance = max(Double(effector.tolerance), isPlace ? Double(Self.deviationMin) : Self.angleMin)
        let weight = Double(effector.weight) / (tolerance * tolerance)
        switch effector.kind {
        case .position:
            let place = person * 29 + joint
            let before = Double(positionWeights[place])
            let mean =
                (before * positions.vector(at: place * 3) + weight * effector.place) / (before + weight)
            positions.store(mean, at: place * 3)
            positionWeights[place] = Float(before + weight)
        case .rotation:
            // The mean of matrices is no rotation, but their squared distances add up to the one from it and a constant.
            let before = Double(orientationWeights[index])
            let share = weight / (before + weight)
            let old = RotationMatrix(rowMajor: orientations, at: index * 9)
            let new = effector.orientation
            RotationMatrix(
                rows: (1 - share) * old.row0 + share * new.row0, (1 - share) * old.row1 + share * new.row1,
                (1 - share) * old.row2 + share * new.row2
            ).write(into: &orientations, at: index * 9)
            orientationWeights[index] = Float(before + weight)
        case .lookAt:
            guard weight > Double(lookAtWeights[index]) else { return }
            lookAtDirections.store(effector.unitAxis, at: index * 3)
            lookAtPoints.store(effector.place, at: index * 3)
            lookAtWeights[index] = Float(weight)
        }
    }
}
