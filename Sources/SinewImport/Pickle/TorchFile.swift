package import SinewArrayFiles

/// A file that `torch.save` wrote: a pickle, and the storages that its tensors are views of.
///
/// Read: the ZIP form (torch ≥ 1.6) and the one before it. Everything is data here, nothing is run (see ``Unpickler``).
package struct TorchFile: Sendable {
    /// The pickle.
    package let document: PickleDocument
    /// The path, for messages.
    package let path: String
    private let source: Source

    private enum Source: Sendable {
        case archive(ZIPFile, folder: String)
        case legacy([UInt8], [String: Range<Int>])
    }

    /// The whole number at the start of the form before ZIP.
    private static let legacyMagic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// Reads a file.
    ///
    /// - Throws: ``ArrayFileError``: missing, truncated, malformed, unsupported (which is also said of what is refused).
    package init(path: String) throws(ArrayFileError) {
        try self.init(bytes: FileContents.read(path), path: path)
    }

    /// Reads a file that is already in memory.
    package init(bytes: [UInt8], path: String) throws(ArrayFileError) {
        self.path = path
        if bytes.starts(with: [0x50, 0x4B]) {
            let archive = try ZIPFile(bytes: bytes, path: path)
            guard let member = archive.names.first(where: { $0.hasSuffix("/data.pkl") }),
                let pickle = try archive.contents(of: member)
            else {
                throw ArrayFileError(.malformed, "\(path) is a ZIP archive but no torch checkpoint: it has no data.pkl")
            }
            let folder = String(member.dropLast("data.pkl".count))
            if let order = try archive.contents(of: folder + "byteorder"), order != Array("little".utf8) {
                throw ArrayFileError(
                    .unsupported, "\(path) was saved on a big-endian machine; save it again on another")
            }
            document = try Unpickler.document(pickle, name: path)
            source = .archive(archive, folder: folder)
        } else {
            (document, source) = try Self.legacy(bytes, path: path)
        }
    }

    /// Five pickles (magic number, protocol, sizes, object, keys of the storages), then the storages.
    private static func legacy(_ bytes: [UInt8], path: String) throws(ArrayFileError) -> (PickleDocument, Source) {
        var reader = Unpickler(bytes, name: path)
        guard case .wideInt(let magic) = try reader.document().root, magic == legacyMagic else {
            throw ArrayFileError(
                .malformed, "\(path) is no torch checkpoint: neither a ZIP archive nor torch's older form")
        }
        func next() throws(ArrayFileError) -> PickleDocument {
            var part = Unpickler(bytes, at: reader.offset, name: path)
            let document = try part.document()
            reader.offset = part.offset
            return document
        }
        _ = try next()
        let system = try next()
        guard system.member("little_endian", of: system.root) == .bool(true) else {
            throw ArrayFileError(.unsupported, "\(path) was saved on a big-endian machine; save it again on another")
        }
        let document = try next()
        let keyList = try next()
        var types: [String: ElementType] = [:]
        for node in document.nodes {
            guard case .persistent(let identifier) = node else { continue }
            let storage = try Storage(identifier, in: document)
            types[storage.key] = storage.type
        }
        var ranges: [String: Range<Int>] = [:]
        for key in document.keys(of: keyList) {
            let count = try reader.integer(8)
            guard let type = types[key], let byteCount = type.byteCount(ofShape: [count]) else {
                throw ArrayFileError(.malformed, "\(path) holds a storage \"\(key)\" that no tensor explains")
            }
            let start = reader.offset
            _ = try reader.take(byteCount)
            ranges[key] = start..<(start + byteCount)
        }
        return (document, .legacy(bytes, ranges))
    }

    /// Whether a value is a tensor.
    package func isTensor(_ value: PickleValue) -> Bool {
        switch document.call(value)?.callable {
        case .torchTensor, .torchParameter: true
        default: false
        }
    }

    /// A tensor's elements in C order.
    ///
    /// - Throws: ``ArrayFileError`` when the value is no tensor, or reaches outside its storage.
    package func tensor(_ value: PickleValue, name: String) throws(ArrayFileError) -> NDArray {
        let what = "tensor \"\(name)\" in \(path)"
        guard document.call(value) != nil else { throw ArrayFileError(.wrongShape, "\(what) is no tensor") }
        guard let call = tensorCall(value) else {
            throw ArrayFileError(.malformed, "\(what) is a parameter without a tensor")
        }
        // (storage, offset, size, stride, …), offset and strides in elements.
        guard call.callable == .torchTensor, let arguments = document.sequence(call.arguments), arguments.count >= 4,
            case .persistent(let identifier)? = document.node(arguments[0]), let offset = document.int(arguments[1]),
            let shape = document.ints(arguments[2]), let strides = document.ints(arguments[3]),
            shape.count == strides.count, offset >= 0, strides.allSatisfy({ $0 >= 0 })
        else { throw ArrayFileError(.malformed, "\(what) is an incomplete tensor") }
        let storage = try Storage(identifier, in: document)
        guard storage.type.byteCount(ofShape: shape) != nil else {
            throw ArrayFileError(.malformed, "\(what) claims shape \(shape), which no file can hold")
        }
        let bytes = try self.bytes(of: storage, what: what)
        let view = StridedView(
            shape: shape, strides: strides, offset: offset, elementBytes: storage.type.byteCount)
        guard let elements = view.elements(of: bytes) else {
            throw ArrayFileError(.malformed, "\(what) reaches outside its storage of \(bytes.count) bytes")
        }
        return try NDArray(elementType: storage.type, shape: shape, bytes: elements)
    }

    /// The extents that a tensor claims.
    func shape(of value: PickleValue) -> [Int]? {
        guard let call = tensorCall(value), let arguments = document.sequence(call.arguments), arguments.count >= 3
        else { return nil }
        return document.ints(arguments[2])
    }

    /// The call that rebuilds a tensor, taken out of the parameter that wraps it where one does.
    private func tensorCall(_ value: PickleValue) -> PickleCall? {
        guard let call = document.call(value) else { return nil }
        guard call.callable == .torchParameter else { return call }
        return document.call(document.sequence(call.arguments)?.first)
    }

    private func bytes(of storage: Storage, what: String) throws(ArrayFileError) -> ArraySlice<UInt8> {
        switch source {
        case .archive(let archive, let folder):
            guard let bytes = try archive.contents(of: "\(folder)data/\(storage.key)") else {
                throw ArrayFileError(.truncated, "\(what): the archive lacks its storage data/\(storage.key)")
            }
            return bytes[...]
        case .legacy(let bytes, let ranges):
            guard let range = ranges[storage.key] else {
                throw ArrayFileError(.truncated, "\(what): the file lacks its storage \(storage.key)")
            }
            return bytes[range]
        }
    }

    /// `("storage", torch.FloatStorage, key, device, count, …)`.
    private struct Storage {
        let key: String
        let type: ElementType

        init(_ identifier: PickleValue, in document: PickleDocument) throws(ArrayFileError) {
            guard let parts = document.sequence(identifier), parts.count >= 5, document.text(parts[0]) == "storage",
                case .global(.torchStorage(let type)) = parts[1], let key = document.text(parts[2]),
                key.utf8.allSatisfy({ (48...57).contains($0) }), !key.isEmpty
            else {
                throw ArrayFileError(
                    .unsupported, "\(document.name) refers to data outside itself that is no torch storage")
            }
            if parts.count > 5, parts[5] != .none {
                throw ArrayFileError(
                    .unsupported, "\(document.name) has a storage that is a view of another; save it again")
            }
            self.key = key
            self.type = type
        }
    }
}

