import Glibc
import Testing

/// A table of `proto/STATES.md`: rows are events, columns are states, a cell is `actions → next state`.
struct StateTable {
    let states: [String]
    /// In the order of the document.
    let rows: [(event: String, cells: [String])]

    /// - Parameter heading: the text behind `## `.
    init(_ heading: String) throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let lines = try Self.lines(of: "/\(root)/proto/STATES.md")
        let start = try #require(lines.firstIndex(of: "## \(heading)"), "STATES.md has no section “\(heading)”")
        let section = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
        let table = section.filter { $0.hasPrefix("|") }.map(Self.cells)
        states = Array(try #require(table.first).dropFirst())
        rows = table.dropFirst(2).map { (event: $0[0], cells: Array($0.dropFirst())) }
    }

    private static func cells(_ line: String) -> [String] {
        line.split(separator: "|", omittingEmptySubsequences: true).map { cell in
            var text = cell
            while text.first == " " { text.removeFirst() }
            while text.last == " " { text.removeLast() }
            return String(text)
        }
    }

    private static func lines(of path: String) throws -> [String] {
        guard let file = unsafe fopen(path, "r") else {
            Issue.record("\(path) cannot be read")
            return []
        }
        defer { unsafe fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// Compares every cell with what happens, and the row and column names with what the test knows, so that neither
    /// the document nor the test can forget one.
    func walk<State: CaseIterable & RawRepresentable<String>, Event: CaseIterable & RawRepresentable<String>>(
        states _: State.Type, events _: Event.Type, _ happen: (State, Event) -> String
    ) {
        #expect(states == State.allCases.map(\.rawValue))
        #expect(rows.map(\.event) == Event.allCases.map(\.rawValue))
        for (event, row) in zip(Event.allCases, rows) {
            let actual = State.allCases.map { happen($0, event) }
            #expect(actual == row.cells, "| \(event.rawValue) | \(actual.joined(separator: " | ")) |")
        }
    }
}

extension String {
    /// `actions → next`, as a cell writes it.
    static func cell(_ actions: [String], next: String) -> String {
        (actions.isEmpty ? "—" : actions.joined(separator: ", ")) + " → " + next
    }
}
