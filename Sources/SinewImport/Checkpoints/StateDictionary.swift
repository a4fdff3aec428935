internal import SinewArrayFiles

/// The named tensors of a checkpoint, whatever the training framework wrapped around them.
struct StateDictionary: Sendable {
    let file: TorchFile
    /// Names without prefixes that belong to the framework, in file order.
    private(set) var entries: [Entry] = []

    struct Entry: Sendable {
        var name: String
        var value: PickleValue
        /// Whether ``removingPrefix(_:)`` shortened the name.
        var hadPrefix = false
    }

    /// Where frameworks keep the tensors, most usual first.
    private static let wrappers = ["state_dict", "model", "model_state_dict", "net"]

    init(_ file: TorchFile) throws(ArrayFileError) {
        self.file = file
        let document = file.document
        var found = document.root
        for wrapper in Self.wrappers {
            if let inner = document.member(wrapper, of: document.root), document.entries(inner) != nil {
                found = inner
                break
            }
        }
        guard let members = document.entries(found) else {
            throw ArrayFileError(
                .wrongShape, "\(file.path) holds no dictionary of tensors; give a checkpoint with a state_dict")
        }
        var seen: Set<String> = []
        for member in members where file.isTensor(member.value) {
            guard var name = document.text(member.key) else { continue }
            // torch's data-parallel wrapper.
            if name.hasPrefix("module.") { name.removeFirst("module.".count) }
            guard seen.insert(name).inserted else {
                throw ArrayFileError(.malformed, "\(file.path) holds the tensor \"\(name)\" twice")
            }
            entries.append(Entry(name: name, value: member.value))
        }
        guard !entries.isEmpty else {
            throw ArrayFileError(.wrongShape, "\(file.path) holds no tensors; give a checkpoint with a state_dict")
        }
    }

    /// The same with a prefix taken off the names that carry it.
    func removingPrefix(_ prefix: String) -> StateDictionary {
        guard !prefix.isEmpty else { return self }
        var shortened = self
        for index in entries.indices where entries[index].name.hasPrefix(prefix) {
            shortened.entries[index].name.removeFirst(prefix.count)
            shortened.entries[index].hadPrefix = true
        }
        return shortened
    }

    /// The extents of a tensor, without reading it; nil when there is none of that name.
    func shape(of name: String) -> [Int]? {
        guard let value = entries.first(where: { $0.name == name })?.value else { return nil }
        return file.shape(of: value)
    }

    func contains(_ name: String) -> Bool { entries.contains { $0.name == name } }
}
