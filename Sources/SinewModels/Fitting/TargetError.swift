package import SinewBody

/// The weighted squared error of poses against their targets, and its linearisation.
///
/// `E = ½ Σ w ‖p_j + t − k_j‖² + ½ Σ w ‖G_i − T_i‖²_F / 2 + ½ Σ w ‖G_i d_i − n_i‖²` over position, orientation and look-at targets;
/// `n_i` is the direction from the joint to the point. The chordal distance of orientations is their angle for small ones, is smooth
/// up to half a turn, and its Jacobian satisfies JᵀJ = I exactly.
package enum TargetError {
    /// The errors `E`.
    package static func value(of pose: borrowing FittedPose, _ targets: borrowing LaneTargets) -> Lanes {
        var sum = Lanes.zero
        for joint in 0..<Skeleton.positionCount {
            let residual = pose.positions[joint] + pose.translation - targets.positions[joint]
            sum += targets.positionWeights[joint] * dot(residual, residual)
        }
        if targets.hasOrientations {
            for joint in 0..<Skeleton.rotationCount {
                let away = pose.globals[joint] * targets.orientations[joint].transposed
                sum += targets.orientationWeights[joint] * (3 - away.trace)
            }
        }
        if targets.hasLookAts {
            for joint in 0..<Skeleton.rotationCount {
                let residual = look(joint, pose, targets).residual
                sum += targets.lookAtWeights[joint] * dot(residual, residual)
            }
        }
        return 0.5 * sum
    }

    /// The linearised error as a function of each body's motion (joints 0…23, leaves with their parents), not yet summed over the tree.
    static func linearise(
        _ pose: borrowing FittedPose, _ targets: borrowing LaneTargets, into bodies: inout [SpatialQuadratic]
    ) {
        for joint in 0..<Skeleton.rotationCount {
            bodies[joint] = SpatialQuadratic()
            let residual = pose.positions[joint] + pose.translation - targets.positions[joint]
            bodies[joint].addJoint(residual: residual, weight: targets.positionWeights[joint])
        }
        for leaf in Skeleton.rotationCount..<Skeleton.positionCount {
            let body = FittedPose.parents[leaf]
            bodies[body].addPoint(
                residual: pose.positions[leaf] + pose.translation - targets.positions[leaf],
                offset: pose.positions[leaf] - pose.positions[body], weight: targets.positionWeights[leaf])
        }
        if targets.hasOrientations {
            for joint in 0..<Skeleton.rotationCount {
                let away = pose.globals[joint] * targets.orientations[joint].transposed
                bodies[joint].addTurn(
                    sineAxis: Lanes(repeating: 0.5) * away.doubledSineAxis, weight: targets.orientationWeights[joint])
            }
        }
        if targets.hasLookAts {
            for joint in 0..<Skeleton.rotationCount {
                let look = look(joint, pose, targets)
                bodies[joint].add(
                    residual: look.residual, angular: .crossing(-look.direction), linear: look.slope,
                    weight: targets.lookAtWeights[joint])
            }
        }
    }

    /// The error of a look-at target, the direction that looks, and the error's derivative by the joint's velocity.
    @inline(__always)
    private static func look(
        _ joint: Int, _ pose: borrowing FittedPose, _ targets: borrowing LaneTargets
    ) -> (residual: LaneVector, direction: LaneVector, slope: LaneMatrix) {
        let direction = pose.globals[joint] * targets.lookAtDirections[joint]
        let way = targets.lookAtPoints[joint] - pose.positions[joint] - pose.translation
        // Nearer than a millimetre a point has no direction; the error is then bounded and the step small.
        let distance = way.length
        let floor = Lanes(repeating: 1e-3)
        let inverse = 1 / distance.selected(distance .> floor, else: floor)
        let n = inverse * way
        // d n = −(I − n nᵀ) v / distance.
        let slope = LaneMatrix(
            rows: inverse * (LaneVector(Lanes(repeating: 1), .zero, .zero) - n.x * n),
            inverse * (LaneVector(.zero, Lanes(repeating: 1), .zero) - n.y * n),
            inverse * (LaneVector(.zero, .zero, Lanes(repeating: 1)) - n.z * n))
        return (direction - n, direction, slope)
    }
}
