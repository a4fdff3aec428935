internal import Glibc
internal import SinewBody

/// Tells a person's heading from any set of effectors, by constant tables that came with the checkpoint.
///
/// Complex numbers, (real, imaginary), say how a horizontal direction bears on the heading: a turn by ψ about the vertical multiplies
/// the direction by e^{iψ}.
/// - Source: `tools/train/CONDITIONING.md`, `effector-heading`.
internal struct EffectorHeading: Sendable {
    /// `[24, 24]` for two positional effectors.
    private let pairs: [SIMD2<Double>]
    /// `[24, 3]` for the three horizontal columns of a rotation.
    private let rotations: [SIMD2<Double>]
    /// `[24, 3]` for the three parts of a look-at direction.
    private let lookAts: [SIMD2<Double>]

    /// The tolerance at which an effector is trusted half.
    private static let toleranceReference = 0.1
    /// Sum of the 23 bones of a body of scale 1, metres.
    private static let bonesReference = 4.5
    private static let lookAtReference = 0.5

    /// Reads `heading.{pairs,rotations,look_ats}`.
    init(_ reader: inout WeightsReader) throws(ModelError) {
        func complex(_ values: [Float]) -> [SIMD2<Double>] {
            (0..<(values.count / 2)).map { SIMD2(Double(values[2 * $0]), Double(values[2 * $0 + 1])) }
        }
        pairs = complex(try reader.values("heading.pairs", shape: [24, 24, 2]))
        rotations = complex(try reader.values("heading.rotations", shape: [24, 3, 2]))
        lookAts = complex(try reader.values("heading.look_ats", shape: [24, 3, 2]))
    }

    /// The size of a body by its bones: row `person` of `[n, 29, 3]` rest joints (step 1).
    static func scale(of restJoints: [Float], person: Int) -> Double {
        var sum = 0.0
        for joint in 1..<Skeleton.rotationCount {
            let parent = Skeleton.smpl24.parents[joint]
            sum += length(
                restJoints.vector(at: person * 87 + joint * 3) - restJoints.vector(at: person * 87 + parent * 3))
        }
        return sum / bonesReference
    }

    /// Cosine and sine of the heading of one person's effectors (steps 2 to 4).
    func heading(of effectors: [Effector], reference: SIMD3<Double>, scale: Double) -> SIMD2<Double> {
        let trusts = effectors.map { effector in
            let miss = Double(effector.tolerance) / Self.toleranceReference
            return Double(effector.weight) / (1 + miss * miss)
        }
        var evidence = positionEvidence(effectors, trusts, reference: reference, scale: scale)
        for (effector, trust) in zip(effectors, trusts) {
            let joint = Int(effector.joint)
            switch effector.kind {
            case .position: break
            case .rotation:
                let matrix = effector.orientation
                for column in 0..<3 {
                    let turned = SIMD2(matrix.row2[column], matrix.row0[column])
                    evidence += trust * product(rotations[joint * 3 + column], turned)
                }
            case .lookAt:
                let offset = effector.place - reference
                var expected = SIMD2<Double>.zero
                let axis = effector.unitAxis
                for part in 0..<3 { expected += axis[part] * lookAts[joint * 3 + part] }
                let seen = horizontal(offset) / (length(offset) + Self.lookAtReference * scale)
                evidence += trust * product(seen, SIMD2(expected.x, -expected.y))
            }
        }
        let norm = (evidence * evidence).sum().squareRoot()
        return norm < 1e-6 ? SIMD2(1, 0) : evidence / norm
    }

    private func positionEvidence(
        _ effectors: [Effector], _ trusts: [Double], reference: SIMD3<Double>, scale: Double
    ) -> SIMD2<Double> {
        var sum = SIMD2<Double>.zero
        var total = 0.0
        for (index, effector) in effectors.enumerated() where effector.kind == .position {
            var partners = SIMD2<Double>.zero
            for (other, partner) in effectors.enumerated() where partner.kind == .position {
                partners += trusts[other] * pairs[Int(effector.joint) * 24 + Int(partner.joint)]
            }
            sum += trusts[index] * product(partners, horizontal(effector.place - reference) / scale)
            total += trusts[index]
        }
        return sum / max(total, 1e-6)
    }

    private func horizontal(_ v: SIMD3<Double>) -> SIMD2<Double> { SIMD2(v.z, v.x) }

    private func product(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
        SIMD2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
    }
}

/// How one person's effectors were moved before the network, and what brings its output back.
internal struct EffectorFrame: Sendable {
    /// What positions are relative to: the weighted mean of the positional effectors.
    let reference: SIMD3<Double>
    /// Cosine and sine of the heading that is taken out.
    let heading: SIMD2<Double>
    /// What lengths are divided by.
    let scale: Double
    /// Whether the conditioning is `effector-heading`: far look-at targets are drawn nearer, and the root is the pelvis.
    let isCanonical: Bool

    /// `R_y(−ψ) · v`.
    func turnedIn(_ v: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3(heading.x * v.x - heading.y * v.z, v.y, heading.y * v.x + heading.x * v.z)
    }

    /// `R_y(ψ) · v`.
    func turnedOut(_ v: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3(heading.x * v.x + heading.y * v.z, v.y, -heading.y * v.x + heading.x * v.z)
    }

    /// The six data values of an effector (step 5; `none` neither turns nor scales).
    func data(of effector: Effector) -> (SIMD3<Double>, SIMD3<Double>) {
        switch effector.kind {
        case .position: return (inFrame(effector.place), .zero)
        case .rotation:
            let matrix = effector.orientation
            return (heading.x * matrix.row0 - heading.y * matrix.row2, matrix.row1)
        case .lookAt:
            let target = inFrame(effector.place)
            let distance = length(target)
            let squeeze = isCanonical && distance >= 1e-6 ? log1p(distance) / distance : 1
            return (squeeze * target, effector.unitAxis)
        }
    }

    /// SMPL `transl` of the first row of the position decoder (step 6).
    func translation(of root: SIMD3<Double>, restPelvis: SIMD3<Double>) -> SIMD3<Double> {
        let placed = reference + scale * turnedOut(root)
        return isCanonical ? placed - restPelvis : placed
    }

    private func inFrame(_ place: SIMD3<Double>) -> SIMD3<Double> { turnedIn(place - reference) / scale }
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
