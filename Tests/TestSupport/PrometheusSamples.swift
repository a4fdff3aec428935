/// The text format of Prometheus, read back by hand: an oracle for what is written.
package struct PrometheusSamples {
    package struct Sample: Equatable {
        package let name: String
        package let labels: [String: String]
        package let value: Double
    }

    /// Why a text cannot be read.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    package private(set) var samples: [Sample] = []
    /// By family.
    package private(set) var kinds: [String: String] = [:]
    /// Families in the order of their heads.
    package private(set) var families: [String] = []

    /// Reads all lines.
    ///
    /// - Throws: ``Malformed`` for a line that is no comment and no sample, for a family that is opened twice or not at all, and for
    ///   two samples with the same name and labels.
    package init(_ text: String) throws {
        var seen: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            if line.hasPrefix("# ") {
                try readHead(line)
            } else {
                let sample = try Self.sample(line)
                let key = sample.labels.map { "\($0)=\($1)" }.sorted().joined(separator: "\u{1}")
                guard seen.insert("\(sample.name)\u{1}\(key)").inserted else {
                    throw Malformed(description: "twice: \(line)")
                }
                guard let family = families.last, sample.name.hasPrefix(family) else {
                    throw Malformed(description: "outside its family: \(line)")
                }
                samples.append(sample)
            }
        }
    }

    /// The value of a sample; nil when there is none with exactly these labels.
    package func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }

    /// The sum over all samples of a name whose labels include these.
    package func sum(_ name: String, where labels: [String: String] = [:]) -> Double {
        samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }.reduce(0) { $0 + $1.value }
    }

    private mutating func readHead(_ line: Substring) throws {
        let words = line.split(separator: " ", maxSplits: 3)
        guard words.count >= 3 else { throw Malformed(description: "\(line)") }
        let family = String(words[2])
        switch words[1] {
        case "HELP":
            guard !families.contains(family) else { throw Malformed(description: "opened twice: \(family)") }
            families.append(family)
        case "TYPE":
            guard families.last == family, words.count == 4 else { throw Malformed(description: "\(line)") }
            kinds[family] = String(words[3])
        default: throw Malformed(description: "\(line)")
        }
    }

    private static func sample(_ line: Substring) throws -> Sample {
        guard let end = line.firstIndex(where: { $0 == "{" || $0 == " " }) else {
            throw Malformed(description: "\(line)")
        }
        let name = String(line[..<end])
        var rest = line[end...]
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                guard let equals = rest.firstIndex(of: "="), rest[rest.index(after: equals)...].first == "\"" else {
                    throw Malformed(description: "\(line)")
                }
                let label = String(rest[..<equals])
                rest = rest[rest.index(equals, offsetBy: 2)...]
                labels[label] = try string(&rest, line)
                if rest.first == "," { rest = rest.dropFirst() }
            }
            rest = rest.dropFirst()
        }
        guard rest.first == " ", let value = number(rest.dropFirst()) else { throw Malformed(description: "\(line)") }
        return Sample(name: name, labels: labels, value: value)
    }

    private static func string(_ rest: inout Substring, _ line: Substring) throws -> String {
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return value
            case "\\":
                switch rest.popFirst() {
                case "n": value.append("\n")
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                default: throw Malformed(description: "\(line)")
                }
            default: value.append(character)
            }
        }
        throw Malformed(description: "\(line)")
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }
}
