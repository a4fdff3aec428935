internal import SinewArrayFiles
internal import SinewBody

/// One line of a JSON lines file: a person, or the people of a frame.
struct JSONLine {
    let number: Int
    let personCount: Int
    let jointCount: Int
    /// Whether `joints3d` is `[P][J][3]`.
    let hasPeopleAxis: Bool
    private let value: JSONValue
    private let defaults: JSONValue
    private let path: String
    /// One list of joints per person.
    private let joints: [[JSONValue]]

    init(
        _ value: JSONValue, defaults: JSONValue, joints: JSONValue, path: String, number: Int
    ) throws(FormatError) {
        self.value = value
        self.defaults = defaults
        self.path = path
        self.number = number
        func wrong() -> FormatError {
            FormatError(
                .invalidData,
                "line \(number) of \(path): joints3d must be [[x, y, z], …] for one person or a list of those, with null for "
                    + "a joint that was not seen", field: "joints3d")
        }
        guard let outer = joints.array, !outer.isEmpty else { throw wrong() }
        // A list of joints holds triples of numbers; a list of people holds lists of lists.
        hasPeopleAxis = outer.contains { $0.array?.contains { $0.array != nil || $0 == .null } == true }
        if hasPeopleAxis {
            let lists = outer.compactMap(\.array)
            guard lists.count == outer.count, let first = lists.first, lists.allSatisfy({ $0.count == first.count })
            else { throw wrong() }
            self.joints = lists
        } else {
            self.joints = [outer]
        }
        personCount = self.joints.count
        jointCount = self.joints[0].count
    }

    /// A field of the line, else of the defaults; `null` counts as absent.
    subscript(name: String) -> JSONValue? {
        guard let found = value[name] ?? defaults[name], found != .null else { return nil }
        return found
    }

    func error(_ field: String, _ what: String) -> FormatError {
        FormatError(.invalidData, "line \(number) of \(path): \(field) \(what)", field: field)
    }

    func text(_ name: String) throws(FormatError) -> String? {
        guard let found = self[name] else { return nil }
        guard let text = found.string else { throw error(name, "is no text") }
        return text
    }

    /// A property of the whole file that a later line repeats must not change.
    func checkSame(_ name: String, as expected: String?) throws(FormatError) {
        guard let expected, let found = try text(name), found != expected else { return }
        throw error(name, "is \"\(found)\", but the lines before have \"\(expected)\"; use one per file")
    }

    func frame() throws(FormatError) -> Int? {
        guard let found = self["frame"] else { return nil }
        guard let frame = found.int, (0...(1 << 40)).contains(frame) else {
            throw error("frame", "is no whole number from 0 on")
        }
        return frame
    }

    /// One label per person.
    func trackLabels() throws(FormatError) -> [String] {
        guard let found = self["track"] ?? self["tracks"] else { return (0..<personCount).map { "person-\($0)" } }
        let entries = found.array ?? [found]
        let labels = entries.compactMap { $0.string ?? $0.int.map(String.init) }
        guard labels.count == entries.count, labels.count == personCount else {
            throw error("track", "needs \(personCount) names or whole numbers")
        }
        return labels
    }

    /// Appends positions and who was seen.
    func appendJoints(to people: inout RawPeople) throws(FormatError) {
        for (person, list) in joints.enumerated() {
            for (joint, entry) in list.enumerated() {
                if entry == .null {
                    people.joints += [0, 0, 0]
                    people.observed.append(false)
                    continue
                }
                let numbers = entry.array?.compactMap(\.double) ?? []
                guard numbers.count == 3, entry.array?.count == 3 else {
                    let who = hasPeopleAxis ? "person \(person), " : ""
                    throw error("joints3d", "\(who)joint \(joint) must be three numbers or null")
                }
                people.joints += numbers.map(Float.init)
                people.observed.append(true)
            }
        }
    }

