extension SpatialMatrix {
    /// The matrices of rotation vectors (Rodrigues), as ``RotationMatrix/init(_:)-AxisAngle`` makes them one by one.
    ///
    /// By half angles: `1 − cos a = 2 sin²(a/2)` keeps its digits for small angles, and the only limit is `sin(x)/x → 1`.
    @inlinable
    package init(rotationVector v: SpatialVector<Number>) {
        let one = Number(repeating: 1)
        let half = v.length.times(0.5)
        let (cosineOfHalf, sineOfHalf) = LaneTrigonometry.cosineAndSine(half)
        let isTurned = half .> Number(repeating: 1e-12)
        let quotient = (sineOfHalf / half.selected(isTurned, else: one)).selected(isTurned, else: one)
        let turned = (quotient * cosineOfHalf) * v
        let scaled = (quotient * quotient).times(0.5) * v
        let cosine = dot(scaled, v).subtracted(from: 1)
        self.init(
            rows: SpatialVector(cosine + scaled.x * v.x, scaled.x * v.y - turned.z, scaled.x * v.z + turned.y),
            SpatialVector(scaled.x * v.y + turned.z, cosine + scaled.y * v.y, scaled.y * v.z - turned.x),
            SpatialVector(scaled.x * v.z - turned.y, scaled.y * v.z + turned.x, cosine + scaled.z * v.z))
    }

    /// Rotation vectors, angles in `[0, π]`.
    ///
    /// - Source: as ``Quaternion/init(_:)``: all four of Shepperd's quotients are formed, each lane takes the one with the largest
    ///   divisor.
    @inlinable package var rotationVector: SpatialVector<Number> {
        let (a, b, c) = (row0, row1, row2)
        let trace = a.x + b.y + c.z
        // w by default; x, y, z where theirs is larger.
        var w = trace.plus(1)
        var v = SpatialVector(c.y - b.z, a.z - c.x, b.x - a.y)
        var largest = trace
        let isX = a.x .> largest
        w = (c.y - b.z).selected(isX, else: w)
        v = SpatialVector(a.x.plus(1) - b.y - c.z, a.y + b.x, a.z + c.x).selected(isX, else: v)
        largest = a.x.selected(isX, else: largest)
        let isY = b.y .> largest
        w = (a.z - c.x).selected(isY, else: w)
        v = SpatialVector(a.y + b.x, a.x.subtracted(from: 1) + b.y - c.z, b.z + c.y).selected(isY, else: v)
        largest = b.y.selected(isY, else: largest)
        let isZ = c.z .> largest
        w = (b.x - a.y).selected(isZ, else: w)
        v = SpatialVector(a.z + c.x, b.z + c.y, a.x.subtracted(from: 1) - b.y + c.z).selected(isZ, else: v)

        let one = Number(repeating: 1)
        let sign = (-one).selected(w .< .zero, else: one)
        let scale = sign / (w * w + dot(v, v)).squareRoot()
        w = scale * w
        v = scale * v
        let sine = v.length
        // For a vanishing angle, angle / sin(angle / 2) tends to 2.
        let isSmall = sine .< Number(repeating: 1e-12)
        let factor =
            LaneTrigonometry.firstQuadrantAngle(y: sine, x: w).times(2) / one.selected(isSmall, else: sine)
        return Number(repeating: 2).selected(isSmall, else: factor) * v
    }
}
