/// Up to four people of a batch, one in each lane.
///
/// Lanes beyond the last person repeat that person, so that they do ordinary work; nothing is written for them.
@usableFromInline package struct LanePeople: Sendable {
    /// The first person's row.
    @usableFromInline package let first: Int
    /// How many lanes are people, 1…4.
    @usableFromInline package let count: Int
    @usableFromInline let rows: SIMD4<Int>

    /// The people from `first` on, at most four, of a batch of `batchCount`.
    package init(first: Int, batchCount: Int) {
        self.first = first
        count = min(Lanes.scalarCount, batchCount - first)
        var rows = SIMD4<Int>(repeating: first)
        for lane in 0..<Lanes.scalarCount { rows[lane] += min(lane, count - 1) }
        self.rows = rows
    }

    /// A batch, four by four.
    package static func groups(of batchCount: Int) -> some Sequence<LanePeople> {
        stride(from: 0, to: batchCount, by: Lanes.scalarCount).lazy.map {
            LanePeople(first: $0, batchCount: batchCount)
        }
    }

    /// The row of a lane.
    @inlinable @inline(__always)
    package func row(_ lane: Int) -> Int { rows[lane] }

    /// A choice for every person by a question about the row.
    @inlinable @inline(__always)
    package func mask(_ isTrue: (_ row: Int) -> Bool) -> LaneMask {
        var mask = LaneMask(repeating: false)
        for lane in 0..<Lanes.scalarCount { mask[lane] = isTrue(rows[lane]) }
        return mask
    }

    /// One number of every person, `width` numbers to a row.
    @inlinable @inline(__always)
    package func number(_ values: borrowing [Float], width: Int, at offset: Int) -> Lanes {
        Lanes(
            Double(values[rows[0] * width + offset]), Double(values[rows[1] * width + offset]),
            Double(values[rows[2] * width + offset]), Double(values[rows[3] * width + offset]))
    }

    /// A vector of every person.
    @inlinable @inline(__always)
    package func vector(_ values: borrowing [Float], width: Int, at offset: Int) -> LaneVector {
        LaneVector(
            number(values, width: width, at: offset), number(values, width: width, at: offset + 1),
            number(values, width: width, at: offset + 2))
    }

    /// A row-major matrix of every person.
    @inlinable @inline(__always)
    package func matrix(_ values: borrowing [Float], width: Int, at offset: Int) -> LaneMatrix {
        LaneMatrix(
            rows: vector(values, width: width, at: offset), vector(values, width: width, at: offset + 3),
            vector(values, width: width, at: offset + 6))
    }

    /// Stores a number of every person.
    @inlinable @inline(__always)
    package func store(_ number: Lanes, into values: inout [Float], width: Int, at offset: Int) {
        for lane in 0..<count { values[rows[lane] * width + offset] = Float(number[lane]) }
    }

    /// Stores a vector of every person.
    @inlinable @inline(__always)
    package func store(_ vector: LaneVector, into values: inout [Float], width: Int, at offset: Int) {
        for lane in 0..<count {
            let index = rows[lane] * width + offset
            values[index] = Float(vector.x[lane])
            values[index + 1] = Float(vector.y[lane])
            values[index + 2] = Float(vector.z[lane])
        }
    }

    /// Stores a row-major matrix of every person.
    @inlinable @inline(__always)
    package func store(_ matrix: LaneMatrix, into values: inout [Float], width: Int, at offset: Int) {
        store(matrix.row0, into: &values, width: width, at: offset)
        store(matrix.row1, into: &values, width: width, at: offset + 3)
        store(matrix.row2, into: &values, width: width, at: offset + 6)
    }
}
