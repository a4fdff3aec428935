import SinewArrayFiles
import SinewBody
import SinewClient
import SinewCommands
import SinewFormats
import TestSupport
import Testing

struct TaskCutterTests {
    /// People in JSON lines: whose track and frame, and shape and twists where given. Each row stands a centimetre beside the one before.
    static func input(_ rows: [(track: String, frame: Int, beta: Float, hasTwists: Bool)]) throws -> PoseInput {
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
        var text = "{\"skeleton\":\"smpl-29\",\"unit\":\"m\",\"up_axis\":\"y\",\"fps\":25}\n"
        for (index, row) in rows.enumerated() {
            let joints = (0..<29).map { joint -> String in
                let x = rest[joint * 3] + Float(index) * 0.01
                return "[\(x),\(rest[joint * 3 + 1]),\(rest[joint * 3 + 2])]"
            }
            let twists = row.hasTwists ? ",\"twist\":[\((0..<23).map { _ in "0.125" }.joined(separator: ","))]" : ""
            text +=
                "{\"joints3d\":[\(joints.joined(separator: ","))],\"track\":\"\(row.track)\",\"frame\":\(row.frame),"
            text += "\"betas\":[\(row.beta),0,0,0,0,0,0,0,0,0]\(twists)}\n"
        }
        return try PoseInput.read(jsonLines: Array(text.utf8), path: "lines")
    }

    /// Tracks `a` and `b` in turn.
    private func two(_ frames: Int) throws -> PoseInput {
        try Self.input((0..<frames).flatMap { [("a", $0, 0, false), ("b", $0, 0.5, false)] })
    }

    private func runs(_ piece: TaskCutter.Piece) throws -> [TaskLabel.Run] {
        try TaskLabel(reading: piece.label, items: piece.rows.count, task: 0).runs
    }

    @Test func `rows are cut track by track into blocks, and the labels say which they are`() throws {
        let input = try two(10)
        let cutter = TaskCutter(grouping: .rows, block: 8, isSequential: false)
        let pieces = try cutter.pieces(of: input, name: "clips/x", files: 3)
        let counts: [Int] = pieces.map { $0.rows.count }
        #expect(counts == [8, 8, 4])
        let order: [Int] = (0..<10).map { 2 * $0 } + (0..<10).map { 2 * $0 + 1 }
        #expect(pieces.flatMap(\.rows) == order)
        let middle = try TaskLabel(reading: pieces[1].label, items: 8, task: 1)
        #expect(middle.file == "clips/x" && middle.files == 3 && middle.rows == 20 && middle.fps == 25)
        let betas = [0.5] + [Float](repeating: 0, count: 9)
        let first = TaskLabel.Run(
            at: 8, count: 2, track: 0, name: "a", frame: 8, gender: .neutral, betas: [Float](repeating: 0, count: 10))
        let second = TaskLabel.Run(at: 10, count: 6, track: 1, name: "b", frame: 0, gender: .neutral, betas: betas)
        #expect(middle.runs == [first, second])
    }

    @Test func `whole tracks stay together, and short ones share a task`() throws {
        var rows: [(track: String, frame: Int, beta: Float, hasTwists: Bool)] = []
        for (track, count) in [("a", 3), ("b", 4), ("c", 12), ("d", 2)] {
            rows += (0..<count).map { (track, $0, 0, false) }
        }
        let input = try Self.input(rows)
        let pieces = try TaskCutter(grouping: .track, block: 8, isSequential: true)
            .pieces(of: input, name: "x", files: 1)
        let counts: [Int] = pieces.map { $0.rows.count }
        #expect(counts == [7, 12, 2])
    }

    @Test func `a sequential model gets its frames in order of time`() throws {
        let input = try Self.input([("a", 2, 0, false), ("a", 0, 0, false), ("a", 1, 0, false)])
        let pieces = try TaskCutter(grouping: .track, block: 64, isSequential: true)
            .pieces(of: input, name: "x", files: 1)
        #expect(pieces.map(\.rows) == [[1, 2, 0]])
        let run = try #require(try runs(pieces[0]).first)
        #expect(run.frame == 0 && run.count == 3 && run.step == 1)
        let kept = try TaskCutter(grouping: .rows, block: 64, isSequential: false).pieces(
            of: input, name: "x", files: 1)
        #expect(kept.map(\.rows) == [[0, 1, 2]])
    }

