extension PoseSolutions {
    /// Puts a row of another batch into one of this.
    package mutating func put(_ source: Int, of other: PoseSolutions, at row: Int) {
        takeColumns(of: other, by: RowCopy(source: source, target: row))
    }

    /// Adds the people of another batch behind those of this one.
    package mutating func append(_ other: PoseSolutions) {
        count += other.count
        takeColumns(of: other, by: Appending())
    }

    /// Whether all of a person's numbers are finite.
    package func isFinite(row: Int) -> Bool {
        var check = FiniteRow(row: row)
        check.take(theta, width: 72)
        check.take(translation, width: 3)
        check.take(joints, width: 87)
        for column in [latentNorm, jointResidualMillimetres, orientationResidualRadians, boneLengthChange] {
            check.take(column, width: 1)
        }
        return check.isFinite
    }

    /// The one list of what a row consists of: each column with the other's, and how many entries of it a person has.
    @inline(__always)
    private mutating func takeColumns(of other: PoseSolutions, by taker: some ColumnTaker) {
        taker.take(other.theta, into: &theta, width: 72)
        taker.take(other.translation, into: &translation, width: 3)
        taker.take(other.joints, into: &joints, width: 87)
        taker.take(other.latentNorm, into: &latentNorm, width: 1)
        taker.take(other.jointResidualMillimetres, into: &jointResidualMillimetres, width: 1)
        taker.take(other.orientationResidualRadians, into: &orientationResidualRadians, width: 1)
        taker.take(other.boneLengthChange, into: &boneLengthChange, width: 1)
        taker.take(other.unobservedJoints, into: &unobservedJoints, width: 1)
        taker.take(other.outcome, into: &outcome, width: 1)
    }
}

/// What is done with each column of two batches.
private protocol ColumnTaker {
    func take<Element>(_ source: [Element], into target: inout [Element], width: Int)
}

private struct RowCopy: ColumnTaker {
    let source: Int
    let target: Int

    func take<Element>(_ values: [Element], into row: inout [Element], width: Int) {
        for column in 0..<width { row[target * width + column] = values[source * width + column] }
    }
}

private struct Appending: ColumnTaker {
    func take<Element>(_ source: [Element], into target: inout [Element], width: Int) { target += source }
}

private struct FiniteRow {
    let row: Int
    var isFinite = true

    init(row: Int) { self.row = row }

    mutating func take(_ values: [Float], width: Int) {
        for column in 0..<width where !values[row * width + column].isFinite { isFinite = false }
    }
}
