/// Reads and writes `.safetensors`: a JSON header with types, shapes and offsets, then the elements.
///
/// Nothing in such a file can run a program. The header must describe the data without holes, overlaps or rest.
/// - Source: the format section of the safetensors documentation.
package struct SafetensorsFile: Sendable {
    /// The free text pairs of the header.
    package let metadata: [String: String]
    /// The names of the tensors, by offset.
    package let names: [String]
    /// The path it was read from, for messages.
    package let path: String
    private let entries: [String: Entry]
    private let bytes: [UInt8]
    private let dataStart: Int

    private struct Entry: Sendable {
        var name: String
        var elementType: ElementType
        var shape: [Int]
        var range: Range<Int>
    }

    private static let headerBytesMax = 16 << 20

    /// Reads a file.
    ///
    /// - Throws: ``ArrayFileError`` naming the file: missing, truncated, malformed, unsupported.
    package init(path: String) throws(ArrayFileError) {
        try self.init(bytes: SystemFile.contents(of: path), path: path)
    }

    /// Reads a file that is already in memory; `path` is what messages call it.
    package init(bytes: [UInt8], path: String) throws(ArrayFileError) {
        var reader = ByteReader(bytes)
        guard bytes.count >= 8 else {
            throw ArrayFileError(.truncated, "\(path) has \(bytes.count) bytes, too few for a .safetensors file")
        }
        guard let length = reader.integer(size: 8), length <= Self.headerBytesMax else {
            throw ArrayFileError(.malformed, "\(path) is no .safetensors file: it claims a header of over 16 MiB")
        }
        guard let text = reader.take(length) else {
            throw ArrayFileError(.truncated, "\(path) ends inside its header; copy or download the file again")
        }
        let header = try JSONValue.parse(text, name: "the header of \(path)")
        guard let members = header.members else {
            throw ArrayFileError(.malformed, "the header of \(path) is no JSON object")
        }
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        for member in members {
            if member.key == "__metadata__" {
                metadata = try Self.parseMetadata(member.value, path: path)
            } else {
                entries.append(try Self.parseEntry(member, path: path))
            }
        }
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = 0
        for entry in entries {
            guard entry.range.lowerBound == end else {
                throw ArrayFileError(.malformed, "\(path): tensor \"\(entry.name)\" overlaps another or leaves a hole")
            }
            end = entry.range.upperBound
        }
        guard end <= reader.remaining else {
            throw ArrayFileError(
                .truncated,
                "\(path) should hold \(end) bytes of tensors, but only \(reader.remaining) are there; "
                    + "copy or download the file again")
        }
        guard end == reader.remaining else {
            throw ArrayFileError(.malformed, "\(path) has \(reader.remaining - end) bytes after its last tensor")
        }
        self.path = path
        self.metadata = metadata
        self.bytes = bytes
        dataStart = reader.offset
        names = entries.map(\.name)
        self.entries = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
    }

    /// Whether the file holds the tensor.
    package func contains(_ name: String) -> Bool { entries[name] != nil }

    /// Reads one tensor.
    ///
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` when there is no such tensor.
    package func tensor(_ name: String) throws(ArrayFileError) -> NDArray {
        guard let entry = entries[name] else {
            throw ArrayFileError(.wrongShape, "\(path) has no tensor \"\(name)\"")
        }
        let slice = bytes[(dataStart + entry.range.lowerBound)..<(dataStart + entry.range.upperBound)]
        return NDArray(trusted: entry.elementType, shape: entry.shape, bytes: Array(slice))
    }

    private static func parseMetadata(_ value: JSONValue, path: String) throws(ArrayFileError) -> [String: String] {
        guard let members = value.members else {
            throw ArrayFileError(.malformed, "\(path): __metadata__ is no JSON object")
        }
        var metadata: [String: String] = [:]
        for member in members {
            guard let text = member.value.string else {
                throw ArrayFileError(.malformed, "\(path): the metadata \"\(member.key)\" is no text")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private static func parseEntry(_ member: JSONValue.Member, path: String) throws(ArrayFileError) -> Entry {
        let name = "tensor \"\(member.key)\" in \(path)"
        guard let typeName = member.value["dtype"]?.string, let extents = member.value["shape"]?.array,
            let offsets = member.value["data_offsets"]?.array, offsets.count == 2, let begin = offsets[0].int,
            let end = offsets[1].int
        else { throw ArrayFileError(.malformed, "\(name) lacks dtype, shape or data_offsets") }
        guard let type = elementTypes.first(where: { $0.name == typeName })?.type else {
            throw ArrayFileError(.unsupported, "\(name) has the type \(typeName), which is not read")
        }
        let shape = extents.compactMap(\.int)
        guard shape.count == extents.count, let byteCount = type.byteCount(ofShape: shape) else {
            throw ArrayFileError(.malformed, "\(name) claims a shape that no file can hold")
        }
        guard begin >= 0, end >= begin, end - begin == byteCount else {
            throw ArrayFileError(
                .malformed, "\(name): shape \(shape) of \(typeName) needs \(byteCount) bytes, its offsets say otherwise"
            )
        }
        return Entry(name: member.key, elementType: type, shape: shape, range: begin..<end)
    }

    private static let elementTypes: [(name: String, type: ElementType)] = [
        ("F64", .float64), ("I64", .int64), ("U64", .uint64), ("F32", .float32), ("I32", .int32), ("U32", .uint32),
        ("F16", .float16), ("BF16", .bfloat16), ("I16", .int16), ("U16", .uint16), ("I8", .int8), ("U8", .uint8),
        ("BOOL", .bool),
    ]
}

extension SafetensorsFile {
    /// Writes tensors; the file appears under `path` complete or not at all.
    ///
    /// Wide types come first, so that every tensor is aligned to its element; the header is padded to 8 bytes.
    /// - Throws: ``ArrayFileError/Reason/unsupported`` for text, which the format has no type for.
    package static func write(
        _ tensors: [(name: String, array: NDArray)], metadata: [(key: String, value: String)] = [], to path: String
    ) throws(ArrayFileError) {
        try AtomicFile.write(parts: encode(tensors, metadata: metadata), to: path)
    }

    /// The bytes of a file, in parts.
    package static func encode(
        _ tensors: [(name: String, array: NDArray)], metadata: [(key: String, value: String)] = []
    ) throws(ArrayFileError) -> [[UInt8]] {
        let ordered = tensors.sorted {
            ($1.array.elementType.byteCount, $0.name) < ($0.array.elementType.byteCount, $1.name)
        }
        var members: [JSONValue.Member] = []
        if !metadata.isEmpty {
            members.append(.init("__metadata__", .object(metadata.map { .init($0.key, .string($0.value)) })))
        }
        var offset = 0
        for tensor in ordered {
            guard let type = elementTypes.first(where: { $0.type == tensor.array.elementType }) else {
                throw ArrayFileError(
                    .unsupported,
                    "tensor \"\(tensor.name)\": safetensors has no type for \(tensor.array.elementType.name)")
            }
            let end = offset + tensor.array.bytes.count
            members.append(
                .init(
                    tensor.name,
                    .object([
                        .init("dtype", .string(type.name)),
                        .init("shape", .array(tensor.array.shape.map { .integer($0) })),
                        .init("data_offsets", .array([.integer(offset), .integer(end)])),
                    ])))
            offset = end
        }
        var header = Array(JSONValue.object(members).encoded().utf8)
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        var length: [UInt8] = []
        length.append(littleEndian: header.count, size: 8)
        return [length + header] + ordered.map(\.array.bytes)
    }
}
