/// The lines of an Acclaim file, without comments and empty ones.
struct AcclaimLines {
    struct Line {
        let number: Int
        let words: [Substring]
    }
    let path: String
    private let lines: [Line]
    private var position = 0

    init(_ bytes: [UInt8], path: String) {
        self.path = path
        lines = String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated().compactMap { index, text in
            let words = text.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            return words.isEmpty ? nil : Line(number: index + 1, words: words)
        }
    }

    /// The next line; nil at the end.
    mutating func next() -> Line? {
        guard position < lines.count else { return nil }
        position += 1
        return lines[position - 1]
    }

    /// The next line of this section; nil before the next `:section` and at the end.
    mutating func nextOfSection() -> Line? {
        guard position < lines.count, !lines[position].words[0].hasPrefix(":") else { return nil }
        return next()
    }

    func number(_ line: Line, _ index: Int) throws(FormatError) -> Double {
        guard index < line.words.count, let value = Double(line.words[index]), value.isFinite, abs(value) < 1e9 else {
            throw wrong("\"\(index < line.words.count ? line.words[index] : "")\" is no number of \(line.words[0])")
        }
        return value
    }

    func vector(_ line: Line, _ index: Int) throws(FormatError) -> SIMD3<Double> {
        let x = try number(line, index)
        let y = try number(line, index + 1)
        return SIMD3(x, y, try number(line, index + 2))
    }

    func wrong(_ what: String) -> FormatError {
        let number = lines.isEmpty ? 1 : lines[min(max(0, position - 1), lines.count - 1)].number
        return FormatError(.unreadableFile, "\(path), line \(number): \(what)")
    }
}
