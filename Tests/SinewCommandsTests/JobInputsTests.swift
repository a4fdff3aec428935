import Glibc
import SinewArrayFiles
import SinewCommands
import Testing

struct JobInputsTests {
    /// A folder with the files that are named, for one test.
    private func withFiles<Result>(_ names: [String], _ body: (String) throws -> Result) throws -> Result {
        var template = Array("/tmp/sinew-inputs-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in names.reversed() {
                if unsafe unlink("\(folder)/\(name)") != 0 { _ = unsafe rmdir("\(folder)/\(name)") }
            }
            _ = unsafe rmdir(folder)
        }
        for name in names {
            if name.hasSuffix("/") {
                try #require(unsafe mkdir("\(folder)/\(name)", 0o777) == 0)
            } else {
                try AtomicFile.write(Array("x".utf8), to: "\(folder)/\(name)")
            }
        }
        return try body(folder)
    }

    @Test func `results are named after the inputs, without what all of them share`() throws {
        try withFiles(["a/", "a/one.npz", "a/two.npz", "b/", "b/one.npz", "b/one.jsonl"]) { folder in
            let cases: [(paths: [String], names: [String])] = [
                (["a/one.npz"], ["one"]), (["a/one.npz", "a/two.npz"], ["one", "two"]),
                (["a/one.npz", "b/one.npz"], ["a/one", "b/one"]),
                (["b/one.npz", "b/one.jsonl"], ["one.npz", "one.jsonl"]),
            ]
            for (paths, names) in cases {
                let found = try JobInputs(arguments: paths.map { "\(folder)/\($0)" }, manifest: nil)
                #expect(found.inputs.map(\.name) == names)
            }
        }
    }

    @Test func `patterns are expanded in order, and a manifest's lines are relative to it`() throws {
        try withFiles(["b.npz", "a.npz", "list.txt"]) { folder in
            let all = try JobInputs(arguments: ["\(folder)/*.npz"], manifest: nil).inputs
            #expect(all.map(\.path) == ["\(folder)/a.npz", "\(folder)/b.npz"])
            let text = "# clips\nb.npz\r\n\n\(folder)/[a].npz\n"
            try AtomicFile.write(Array(text.utf8), to: "\(folder)/list.txt")
            let listed = try JobInputs(arguments: [], manifest: "\(folder)/list.txt").inputs
            #expect(listed.map(\.path) == ["\(folder)/b.npz", "\(folder)/a.npz"])
            let none = JobInputsTests.failure { try JobInputs(arguments: ["\(folder)/*.json"], manifest: nil) }
            #expect(none?.status == .noInput && none?.message.contains("matches no file") == true)
            try AtomicFile.write(Array("b.npz\nc.npz\n".utf8), to: "\(folder)/list.txt")
            let missing = JobInputsTests.failure { try JobInputs(arguments: [], manifest: "\(folder)/list.txt") }
            #expect(missing?.status == .noInput && missing?.message.contains("line 2") == true)
        }
    }

    @Test func `what cannot be an input is refused with the reason`() throws {
        try withFiles(["a.npz", "bad\u{1}.npz"]) { folder in
            let twice = JobInputsTests.failure {
                try JobInputs(arguments: ["\(folder)/a.npz", "\(folder)/*.npz"], manifest: nil)
            }
            #expect(twice?.status == .usage && twice?.message.contains("twice") == true)
            let isFolder = JobInputsTests.failure { try JobInputs(arguments: [folder], manifest: nil) }
            #expect(isFolder?.message.contains("*.npz") == true)
            let control = JobInputsTests.failure {
                try JobInputs(arguments: ["\(folder)/bad\u{1}.npz"], manifest: nil)
            }
            #expect(control?.status == .usage)
            let none = JobInputsTests.failure { try JobInputs(arguments: [], manifest: nil) }
            #expect(none?.status == .usage)
        }
        let standard = try JobInputs(arguments: ["-"], manifest: nil)
        #expect(standard.inputs.map(\.name) == ["stdin"])
    }

    static func failure<Value>(_ body: () throws -> Value) -> CommandFailure? {
        do {
            _ = try body()
            return nil
        } catch { return error as? CommandFailure }
    }
}

struct DurationOptionTests {
    @Test(arguments: [("90", 90.0), ("90s", 90), ("1.5m", 90), ("12h", 43_200), ("7d", 604_800)])
    func `times are read with their unit`(text: String, seconds: Double) {
        #expect(DurationOption(argument: text)?.duration == .seconds(seconds))
    }

    @Test(arguments: ["", "s", "-1", "0", "5w", "nan", "inf", "1e9d", "1 h"])
    func `what is no time is refused`(text: String) { #expect(DurationOption(argument: text) == nil) }
}
