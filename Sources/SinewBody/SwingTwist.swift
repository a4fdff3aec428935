#if canImport(Glibc)
    internal import Glibc
#endif

/// A joint's rotation as a swing of its bone after a twist about it: `R = swing · twist`.
///
/// The swing is the shortest turn from the rest bone to the posed bone; the twist is about the rest bone and does not move it.
/// - Source: models.md §2.2, §2.3, §2.7. Where the bones are antiparallel the released code gives the identity; here the
///   swing is a half turn about a fixed axis at a right angle to the bone.
public struct SwingTwist: Sendable, Hashable {
    /// The shortest turn from the rest bone to the posed bone.
    public var swing: RotationMatrix
    /// The turn about the rest bone in radians, `(−π, π]`.
    public var twistAngle: Double

    /// Creates a pair.
    public init(swing: RotationMatrix, twistAngle: Double) {
        self.swing = swing
        self.twistAngle = twistAngle
    }

    /// Splits a rotation.
    ///
    /// - Parameter restBone: the bone from the joint to its child in the rest pose; any length but zero (a zero bone gives
    ///   the identity swing and twist 0).
    public init(_ rotation: RotationMatrix, restBone: SIMD3<Double>) {
        guard let axis = direction(restBone) else {
            self.init(swing: .identity, twistAngle: 0)
            return
        }
        let swing = Self.swing(from: axis, to: rotation * axis)
        let twist = swing.transposed * rotation
        let vector = SIMD3(twist.row2.y - twist.row1.z, twist.row0.z - twist.row2.x, twist.row1.x - twist.row0.y)
        let angle = atan2(0.5 * dot(axis, vector), 0.5 * (twist.trace - 1))
        self.init(swing: swing, twistAngle: angle <= -.pi ? angle + 2 * .pi : angle)
    }

    /// The rotation: `swing · twist`.
    public func rotation(restBone: SIMD3<Double>) -> RotationMatrix {
        swing * Self.twist(about: restBone, angle: twistAngle)
    }

    /// The shortest turn that takes the direction of `source` to that of `target`; the identity when either vanishes.
    public static func swing(from source: SIMD3<Double>, to target: SIMD3<Double>) -> RotationMatrix {
        guard let a = direction(source), let b = direction(target) else { return .identity }
        let normal = cross(a, b)
        let sine = length(normal)
        let cosine = dot(a, b)
        if sine < 1e-12 {
            return cosine > 0 ? .identity : RotationMatrix(unitAxis: perpendicular(to: a), cosine: -1, sine: 0)
        }
        return RotationMatrix(unitAxis: normal / sine, cosine: cosine, sine: sine)
    }

    /// The turn about a bone; the identity when the bone has no length.
    public static func twist(about bone: SIMD3<Double>, angle: Double) -> RotationMatrix {
        twist(about: bone, cosine: cos(angle), sine: sin(angle))
    }

    /// The turn about a bone by an angle given as cosine and sine.
    package static func twist(about bone: SIMD3<Double>, cosine: Double, sine: Double) -> RotationMatrix {
        guard let axis = direction(bone) else { return .identity }
        return RotationMatrix(unitAxis: axis, cosine: cosine, sine: sine)
    }
}

extension SpatialMatrix {
    /// The shortest turns from directions to directions, as ``SwingTwist/swing(from:to:)`` makes them one by one.
    @inlinable
    package static func swing(from source: SpatialVector<Number>, to target: SpatialVector<Number>) -> SpatialMatrix {
        let one = Number(repeating: 1)
        let tiny = Number(repeating: 1e-12)
        let (sourceNorm, targetNorm) = (source.length, target.length)
        let isDefined = (sourceNorm .> tiny) .& (targetNorm .> tiny)
        let a = sourceNorm.selected(isDefined, else: one).reciprocal * source
        let b = targetNorm.selected(isDefined, else: one).reciprocal * target
        let normal = cross(a, b)
        let sine = normal.length
        let cosine = dot(a, b)
        let isTurned = isDefined .& (sine .>= tiny)
        let axis = sine.selected(isTurned, else: one).reciprocal * normal
        var swing = SpatialMatrix(unitAxis: axis, cosine: cosine, sine: sine).selected(isTurned, else: .identity)
        // Antiparallel bones are rare and need a case distinction: one by one.
        let isOpposite = isDefined .& .!isTurned .& (cosine .< .zero)
        if isOpposite.isAny {
            for lane in 0..<Number.laneCount where isOpposite[lane: lane] {
                swing[lane] = SwingTwist.swing(from: source[lane], to: target[lane])
            }
        }
        return swing
    }
}
