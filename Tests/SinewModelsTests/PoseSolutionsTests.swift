import SinewModels
import Testing

/// Rows of solutions are cut out and put together in many places; none may forget a column.
@Suite struct PoseSolutionsTests {
    /// Every number of every column is another one.
    private static func numbered(_ count: Int, from first: Int) -> PoseSolutions {
        var solutions = PoseSolutions(count: count)
        var next = first
        func fill(_ column: inout [Float]) {
            for index in column.indices {
                next += 1
                column[index] = Float(next)
            }
        }
        fill(&solutions.theta)
        fill(&solutions.translation)
        fill(&solutions.joints)
        fill(&solutions.latentNorm)
        fill(&solutions.jointResidualMillimetres)
        fill(&solutions.orientationResidualRadians)
        fill(&solutions.boneLengthChange)
        solutions.unobservedJoints = (0..<count).map { Int32(first + $0) }
        solutions.outcome = (0..<count).map { $0 % 2 == 0 ? .startKept : .restarted }
        return solutions
    }

    /// Each column by its name, as text, so that a column which is added later takes part as well.
    private static func columns(_ solutions: PoseSolutions) -> [(name: String, values: [String])] {
        Mirror(reflecting: solutions).children.compactMap { child in
            guard let name = child.label, name != "count" else { return nil }
            return (name, Mirror(reflecting: child.value).children.map { "\($0.value)" })
        }
    }

    private static func row(_ row: Int, of count: Int, _ values: [String]) -> [String] {
        let width = values.count / count
        return Array(values[(row * width)..<(row * width + width)])
    }

    @Test func `a row that is put elsewhere takes all of its columns with it, and leaves its neighbours alone`() {
        let source = Self.numbered(4, from: 1000)
        let before = Self.numbered(3, from: 5)
        var target = before
        target.put(2, of: source, at: 1)
        let columns = zip(Self.columns(target), zip(Self.columns(source), Self.columns(before)))
        for (found, (source, before)) in columns {
            #expect(Self.row(1, of: 3, found.values) == Self.row(2, of: 4, source.values), "\(found.name)")
            for row in [0, 2] {
                #expect(Self.row(row, of: 3, found.values) == Self.row(row, of: 3, before.values), "\(found.name)")
            }
        }
        #expect(target.count == 3)
    }

    @Test func `batches that are joined keep every column of both`() {
        let (first, second) = (Self.numbered(2, from: 0), Self.numbered(3, from: 2000))
        var joined = first
        joined.append(second)
        #expect(joined.count == 5)
        for (found, parts) in zip(Self.columns(joined), zip(Self.columns(first), Self.columns(second))) {
            #expect(found.values == parts.0.values + parts.1.values, "\(found.name)")
        }
    }

    @Test func `one number that is not finite, in whichever column, marks its row alone`() {
        let columns: [WritableKeyPath<PoseSolutions, [Float]>] = [
            \.theta, \.translation, \.joints, \.latentNorm, \.jointResidualMillimetres, \.orientationResidualRadians,
            \.boneLengthChange,
        ]
        for column in columns {
            var solutions = Self.numbered(3, from: 0)
            let width = solutions[keyPath: column].count / 3
            solutions[keyPath: column][2 * width - 1] = .nan
            #expect((0..<3).map { solutions.isFinite(row: $0) } == [true, false, true])
        }
    }
}
