/// Kinds of files that the ending of a name tells: the raw value with its dot, in letters of any case.
package protocol FileKind: RawRepresentable<String>, CaseIterable {}

extension FileKind {
    /// The kind of a file's name, or nil for any other ending.
    package init?(path: String) {
        let name = path.lowercased()
        guard let kind = Self.allCases.first(where: { name.hasSuffix($0.rawValue) }) else { return nil }
        self = kind
    }
}
