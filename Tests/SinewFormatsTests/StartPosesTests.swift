import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

struct StartPosesTests {
    /// People that stand, one row per track name.
    private func standing(tracks: [String]) throws -> PoseInput {
        let figure = try figure()
        return try reading([
            ("joints3d", .float32(tracks.flatMap { _ in figure }, shape: [tracks.count, 24, 3])),
            ("track", .strings(tracks, shape: [tracks.count])),
        ])
    }

    private func start(_ input: PoseInput, _ files: [[(String, NDArray)]]) throws -> [Float] {
        let folder = try scratchFolder()
        defer { discard(folder) }
        var paths: [String] = []
        for (number, arrays) in files.enumerated() {
            var writer = NPZWriter()
            for (name, array) in arrays { writer.add(name, array) }
            paths.append("\(folder)/\(number).npz")
            try writer.write(to: paths[number])
        }
        return try StartPoses.read(paths: paths, for: input)
    }

    private func poses(_ values: [Float]) -> (String, NDArray) {
        ("poses", .float32(values.flatMap { Array(repeating: $0, count: 72) }, shape: [values.count, 72]))
    }

    /// The first number of each row, nil where it has no start.
    private func firsts(_ theta: [Float]) -> [Float?] {
        stride(from: 0, to: theta.count, by: 72).map { theta[$0].isNaN ? nil : theta[$0] }
    }

    @Test func `poses go to their frame and track, unsolved ones to nobody`() throws {
        let input = try standing(tracks: ["anna", "ben", "anna", "ben", "anna"])
        let theta = try start(
            input,
            [
                [
                    poses([1, 2, 3]), ("track", .strings(["anna"], shape: [])),
                    ("frame", .int64([2, 0, 1], shape: [3])), ("solved", .bool([true, true, false], shape: [3])),
                ],
                [poses([8]), ("track", .strings(["ben"], shape: []))],
            ])
        #expect(firsts(theta) == [2, 8, nil, nil, 1])
    }

    @Test func `one person needs no name, and frames without numbers count from 0`() throws {
        let theta = try start(try standing(tracks: ["anna", "anna", "anna"]), [[poses([5, 6])]])
        #expect(firsts(theta) == [5, 6, nil])
    }

    @Test func `a file that belongs to nobody or holds no poses is refused by field`() throws {
        let input = try standing(tracks: ["anna", "ben"])
        func field(_ arrays: [(String, NDArray)]) -> String? {
            #expect(throws: FormatError.self) { try start(input, [arrays]) }?.field
        }
        #expect(field([("joints3d", .float32([0], shape: [1]))]) == "poses")
        #expect(field([("poses", .float32(Array(repeating: 0, count: 156), shape: [1, 156]))]) == "poses")
        #expect(field([poses([1])]) == "track")
        #expect(field([poses([1]), ("track", .strings(["carl"], shape: []))]) == "track")
        let wrong = [poses([1]), ("track", .strings(["ben"], shape: [])), ("frame", .int64([1, 2], shape: [2]))]
        #expect(field(wrong) == "frame")
    }
}