    /// Stores everything but the joints for the rows that this line made.
    func storeFields(rows: Range<Int>, into people: inout RawPeople) throws(FormatError) {
        let names = people.skeleton.jointNames
        let (sigma, confidence) = (self["sigma"], self["confidence"])
        guard sigma == nil || confidence == nil else {
            throw error("confidence", "stands beside sigma; leave one of them out")
        }
        let kind: RawPeople.Certainty = sigma != nil ? .sigma : confidence != nil ? .confidence : .unknown
        let values =
            kind == .unknown
            ? [Float](repeating: 0, count: rows.count * names.count)
            : try numbers(kind == .sigma ? "sigma" : "confidence", inner: [names.count])
        people.certaintyValues += values
        people.certainty += [RawPeople.Certainty](repeating: kind, count: rows.count)
        let firstJoint = rows.lowerBound * names.count
        if kind == .confidence {
            for index in values.indices where values[index] == 0 { people.observed[firstJoint + index] = false }
        }
        if self["observed"] != nil {
            for (index, seen) in try numbers("observed", inner: [names.count]).enumerated() where seen == 0 {
                people.observed[firstJoint + index] = false
            }
        }

        people.twists += [Float](repeating: 0, count: rows.count * 23)
        people.hasTwists += [Bool](repeating: false, count: rows.count)
        if let name = ["twist", "twists"].first(where: { self[$0] != nil }) {
            let isPairs = depth(of: self[name]) == (hasPeopleAxis ? 3 : 2)
            let values = try numbers(name, inner: isPairs ? [23, 2] : [23])
            TwistFields.store(values, isPairs: isPairs, rows: rows, into: &people)
        }
        people.betas += try betas(rows.count)
        people.genders += try genders(rows.count)
    }

    private func betas(_ count: Int) throws(FormatError) -> [Float] {
        guard let found = self["betas"] else { return [Float](repeating: 0, count: count * 10) }
        let isPerPerson = depth(of: found) == 2
        let lists = isPerPerson ? found.array?.compactMap(\.array) ?? [] : [found.array ?? []]
        guard lists.count == (isPerPerson ? count : 1) else { throw error("betas", "needs one list per person") }
        var result: [Float] = []
        for person in 0..<count {
            let numbers = lists[isPerPerson ? person : 0].compactMap(\.double)
            guard !numbers.isEmpty, numbers.count == lists[isPerPerson ? person : 0].count else {
                throw error("betas", "must be a list of numbers")
            }
            result += (0..<10).map { $0 < numbers.count ? Float(numbers[$0]) : 0 }
        }
        return result
    }

    private func genders(_ count: Int) throws(FormatError) -> [Gender] {
        guard let found = self["gender"] ?? self["genders"] else { return [Gender](repeating: .neutral, count: count) }
        let entries = found.array ?? [JSONValue](repeating: found, count: count)
        guard entries.count == count else { throw error("gender", "needs \(count) entries") }
        var result: [Gender] = []
        for entry in entries {
            result.append(
                try RawPeople.gender(named: entry.string ?? entry.encoded(), path: path, place: "line \(number)"))
        }
        return result
    }

    private func depth(of value: JSONValue?) -> Int {
        guard let first = value?.array?.first else { return value?.array == nil ? 0 : 1 }
        return 1 + depth(of: first)
    }

    /// The numbers of a field with shape `inner`, or `[P] + inner` where there is a person axis; true counts as 1.
    private func numbers(_ name: String, inner: [Int]) throws(FormatError) -> [Float] {
        let shape = (hasPeopleAxis ? [personCount] : []) + inner
        var result: [Float] = []
        func collect(_ value: JSONValue, _ level: Int) -> Bool {
            guard level < shape.count else {
                guard let number = value.double ?? value.bool.map({ $0 ? 1 : 0 }) else { return false }
                result.append(Float(number))
                return true
            }
            guard let list = value.array, list.count == shape[level] else { return false }
            return list.allSatisfy { collect($0, level + 1) }
        }
        guard let found = self[name], collect(found, 0) else {
            throw error(name, "must be numbers of shape \(shape)")
        }
        return result
    }
}
