internal import SinewBody

/// A quadratic function of a body's motion, `½ ωᵀA ω + ωᵀB v + ½ vᵀC v + m·ω + f·v`, for each lane.
///
/// `ω` is the angular velocity of the body and `v` the velocity of its own joint, both in the world frame. A target's squared error,
/// linearised, is such a function; so is the sum of all targets of a subtree, because children hang on their parent. That is the
/// composite inertia of rigid-body dynamics (Featherstone, "Rigid Body Dynamics Algorithms", 2008, ch. 6-7) with errors in place of
/// masses: `A`, `B`, `C` hold what JᵀWJ needs and `m`, `f` what JᵀWr needs, without any Jacobian being written out.
struct SpatialQuadratic {
    /// A, of ω with ω.
    var angular = LaneSymmetric.zero
    /// B, of ω (rows) with v (columns).
    var coupling = LaneMatrix(rows: .zero, .zero, .zero)
    /// C, of v with v.
    var linear = LaneSymmetric.zero
    /// m, the slope along ω.
    var moment = LaneVector.zero
    /// f, the slope along v.
    var force = LaneVector.zero

    /// Adds `½ w ‖r + v + ω × o‖²`: the error `r` of a point at `o` from the joint, which moves with the body.
    @inline(__always)
    mutating func addPoint(residual r: LaneVector, offset o: LaneVector, weight w: Lanes) {
        angular = angular + w * LaneSymmetric(squaredCrossOf: o)
        coupling = coupling + .crossing(w * o)
        addJoint(residual: r, weight: w)
        moment = moment + cross(o, w * r)
    }

    /// Adds `½ w ‖r + v‖²`: the error of the joint itself.
    @inline(__always)
    mutating func addJoint(residual r: LaneVector, weight w: Lanes) {
        linear = linear + LaneSymmetric(diagonal: w)
        force = force + w * r
    }

    /// Adds a turn's error: `½ w ‖s + ω‖²`, where `s` is the sine times the axis of the rotation from the wanted orientation.
    @inline(__always)
    mutating func addTurn(sineAxis s: LaneVector, weight w: Lanes) {
        angular = angular + LaneSymmetric(diagonal: w)
        moment = moment + w * s
    }

    /// Adds `½ w ‖r + L ω + K v‖²`.
    @inline(__always)
    mutating func add(residual r: LaneVector, angular L: LaneMatrix, linear K: LaneMatrix, weight w: Lanes) {
        angular = angular + w * LaneSymmetric(transposed: L, times: L)
        coupling = coupling + w * (L.transposed * K)
        linear = linear + w * LaneSymmetric(transposed: K, times: K)
        moment = moment + w * L.inverseRotated(r)
        force = force + w * K.inverseRotated(r)
    }

    /// Adds a child's function, whose joint is at `o` from this one and moves with this body: `v_child = v + ω × o`.
    @inline(__always)
    mutating func add(_ child: SpatialQuadratic, at o: LaneVector) {
        // With O = [o]ₓ: B' = B + O C and A' = A − B O − (B' O)ᵀ; a row times O is the row crossed with o.
        let c = child.linear
        let (r0, r1, r2) = (LaneVector(c.xx, c.xy, c.xz), LaneVector(c.xy, c.yy, c.yz), LaneVector(c.xz, c.yz, c.zz))
        let old = child.coupling
        let new =
            old
            + LaneMatrix(rows: o.y * r2 - o.z * r1, o.z * r0 - o.x * r2, o.x * r1 - o.y * r0)
        let (p0, p1, p2) = (cross(old.row0, o), cross(old.row1, o), cross(old.row2, o))
        let (q0, q1, q2) = (cross(new.row0, o), cross(new.row1, o), cross(new.row2, o))
        let a = child.angular
        angular =
            angular
            + LaneSymmetric(
                a.xx - p0.x - q0.x, a.xy - p0.y - q1.x, a.xz - p0.z - q2.x, a.yy - p1.y - q1.y, a.yz - p1.z - q2.y,
                a.zz - p2.z - q2.z)
        coupling = coupling + new
        linear = linear + c
        moment = moment + child.moment + cross(o, child.force)
        force = force + child.force
    }
}

/// A joint's own turn, eliminated from a ``SpatialQuadratic``, and how to find it again once the parent's motion is known.
struct EliminatedTurn {
    /// `(A + λI)⁻¹`.
    private var inverse = LaneSymmetric(diagonal: Lanes(repeating: 1))
    private var coupling = LaneMatrix(rows: .zero, .zero, .zero)
    private var slope = LaneVector.zero
    private var stiffness = Lanes.zero

    init() {}

    /// Minimises over the joint's own turn `δ`, with `ω = ω_parent + δ` and a spring `½ λ ‖δ‖² + b·δ` on it.
    ///
    /// - Returns: the function of the parent's angular velocity and the joint's velocity that is left, still about the joint.
    @inline(__always)
    mutating func eliminate(
        _ quadratic: SpatialQuadratic, stiffness: Lanes, springSlope b: LaneVector
    ) -> SpatialQuadratic {
        self.stiffness = stiffness
        inverse = (quadratic.angular + LaneSymmetric(diagonal: stiffness)).inverse
        coupling = quadratic.coupling
        slope = quadratic.moment + b
        // A − A (A + λ)⁻¹ A is λ (A + λ)⁻¹ A, and so on: written so that nothing cancels for a soft spring.
        let relay = inverse * quadratic.coupling
        let turned = inverse * slope
        var rest = SpatialQuadratic()
        rest.angular = LaneSymmetric(diagonal: stiffness) - (stiffness * stiffness) * inverse
        rest.coupling = stiffness * relay
        rest.linear = quadratic.linear - LaneSymmetric(transposed: quadratic.coupling, times: relay)
        rest.moment = stiffness * turned - b
        rest.force = quadratic.force - quadratic.coupling.inverseRotated(turned)
        return rest
    }

    /// The body's angular velocity, given its parent's and the velocity of the joint.
    @inline(__always)
    func angularVelocity(parent: LaneVector, joint v: LaneVector) -> LaneVector {
        inverse * (stiffness * parent - coupling * v - slope)
    }
}
