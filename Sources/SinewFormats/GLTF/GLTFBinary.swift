package import SinewArrayFiles

/// The numbers of a `.glb` and what describes them: one buffer, a view and an accessor for each array.
package struct GLTFBinary {
    /// What the elements of an accessor are.
    package enum Kind: String {
        case scalar = "SCALAR"
        case vector3 = "VEC3"
        case vector4 = "VEC4"
        case matrix4 = "MAT4"

        /// Numbers of an element.
        var width: Int {
            switch self {
            case .scalar: 1
            case .vector3: 3
            case .vector4: 4
            case .matrix4: 16
            }
        }
    }

    /// What a graphics card does with an array; animations and bind matrices are for neither.
    package enum Use: Int {
        case vertices = 34_962
        case indices = 34_963
    }

    private var bytes: [UInt8] = []
    private var accessors: [JSONValue] = []
    private var views: [JSONValue] = []

    package init() {}

    /// Appends 32-bit floats. - Returns: the accessor's index.
    package mutating func add(
        _ kind: Kind, _ values: [Float], hasBounds: Bool = false, use: Use? = nil
    ) -> Int {
        let start = begin()
        bytes.reserveCapacity(bytes.count + values.count * 4)
        for value in values { Self.append(value.bitPattern, to: &bytes) }
        var bounds: [JSONValue.Member] = []
        if hasBounds {
            let lanes = (0..<kind.width).map { lane in
                stride(from: lane, to: values.count, by: kind.width).map { values[$0] }
            }
            bounds = [
                .init("min", .array(lanes.map { .number(Double($0.min() ?? 0)) })),
                .init("max", .array(lanes.map { .number(Double($0.max() ?? 0)) })),
            ]
        }
        return end(start, component: 5126, count: values.count / kind.width, kind, use, bounds)
    }

    /// Appends vertex indices, in two bytes each where that is enough. - Returns: the accessor's index.
    package mutating func add(indices: [UInt32], vertexCount: Int) -> Int {
        let start = begin()
        // The largest index of a width is kept free: it restarts a strip.
        guard vertexCount <= 65_535 else {
            for index in indices { Self.append(index, to: &bytes) }
            return end(start, component: 5125, count: indices.count, .scalar, .indices, [])
        }
        for index in indices {
            bytes.append(UInt8(truncatingIfNeeded: index))
            bytes.append(UInt8(truncatingIfNeeded: index >> 8))
        }
        return end(start, component: 5123, count: indices.count, .scalar, .indices, [])
    }

    /// Appends four bytes for each vertex. - Returns: the accessor's index.
    package mutating func add(fourBytes: [UInt8]) -> Int {
        let start = begin()
        bytes += fourBytes
        return end(start, component: 5121, count: fourBytes.count / 4, .vector4, .vertices, [])
    }

    private mutating func begin() -> Int {
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        return bytes.count
    }

    private mutating func end(
        _ start: Int, component: Int, count: Int, _ kind: Kind, _ use: Use?, _ bounds: [JSONValue.Member]
    ) -> Int {
        var view: [JSONValue.Member] = [
            .init("buffer", .integer(0)), .init("byteOffset", .integer(start)),
            .init("byteLength", .integer(bytes.count - start)),
        ]
        if let use { view.append(.init("target", .integer(use.rawValue))) }
        views.append(.object(view))
        accessors.append(
            .object(
                [
                    .init("bufferView", .integer(views.count - 1)), .init("componentType", .integer(component)),
                    .init("count", .integer(count)), .init("type", .string(kind.rawValue)),
                ] + bounds))
        return accessors.count - 1
    }

    /// A `.glb` of these members and the arrays: header, JSON padded by blanks, numbers padded by zeros.
    package func container(_ members: [JSONValue.Member]) -> [UInt8] {
        let arrays: [JSONValue.Member] = [
            .init("accessors", .array(accessors)), .init("bufferViews", .array(views)),
            .init("buffers", .array([.object([.init("byteLength", .integer(bytes.count))])])),
        ]
        let json = Array(JSONValue.object(members + arrays).encoded().utf8)
        let text = json + [UInt8](repeating: UInt8(ascii: " "), count: (4 - json.count % 4) % 4)
        let padding = [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        let binaryCount = bytes.count + padding.count
        var file = Array("glTF".utf8)
        file.reserveCapacity(28 + text.count + binaryCount)
        Self.append(2, to: &file)
        Self.append(UInt32(28 + text.count + binaryCount), to: &file)
        Self.append(UInt32(text.count), to: &file)
        Self.append(0x4E4F_534A, to: &file)
        file += text
        Self.append(UInt32(binaryCount), to: &file)
        Self.append(0x004E_4942, to: &file)
        return file + bytes + padding
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
