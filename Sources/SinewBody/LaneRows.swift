/// Rows of row-major arrays that are computed together, one in each lane: people of a batch, or rotations one after the other.
///
/// Lanes beyond the last row repeat that row, so that they do ordinary work; nothing is written for them.
@usableFromInline package struct LaneRows<Number: LaneNumber>: Sendable {
    /// The first row.
    @usableFromInline package let first: Int
    /// How many lanes are rows of their own, 1…`Number.laneCount`.
    @usableFromInline package let count: Int
    @usableFromInline let rows: SIMD4<Int>

    /// The rows from `first` on, as many as there are lanes but none from `end` on.
    @inlinable @inline(__always)
    package init(first: Int, end: Int) {
        self.first = first
        count = min(Number.laneCount, end - first)
        var rows = SIMD4<Int>(repeating: first)
        for lane in 0..<Number.laneCount { rows[lane] += min(lane, count - 1) }
        self.rows = rows
    }

    /// Rows `range`, group by group.
    @inlinable
    package static func groups(_ range: Range<Int>) -> Groups { Groups(first: range.lowerBound, end: range.upperBound) }

    /// The groups of a range, in order.
    @usableFromInline package struct Groups: Sequence, IteratorProtocol {
        @usableFromInline var first: Int
        @usableFromInline let end: Int

        @inlinable
        init(first: Int, end: Int) {
            self.first = first
            self.end = end
        }

        /// The next group.
        @inlinable @inline(__always)
        package mutating func next() -> LaneRows? {
            guard first < end else { return nil }
            defer { first += Number.laneCount }
            return LaneRows(first: first, end: end)
        }
    }

    /// The row of a lane.
    @inlinable @inline(__always)
    package func row(_ lane: Int) -> Int { rows[lane] }

    /// A choice for every row by a question about it.
    @inlinable @inline(__always)
    package func mask(_ isTrue: (_ row: Int) -> Bool) -> Number.Mask {
        var mask = Number.Mask(repeating: false)
        for lane in 0..<Number.laneCount { mask[lane: lane] = isTrue(rows[lane]) }
        return mask
    }

    /// One number of every row, `width` numbers to a row.
    @inlinable @inline(__always)
    package func number(_ values: borrowing [Float], width: Int, at offset: Int) -> Number {
        var numbers = Number.zero
        for lane in 0..<Number.laneCount { numbers[lane: lane] = Double(values[rows[lane] * width + offset]) }
        return numbers
    }

    /// A vector of every row.
    @inlinable @inline(__always)
    package func vector(_ values: borrowing [Float], width: Int, at offset: Int) -> SpatialVector<Number> {
        SpatialVector(
            number(values, width: width, at: offset), number(values, width: width, at: offset + 1),
            number(values, width: width, at: offset + 2))
    }

    /// A row-major matrix of every row.
    @inlinable @inline(__always)
    package func matrix(_ values: borrowing [Float], width: Int, at offset: Int) -> SpatialMatrix<Number> {
        SpatialMatrix(
            rows: vector(values, width: width, at: offset), vector(values, width: width, at: offset + 3),
            vector(values, width: width, at: offset + 6))
    }

    /// Stores a number of every row.
    @inlinable @inline(__always)
    package func store(_ number: Number, into values: inout [Float], width: Int, at offset: Int) {
        // By the constant number of lanes, so that the loop is unrolled.
        for lane in 0..<Number.laneCount where lane < count {
            values[rows[lane] * width + offset] = Float(number[lane: lane])
        }
    }

    /// Stores a vector of every row.
    @inlinable @inline(__always)
    package func store(_ vector: SpatialVector<Number>, into values: inout [Float], width: Int, at offset: Int) {
        for lane in 0..<Number.laneCount where lane < count {
            let index = rows[lane] * width + offset
            values[index] = Float(vector.x[lane: lane])
            values[index + 1] = Float(vector.y[lane: lane])
            values[index + 2] = Float(vector.z[lane: lane])
        }
    }

    /// Stores a row-major matrix of every row.
    @inlinable @inline(__always)
    package func store(_ matrix: SpatialMatrix<Number>, into values: inout [Float], width: Int, at offset: Int) {
        store(matrix.row0, into: &values, width: width, at: offset)
        store(matrix.row1, into: &values, width: width, at: offset + 3)
        store(matrix.row2, into: &values, width: width, at: offset + 6)
    }
}

/// Which rows of a batch are computed four at a time, and which one by one.
///
/// Bits are the same either way (``LaneNumber``); a group of four costs about as much as two to three rows alone.
package struct LaneSplit: Sendable {
    /// Rows for ``Lanes``.
    package let wide: Range<Int>
    /// Rows for `Double`.
    package let single: Range<Int>

    /// The cheapest split of `rowCount` rows: a last group of three is worth a whole one.
    package init(rowCount: Int) {
        let rest = rowCount % Lanes.laneCount
        let wideCount = rest == Lanes.laneCount - 1 ? rowCount : rowCount - rest
        wide = 0..<wideCount
        single = wideCount..<rowCount
    }
}
