/// Rest joints as a linear function of the shape, laid out so that four coordinates are computed at a time.
///
/// - Source: models.md §1.3, the exact shortcut of step 2: `J(β) = J(0) + D β`.
package struct RestJointTable: Sendable {
    private static let coordinateCount = Skeleton.positionCount * 3
    private static let groupCount = (coordinateCount + 3) / 4

    /// Four coordinates to a group: first the joints of the mean shape, then what each coefficient adds, coefficient by coefficient.
    /// One array and not two: handing a table on costs one reference count.
    private let groups: [SIMD4<Double>]

    /// Lays out a table.
    ///
    /// - Shape: `template` `[29, 3]`, `directions` `[29, 3, 10]`; metres.
    init(template: [Double], directions: [Double]) {
        precondition(
            template.count == Self.coordinateCount && directions.count == template.count * BodyModel.shapeCount)
        var groups = [SIMD4<Double>](repeating: .zero, count: Self.groupCount * (BodyModel.shapeCount + 1))
        for coordinate in 0..<Self.coordinateCount {
            groups[coordinate / 4][coordinate % 4] = template[coordinate]
            for beta in 0..<BodyModel.shapeCount {
                groups[(beta + 1) * Self.groupCount + coordinate / 4][coordinate % 4] =
                    directions[coordinate * BodyModel.shapeCount + beta]
            }
        }
        self.groups = groups
    }

    /// Writes the 29 joints of a shape to `joints[offset..<offset + 87]`; missing coefficients are zero.
    ///
    /// - Cost: 870 multiply-adds, no allocation.
    package func write(betas: ArraySlice<Float>, into joints: inout [Float], at offset: Int) {
        precondition(
            betas.count <= BodyModel.shapeCount, "a body has \(BodyModel.shapeCount) shape coefficients")
        for group in 0..<Self.groupCount {
            var value = groups[group]
            var row = group
            for coefficient in betas {
                row += Self.groupCount
                value += groups[row] * Double(coefficient)
            }
            let first = group * 4
            for lane in 0..<min(4, Self.coordinateCount - first) { joints[offset + first + lane] = Float(value[lane]) }
        }
    }
}
