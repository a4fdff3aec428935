import SinewBody
import SinewModels

/// One person's fit written out in full, with derivatives by central differences: the reference for the fit along the tree.
struct DenseFit {
    let restJoints: [Float]
    /// Row `person` of the batch is fitted.
    let person: Int
    let targets: FitTargets

    /// Local rotations and translation.
    struct Pose {
        var locals: [RotationMatrix]
        var translation: SIMD3<Double>

        /// Turned by 72 local increments and moved by 3 numbers.
        func moved(by step: [Double]) -> Pose {
            var moved = self
            for joint in 0..<24 {
                let increment = SIMD3(step[joint * 3], step[joint * 3 + 1], step[joint * 3 + 2])
                moved.locals[joint] = locals[joint] * RotationMatrix(AxisAngle(increment))
            }
            moved.translation += SIMD3(step[72], step[73], step[74])
            return moved
        }
    }

    /// Global orientations and joints of a pose.
    func place(_ pose: Pose) -> (globals: [RotationMatrix], positions: [SIMD3<Double>]) {
        let parents = Skeleton.smpl29.parents
        var globals = pose.locals
        var positions = [SIMD3<Double>](repeating: .zero, count: 29)
        for joint in 0..<29 {
            let origin = restJoints.vector(at: person * 87 + joint * 3)
            let parent = parents[joint]
            guard parent >= 0 else {
                positions[joint] = origin + pose.translation
                continue
            }
            positions[joint] =
                positions[parent] + globals[parent] * (origin - restJoints.vector(at: person * 87 + parent * 3))
            if joint < 24 { globals[joint] = globals[parent] * pose.locals[joint] }
        }
        return (globals, positions)
    }

    /// All residuals, each multiplied by the root of its weight.
    func residuals(_ pose: Pose) -> [Double] {
        let (globals, positions) = place(pose)
        var residuals: [Double] = []
        func add(_ vector: SIMD3<Double>, _ weight: Float) {
            let scaled = Double(weight).squareRoot() * vector
            residuals += [scaled.x, scaled.y, scaled.z]
        }
        for joint in 0..<29 where !targets.positions.isEmpty {
            let wanted = targets.positions.vector(at: person * 87 + joint * 3)
            add(positions[joint] - wanted, targets.positionWeights[person * 29 + joint])
        }
        for joint in 0..<24 where !targets.orientations.isEmpty {
            let wanted = RotationMatrix(rowMajor: targets.orientations, at: person * 216 + joint * 9)
            let weight = 0.5 * targets.orientationWeights[person * 24 + joint]
            add(globals[joint].row0 - wanted.row0, weight)
            add(globals[joint].row1 - wanted.row1, weight)
            add(globals[joint].row2 - wanted.row2, weight)
        }
        for joint in 0..<24 where !targets.lookAtPoints.isEmpty {
            let way = targets.lookAtPoints.vector(at: person * 72 + joint * 3) - positions[joint]
            let looks = globals[joint] * targets.lookAtDirections.vector(at: person * 72 + joint * 3)
            add(looks - way / length(way), targets.lookAtWeights[person * 24 + joint])
        }
        return residuals
    }

    /// The Jacobian of ``residuals(_:)`` by the 75 numbers of ``Pose/moved(by:)``, one column each.
    func jacobian(_ pose: Pose) -> [[Double]] {
        let h = 1e-5
        return (0..<75).map { column in
            var step = [Double](repeating: 0, count: 75)
            step[column] = h
            let ahead = residuals(pose.moved(by: step))
            step[column] = -h
            let behind = residuals(pose.moved(by: step))
            return zip(ahead, behind).map { ($0 - $1) / (2 * h) }
        }
    }

    /// The solution of `(JᵀJ + diagonal) x = −(Jᵀr + slope)` by Gaussian elimination.
    func step(_ pose: Pose, diagonal: [Double], slope: [Double]) -> [Double] {
        let columns = jacobian(pose)
        let r = residuals(pose)
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        var rows = (0..<75).map { i in
            (0..<75).map { product(columns[i], columns[$0]) + (i == $0 ? diagonal[i] : 0) }
                + [-product(columns[i], r) - slope[i]]
        }
        for pivot in 0..<74 {
            for other in (pivot + 1)..<75 {
                let factor = rows[other][pivot] / rows[pivot][pivot]
                for column in pivot...75 { rows[other][column] -= factor * rows[pivot][column] }
            }
        }
        var x = [Double](repeating: 0, count: 75)
        for row in (0..<75).reversed() {
            var value = rows[row][75]
            for column in row..<74 { value -= rows[row][column + 1] * x[column + 1] }
            x[row] = value / rows[row][row]
        }
        return x
    }
}
