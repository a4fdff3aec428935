/// The posed skeletons of up to four people.
///
/// Holds the memory that one pass needs and is used again for the next four, so that a batch allocates once.
package struct LaneChain {
    /// Global orientations of the 24 joints with a rotation.
    package private(set) var globals = [LaneMatrix](repeating: .identity, count: Skeleton.rotationCount)
    /// Positions of all 29 joints.
    package private(set) var positions = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    private let parents = Skeleton.smpl29.parents

    package init() {}

    /// Places the joints of `people` from `[n, 24, 3, 3]` rotations and `[n, 29, 3]` rest joints.
    ///
    /// - Source: models.md §1.3 step 5, as in ``ForwardKinematics``.
    package mutating func place(_ people: LanePeople, rotations: [Float], rest: [Float]) {
        globals[0] = people.matrix(rotations, width: 216, at: 0)
        positions[0] = people.vector(rest, width: 87, at: 0)
        for joint in 1..<Skeleton.positionCount {
            let parent = parents[joint]
            let offset = people.vector(rest, width: 87, at: joint * 3) - people.vector(rest, width: 87, at: parent * 3)
            positions[joint] = positions[parent] + globals[parent] * offset
            guard joint < Skeleton.rotationCount else { continue }
            globals[joint] = globals[parent] * people.matrix(rotations, width: 216, at: joint * 9)
        }
    }
}

extension LaneMatrix {
    /// Rotation vectors, angles in `[0, π]`.
    ///
    /// - Source: as ``Quaternion/init(_:)``: all four of Shepperd's quotients are formed, each lane takes the one with the largest
    ///   divisor.
    package var rotationVector: LaneVector {
        let (a, b, c) = (row0, row1, row2)
        let trace = a.x + b.y + c.z
        // w by default; x, y, z where theirs is larger.
        var w = 1 + trace
        var v = LaneVector(c.y - b.z, a.z - c.x, b.x - a.y)
        var largest = trace
        let isX = a.x .> largest
        w = (c.y - b.z).selected(isX, else: w)
        v = LaneVector(1 + a.x - b.y - c.z, a.y + b.x, a.z + c.x).selected(isX, else: v)
        largest = a.x.selected(isX, else: largest)
        let isY = b.y .> largest
        w = (a.z - c.x).selected(isY, else: w)
        v = LaneVector(a.y + b.x, 1 - a.x + b.y - c.z, b.z + c.y).selected(isY, else: v)
        largest = b.y.selected(isY, else: largest)
        let isZ = c.z .> largest
        w = (b.x - a.y).selected(isZ, else: w)
        v = LaneVector(a.z + c.x, b.z + c.y, 1 - a.x - b.y + c.z).selected(isZ, else: v)

        let one = Lanes(repeating: 1)
        let sign = (-one).selected(w .< .zero, else: one)
        let scale = sign / (w * w + dot(v, v)).squareRoot()
        w = scale * w
        v = scale * v
        let sine = v.length
        // For a vanishing angle, angle / sin(angle / 2) tends to 2.
        let isSmall = sine .< Lanes(repeating: 1e-12)
        let factor =
            2 * LaneTrigonometry.firstQuadrantAngle(y: sine, x: w) / one.selected(isSmall, else: sine)
        return Lanes(repeating: 2).selected(isSmall, else: factor) * v
    }
}