extension PickleDocument {
    /// The texts of another pickle's list.
    fileprivate func keys(of list: PickleDocument) -> [String] {
        (list.sequence(list.root) ?? []).compactMap { list.text($0) }
    }
}

/// Elements of a storage by strides, as torch keeps transposed and sliced tensors.
private struct StridedView {
    let shape: [Int]
    let strides: [Int]
    let offset: Int
    let elementBytes: Int

    /// The elements in C order; nil when one lies outside.
    func elements(of storage: ArraySlice<UInt8>) -> [UInt8]? {
        let available = storage.count / elementBytes
        if shape.contains(0) { return offset <= available ? [] : nil }
        var last = offset
        for (extent, stride) in zip(shape, strides) {
            let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflowSum) = last.addingReportingOverflow(reach)
            guard !overflow, !overflowSum else { return nil }
            last = sum
        }
        guard last < available else { return nil }
        let start = storage.startIndex + offset * elementBytes
        // A stride of 0 lets a small storage claim a large tensor; the claimed size was checked by the caller.
        var contiguous = 1
        var isContiguous = true
        for (extent, stride) in zip(shape, strides).reversed() where extent > 1 {
            isContiguous = isContiguous && stride == contiguous
            contiguous *= extent
        }
        let count = shape.reduce(1, *)
        if isContiguous { return Array(storage[start..<(start + count * elementBytes)]) }
        guard count <= available else { return nil }
        return NDArray.gather(
            storage[start...], shape: shape, byteStrides: strides.map { $0 * elementBytes }, elementBytes: elementBytes)
    }
}
