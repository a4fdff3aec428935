package import SinewMessagePack

/// An array of numbers: the message `sinew.v1.Tensor`, with a codec by hand so that its data is copied once.
///
/// - Shape: row-major; the element count is the product of `shape`.
package struct Tensor: Sendable, Equatable {
    /// The elements by their type.
    package enum Elements: Sendable, Equatable {
        /// 32-bit floats, what the solvers compute with.
        case float32([Float])
        /// 64-bit floats, accepted because numpy makes them by default.
        case float64([Double])
        /// 32-bit signed integers.
        case int32([Int32])
        /// Bytes, also for truth values.
        case uint8([UInt8])

        /// How many there are.
        package var count: Int {
            switch self {
            case .float32(let values): values.count
            case .float64(let values): values.count
            case .int32(let values): values.count
            case .uint8(let values): values.count
            }
        }

        /// The name of the type on the wire, numpy's.
        package var typeName: String {
            switch self {
            case .float32: "float32"
            case .float64: "float64"
            case .int32: "int32"
            case .uint8: "uint8"
            }
        }
    }

    /// The extent of each axis; empty for a single number.
    package let shape: [Int]
    /// The elements.
    package let elements: Elements

    /// Creates a tensor.
    ///
    /// - Precondition: as many elements as the product of `shape`.
    package init(_ elements: Elements, shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == elements.count, "Tensor: shape \(shape)")
        self.shape = shape
        self.elements = elements
    }

    /// Creates an empty tensor, shape [0]: what a message has where the field is missing.
    package init() { self.init(.float32([]), shape: [0]) }

    /// Creates a tensor of 32-bit floats.
    package init(_ values: [Float], shape: [Int]) { self.init(.float32(values), shape: shape) }

    /// The elements as 32-bit floats, or nil for integers.
    ///
    /// - Cost: none for `float32`; `float64` is rounded into a new array.
    package var floats: [Float]? {
        switch elements {
        case .float32(let values): values
        case .float64(let values): values.map(Float.init)
        case .int32, .uint8: nil
        }
    }

    /// The elements when they are bytes.
    package var bytes: [UInt8]? {
        switch elements {
        case .uint8(let values): values
        case .float32, .float64, .int32: nil
        }
    }

    /// For messages, for example `float32 [2, 29, 3]`.
    package var typeAndShape: String { "\(elements.typeName) \(shape)" }
}

extension Tensor: WireMessage {
    package static let messageName = "sinew.v1.Tensor"
    /// The most axes a tensor may have; ours have three.
    package static let axesMax = 8

    package func pack(into packer: inout Packer) {
        packer.packMapHeader(count: 3)
        packer.packField("dtype", elements.typeName)
        packer.packField("shape", repeated: shape.map { UInt64($0) })
        packer.pack("data")
        switch elements {
        case .float32(let values): unsafe packer.pack(binary: values.span.bytes)
        case .float64(let values): unsafe packer.pack(binary: values.span.bytes)
        case .int32(let values): unsafe packer.pack(binary: values.span.bytes)
        case .uint8(let values): packer.pack(binary: values)
        }
    }

    package static func unpack(from unpacker: inout Unpacker) throws(MessagePackError) -> Tensor {
        let start = unpacker.offset
        var typeName = ""
        var shape: [Int] = []
        var data = 0..<0
        var hasData = false
        try unpacker.readFields { (unpacker, field) throws(MessagePackError) in
            switch field {
            case "dtype": typeName = try unpacker.readString(bytesMax: 32)
            case "shape": shape = try readShape(&unpacker)
            case "data":
                data = try unpacker.readBinaryRange()
                hasData = true
            default: try unpacker.skip()
            }
        }
        guard hasData else { throw MessagePackError(.malformed, "a tensor without data", offset: start) }
        var elementCount = 1
        for extent in shape {
            let (product, overflow) = elementCount.multipliedReportingOverflow(by: extent)
            guard !overflow else {
                throw MessagePackError(
                    .malformed, "shape \(shape) has more elements than a number can count", offset: start)
            }
            elementCount = product
        }
        let elements: Elements
        switch typeName {
        case "float32": elements = .float32(try copy(&unpacker, data, elementCount, zero: 0, shape))
        case "float64": elements = .float64(try copy(&unpacker, data, elementCount, zero: 0, shape))
        case "int32": elements = .int32(try copy(&unpacker, data, elementCount, zero: 0, shape))
        case "uint8": elements = .uint8(try copy(&unpacker, data, elementCount, zero: 0, shape))
        default:
            throw MessagePackError(
                .malformed, "dtype “\(typeName)” is not one of float32, float64, int32, uint8", offset: start)
        }
        return Tensor(elements, shape: shape)
    }

    private static func readShape(_ unpacker: inout Unpacker) throws(MessagePackError) -> [Int] {
        try unpacker.readArray(countMax: axesMax) { (unpacker, count) throws(MessagePackError) in
            var shape: [Int] = []
            for _ in 0..<count { shape.append(Int(try unpacker.readInteger(UInt32.self))) }
            return shape
        }
    }

    /// Copies the data into an array of its own. Little-endian on the wire, and so is every machine that Swift runs on here.
    private static func copy<Element: BitwiseCopyable>(
        _ unpacker: inout Unpacker, _ data: Range<Int>, _ count: Int, zero: Element, _ shape: [Int]
    ) throws(MessagePackError) -> [Element] {
        let itemBytes = MemoryLayout<Element>.size
        let (expected, overflow) = count.multipliedReportingOverflow(by: itemBytes)
        guard !overflow, expected == data.count else {
            throw MessagePackError(
                .malformed, "data has \(data.count) bytes, shape \(shape) of \(Element.self) needs \(expected)",
                offset: data.lowerBound)
        }
        var values = Array(repeating: zero, count: count)
        unpacker.withBytes(in: data) { source in
            unsafe values.withUnsafeMutableBytes { target in
                unsafe source.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
            }
        }
        return values
    }
}

#if _endian(big)
    #error(
        "Tensor copies little-endian data as it stands; a big-endian machine must swap the bytes in Tensor.pack and copy"
    )
#endif
