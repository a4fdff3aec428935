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
