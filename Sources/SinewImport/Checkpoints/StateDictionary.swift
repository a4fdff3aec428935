internal import SinewArrayFiles

/// The named tensors of a checkpoint, whatever the training framework wrapped around them.
struct StateDictionary {
    let file: TorchFile
    /// Names without prefixes that belong to the framework, in file order.
    private(set) var entries: [(name: String, value: PickleValue)] = []

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
            entries.append((name, member.value))
        }
        guard !entries.isEmpty else {
            throw ArrayFileError(.wrongShape, "\(file.path) holds no tensors; give a checkpoint with a state_dict")
        }
    }

    /// Takes a prefix off the names that carry it.
    mutating func removePrefix(_ prefix: String) {
        for index in entries.indices where entries[index].name.hasPrefix(prefix) {
            entries[index].name.removeFirst(prefix.count)
        }
    }

    /// The extents of a tensor, without reading it; nil when there is none of that name.
    func shape(of name: String) -> [Int]? {
        guard let value = entries.first(where: { $0.name == name })?.value else { return nil }
        return file.shape(of: value)
    }

    func contains(_ name: String) -> Bool { entries.contains { $0.name == name } }
}