    @Test func `rows with twists and rows without go into tasks of their own and keep their places`() throws {
        let input = try Self.input((0..<6).map { ("a", $0, 0, $0 % 2 == 0) })
        let pieces = try TaskCutter(grouping: .rows, block: 64, isSequential: false)
            .pieces(of: input, name: "x", files: 1)
        #expect(pieces.map(\.rows) == [[0, 2, 4], [1, 3, 5]] && pieces.map(\.hasTwists) == [true, false])
        let places = try runs(pieces[1]).map(\.at)
        #expect(places == [1, 3, 5])
    }

    @Test func `a shape that changes with every frame makes smaller tasks, or is refused`() throws {
        let input = try Self.input((0..<40).map { ("a", $0, Float($0) * 0.01, false) })
        let pieces = try TaskCutter(grouping: .rows, block: 64, isSequential: false)
            .pieces(of: input, name: "x", files: 1)
        #expect(pieces.count > 1 && pieces.flatMap(\.rows) == Array(0..<40))
        for piece in pieces { #expect(piece.label.utf8.count <= JobTask.labelBytesMax) }
        let refused = JobInputsTests.failure {
            try TaskCutter(grouping: .track, block: 64, isSequential: true).pieces(of: input, name: "x", files: 1)
        }
        #expect(refused?.status == .badData && refused?.message.contains("track a") == true)
    }

    @Test func `a track longer than a task is cut, or refused where frames depend on each other`() throws {
        let input = try Self.input((0..<4097).map { ("a", $0, 0, false) })
        let pieces = try TaskCutter(grouping: .track, block: 64, isSequential: false)
            .pieces(of: input, name: "x", files: 1)
        #expect(pieces.map { $0.rows.count } == [2048, 2049])
        let refused = JobInputsTests.failure {
            try TaskCutter(grouping: .track, block: 64, isSequential: true).pieces(of: input, name: "x", files: 1)
        }
        #expect(refused?.message.contains("4097 rows") == true)
    }
}

struct TaskLabelTests {
    private let label = TaskLabel(
        file: "a/b", files: 2, rows: 9, fps: 29.97,
        runs: [
            TaskLabel.Run(
                at: 0, count: 4, track: 0, name: "left \"hand\"", frame: -3, step: 2, gender: .female,
                betas: [0.1, -2.5e-7] + [Float](repeating: 0, count: 8))
        ])

    @Test func `a label reads back`() throws {
        let read = try TaskLabel(reading: try label.text(), items: 4, task: 0)
        #expect(read == label)
    }

    @Test(arguments: [
        ("", 4), ("{}", 4), ("[1]", 4),
        (#"{"file":"../x","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":0}]}"#, 4),
        (#"{"file":"/x","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":0}]}"#, 4),
        (#"{"file":"x/../../y","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":0}]}"#, 4),
        (#"{"file":"x","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":0}]}"#, 3),
        (#"{"file":"x","rows":4,"runs":[{"at":1,"n":4,"t":0,"of":"a","frame":0}]}"#, 4),
        (#"{"file":"x","rows":4,"runs":[{"at":0,"n":4,"t":9,"of":"a","frame":0}]}"#, 4),
        (#"{"file":"x","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":9223372036854775807}]}"#, 4),
        (#"{"file":"x","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":0,"g":"x"}]}"#, 4),
        (#"{"file":"x","rows":4,"runs":[{"at":-9223372036854775808,"n":4,"t":0,"of":"a","frame":0}]}"#, 4),
    ])
    func `a label that is wrong or dangerous is refused`(text: String, items: Int) {
        let refused = JobInputsTests.failure { try TaskLabel(reading: text, items: items, task: 7) }
        #expect(refused?.status == .badData && refused?.message.contains("task 7") == true)
    }

    @Test func `a label without what has a default is taken`() throws {
        let text = #"{"file":"x","rows":4,"runs":[{"at":0,"n":4,"t":0,"of":"a","frame":0}]}"#
        let read = try TaskLabel(reading: text, items: 4, task: 0)
        #expect(read.files == 1 && read.fps == nil && read.runs[0].step == 1 && read.runs[0].betas.count == 10)
    }
}
