// The bytes of an array are reinterpreted here and nowhere else; every element type is a plain bit pattern.

#if _endian(big)
    #error("array bytes are little-endian and are reinterpreted without swapping")
#endif

extension NDArray {
    /// The elements as `Float`; integers and `bool` are converted, `float64` is rounded.
    ///
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` for text.
    package func floats() throws(ArrayFileError) -> [Float] {
        switch elementType {
        case .float32: return elements(of: Float.self)
        case .float64: return elements(of: Double.self).map(Float.init)
        case .float16: return elements(of: Float16.self).map(Float.init)
        case .bfloat16: return elements(of: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        case .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64:
            return try doubles().map(Float.init)
        case .unicode, .bytes: throw notNumeric("floating-point numbers")
        }
    }

    /// The elements as `Double`; integers beyond 2^53 are rounded.
    ///
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` for text.
    package func doubles() throws(ArrayFileError) -> [Double] {
        switch elementType {
        case .float64: return elements(of: Double.self)
        case .float32, .float16, .bfloat16: return try floats().map(Double.init)
        case .bool: return bytes.map { $0 == 0 ? 0 : 1 }
        case .int8: return elements(of: Int8.self).map(Double.init)
        case .uint8: return bytes.map(Double.init)
        case .int16: return elements(of: Int16.self).map(Double.init)
        case .uint16: return elements(of: UInt16.self).map(Double.init)
        case .int32: return elements(of: Int32.self).map(Double.init)
        case .uint32: return elements(of: UInt32.self).map(Double.init)
        case .int64: return elements(of: Int64.self).map(Double.init)
        case .uint64: return elements(of: UInt64.self).map(Double.init)
        case .unicode, .bytes: throw notNumeric("numbers")
        }
    }

    /// The elements as `Int`; floating-point arrays are accepted when every element is a whole number.
    ///
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` for text, fractions and values beyond `Int`.
    package func ints() throws(ArrayFileError) -> [Int] {
        switch elementType {
        case .bool: return bytes.map { $0 == 0 ? 0 : 1 }
        case .int8: return elements(of: Int8.self).map(Int.init)
        case .uint8: return bytes.map(Int.init)
        case .int16: return elements(of: Int16.self).map(Int.init)
        case .uint16: return elements(of: UInt16.self).map(Int.init)
        case .int32: return elements(of: Int32.self).map(Int.init)
        case .uint32: return elements(of: UInt32.self).map(Int.init)
        case .int64: return elements(of: Int64.self).map(Int.init)
        case .uint64: return try whole(elements(of: UInt64.self).map { Int(exactly: $0) })
        case .float16, .bfloat16, .float32, .float64: return try whole(doubles().map { Int(exactly: $0) })
        case .unicode, .bytes: throw notNumeric("whole numbers")
        }
    }

    /// The elements as text, without the padding.
    ///
    /// - Throws: ``ArrayFileError/Reason/wrongShape`` for numbers, ``ArrayFileError/Reason/malformed`` for code points
    ///   that do not exist.
    package func strings() throws(ArrayFileError) -> [String] {
        switch elementType {
        case .unicode(let length):
            let points = elements(of: UInt32.self)
            var result: [String] = []
            result.reserveCapacity(count)
            for index in 0..<count {
                var text = String.UnicodeScalarView()
                for point in points[(index * length)..<((index + 1) * length)].trimmingZeros() {
                    guard let scalar = Unicode.Scalar(point) else {
                        throw ArrayFileError(.malformed, "text element \(index) holds \(point), which is no character")
                    }
                    text.append(scalar)
                }
                result.append(String(text))
            }
            return result
        case .bytes(let length):
            return (0..<count).map { index in
                String(decoding: bytes[(index * length)..<((index + 1) * length)].trimmingZeros(), as: UTF8.self)
            }
        case .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16, .bfloat16, .float32,
            .float64:
            throw ArrayFileError(.wrongShape, "text is needed, but the array holds \(elementType.name)")
        }
    }

    private func whole(_ values: [Int?]) throws(ArrayFileError) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let value else {
                throw ArrayFileError(.wrongShape, "element \(index) of a \(elementType.name) array is no whole number")
            }
            result.append(value)
        }
        return result
    }

    private func notNumeric(_ wanted: String) -> ArrayFileError {
        ArrayFileError(.wrongShape, "\(wanted) are needed, but the array holds \(elementType.name)")
    }

    /// Reinterprets the bytes; callers pass a type whose every bit pattern is a value.
    private func elements<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
        let count = bytes.count / MemoryLayout<Element>.size
        // The destination is aligned by the array, the source may lie anywhere, so bytes are copied.
        return unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[..<(count * MemoryLayout<Element>.size)]))
            }
            initialized = count
        }
    }
}

extension NDArray {
    /// An array of `Float`.
    package static func float32(_ values: [Float], shape: [Int]) -> NDArray { make(.float32, values, shape) }
    /// An array of `Double`.
    package static func float64(_ values: [Double], shape: [Int]) -> NDArray { make(.float64, values, shape) }
    /// An array of half-precision numbers, rounded to nearest.
    package static func float16(_ values: [Float], shape: [Int]) -> NDArray {
        make(.float16, values.map(Float16.init), shape)
    }
    /// An array of `Int32`.
    package static func int32(_ values: [Int32], shape: [Int]) -> NDArray { make(.int32, values, shape) }
    /// An array of 64-bit integers.
    package static func int64(_ values: [Int], shape: [Int]) -> NDArray { make(.int64, values.map(Int64.init), shape) }
    /// An array of bytes.
    package static func uint8(_ values: [UInt8], shape: [Int]) -> NDArray { make(.uint8, values, shape) }
    /// An array of truth values.
    package static func bool(_ values: [Bool], shape: [Int]) -> NDArray {
        make(.bool, values.map { UInt8($0 ? 1 : 0) }, shape)
    }

    /// An array of text, as wide as its longest element; `shape: []` makes a scalar.
    package static func strings(_ values: [String], shape: [Int]) -> NDArray {
        let length = max(1, values.map(\.unicodeScalars.count).max() ?? 1)
        var points: [UInt32] = []
        points.reserveCapacity(values.count * length)
        for value in values {
            points.append(contentsOf: value.unicodeScalars.map(\.value))
            points.append(contentsOf: repeatElement(0, count: length - value.unicodeScalars.count))
        }
        return make(.unicode(count: length), points, shape)
    }

    private static func make<Element: BitwiseCopyable>(
        _ type: ElementType, _ values: [Element], _ shape: [Int]
    ) -> NDArray {
        let bytes = unsafe values.withUnsafeBytes { unsafe [UInt8]($0) }
        precondition(type.byteCount(ofShape: shape) == bytes.count, "shape \(shape), but \(values.count) values")
        return NDArray(trusted: type, shape: shape, bytes: bytes)
    }
}

extension Collection where Element: BinaryInteger, Self: BidirectionalCollection {
    /// Without the zeros at the end.
    fileprivate func trimmingZeros() -> SubSequence {
        var end = endIndex
        while end > startIndex, self[index(before: end)] == 0 { end = index(before: end) }
        return self[..<end]
    }
}
