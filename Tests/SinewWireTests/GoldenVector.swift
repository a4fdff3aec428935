import Foundation

/// A file of `proto/vectors`: hexadecimal digits, `#` begins a comment.
struct GoldenVector {
    static var folder: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("proto/vectors")
    }

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".hex") }.map { String($0.dropLast(".hex".count)) }.sorted()
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        let text = try String(contentsOf: folder.appendingPathComponent("\(name).hex"), encoding: .utf8)
        var bytes: [UInt8] = []
        for line in text.split(separator: "\n") {
            let digits = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            guard digits.count.isMultiple(of: 2) else { throw BadLine(line: String(line)) }
            var index = digits.startIndex
            while index < digits.endIndex {
                let next = digits.index(index, offsetBy: 2)
                guard let byte = UInt8(digits[index..<next], radix: 16) else { throw BadLine(line: String(line)) }
                bytes.append(byte)
                index = next
            }
        }
        return bytes
    }

    struct BadLine: Error { let line: String }
}
