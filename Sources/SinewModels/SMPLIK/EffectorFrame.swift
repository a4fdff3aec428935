internal import Glibc
internal import SinewBody

/// What stands between effectors and the network (`tools/train/CONDITIONING.md`).
internal enum EffectorConditioning: Sendable {
    /// Nothing but the reference.
    case none
    /// The axes of the published checkpoints: their people stand along z, ours along y.
    case zUp
    /// Every person's own heading and size.
    case heading(EffectorHeading)
}

/// How one person's effectors were moved before the network, and what brings its output back.
internal struct EffectorFrame: Sendable {
    /// What is done to vectors.
    private enum Turn: Sendable {
        case none
        /// `(x, y, z)` becomes `(x, −z, y)`.
        case zUp
        /// A heading, as cosine and sine, is taken out and lengths are divided; far look-at targets are drawn nearer, and the root that
        /// the network places is the pelvis.
        case heading(SIMD2<Double>, scale: Double)
    }

    /// What positions are relative to: the weighted mean of the positional effectors.
    let reference: SIMD3<Double>
    private let turn: Turn

    /// The frame of one person; row `person` of `[n, 29, 3]` rest joints.
    init(
        _ conditioning: EffectorConditioning, of effectors: [Effector], reference: SIMD3<Double>, restJoints: [Float],
        person: Int
    ) {
        self.reference = reference
        switch conditioning {
        case .none: turn = .none
        case .zUp: turn = .zUp
        case .heading(let tables):
            let scale = EffectorHeading.scale(of: restJoints, person: person)
            turn = .heading(tables.heading(of: effectors, reference: reference, scale: scale), scale: scale)
        }
    }

    /// The six data values of an effector (step 5).
    func data(of effector: Effector) -> (SIMD3<Double>, SIMD3<Double>) {
        switch effector.kind {
        case .position: return (inFrame(effector.place), .zero)
        case .rotation:
            let matrix = effector.orientation
            switch turn {
            case .none: return (matrix.row0, matrix.row1)
            case .zUp: return (matrix.row0, -matrix.row2)
            case .heading(let heading, _): return (heading.x * matrix.row0 - heading.y * matrix.row2, matrix.row1)
            }
        case .lookAt:
            let target = inFrame(effector.place)
            switch turn {
            case .none, .zUp: return (target, effector.unitAxis)
            case .heading:
                let distance = length(target)
                let squeeze = distance >= 1e-6 ? log1p(distance) / distance : 1
                return (squeeze * target, effector.unitAxis)
            }
        }
    }

    /// SMPL `transl` of the first row of the position decoder (step 6).
    ///
    /// The published networks place `transl` itself. SMPL adds it to a body that is turned about its rest pelvis, which is not at the
    /// origin, so between worlds with other axes it is the pelvis that is led over.
    func translation(of root: SIMD3<Double>, restPelvis: SIMD3<Double>) -> SIMD3<Double> {
        switch turn {
        case .none: reference + root
        case .zUp: reference + Self.zUpToModel(root + restPelvis) - restPelvis
        case .heading(let heading, let scale):
            reference + scale
                * SIMD3(heading.x * root.x + heading.y * root.z, root.y, -heading.y * root.x + heading.x * root.z)
                - restPelvis
        }
    }

    /// Leads the root rotation of a person of `[n, 24, 3, 3]` back to the frame of the effectors.
    func turnOut(rootOf person: Int, in rotations: inout [Float]) {
        let base = person * 216
        switch turn {
        case .none: break
        case .zUp:
            for column in 0..<3 {
                let (middle, bottom) = (rotations[base + 3 + column], rotations[base + 6 + column])
                rotations[base + 3 + column] = bottom
                rotations[base + 6 + column] = -middle
            }
        case .heading(let heading, _):
            HeadingFrame.turn(&rotations, at: base, cos: Float(heading.x), sin: Float(heading.y))
        }
    }

    private func inFrame(_ place: SIMD3<Double>) -> SIMD3<Double> {
        let v = place - reference
        switch turn {
        case .none: return v
        case .zUp: return SIMD3(v.x, -v.z, v.y)
        case .heading(let heading, let scale):
            return SIMD3(heading.x * v.x - heading.y * v.z, v.y, heading.y * v.x + heading.x * v.z) / scale
        }
    }

    private static func zUpToModel(_ v: SIMD3<Double>) -> SIMD3<Double> { SIMD3(v.x, v.z, -v.y) }
}

extension Effector {
    /// The first three values: a place of positional and look-at effectors.
    var place: SIMD3<Double> { SIMD3(Double(values[0]), Double(values[1]), Double(values[2])) }

    /// The direction of a look-at effector; one that has none counts as ahead.
    var unitAxis: SIMD3<Double> {
        direction(SIMD3(Double(values[3]), Double(values[4]), Double(values[5]))) ?? SIMD3(0, 0, 1)
    }

    /// The rotation of a rotation effector, orthonormal.
    var orientation: RotationMatrix { Rotation6DRows(values: SIMD8<Double>(values)).matrix }
}
