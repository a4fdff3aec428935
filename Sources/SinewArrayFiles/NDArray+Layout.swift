/// Arrays whose bytes lie in another order than ours: big-endian, or first index fastest.
extension NDArray {
    /// Takes bytes as numpy describes them.
    ///
    /// - Parameters:
    ///   - descriptor: numpy's type string with or without byte order, for example `<f8` or `i4`.
    ///   - bytes: exactly the elements.
    ///   - name: what errors call the array.
    /// - Throws: ``ArrayFileError/Reason/unsupported`` for types that are not read, ``ArrayFileError/Reason/malformed`` when
    ///   shape, type and byte count do not fit together.
    package init(
        numpy descriptor: String, isFortranOrder: Bool, shape: [Int], bytes: [UInt8], name: String
    ) throws(ArrayFileError) {
        let full = descriptor.first.map { "<>|=".contains($0) } == true ? descriptor : "=" + descriptor
        let (type, isBigEndian) = try NPYHeader.parse(descriptor: full, name: name)
        guard let expected = type.byteCount(ofShape: shape), expected == bytes.count else {
            throw ArrayFileError(
                .malformed, "\(name) of shape \(shape) and type \(type.name) cannot have \(bytes.count) bytes of data")
        }
        self.init(trusted: type, shape: shape, bytes: bytes, isBigEndian: isBigEndian, isFortranOrder: isFortranOrder)
    }

    /// Turns the bytes of an array, whose count has been checked, into little-endian C order.
    init(trusted type: ElementType, shape: [Int], bytes: [UInt8], isBigEndian: Bool, isFortranOrder: Bool) {
        var bytes = bytes
        if isBigEndian { Self.swapBytes(&bytes, unit: type.swapUnit) }
        if isFortranOrder, shape.count > 1 {
            bytes = Self.cOrder(bytes, shape: shape, elementBytes: type.byteCount)
        }
        self.init(trusted: type, shape: shape, bytes: bytes)
    }

    private static func swapBytes(_ bytes: inout [UInt8], unit: Int) {
        guard unit > 1 else { return }
        for start in stride(from: 0, to: bytes.count - unit + 1, by: unit) {
            for offset in 0..<(unit / 2) { bytes.swapAt(start + offset, start + unit - 1 - offset) }
        }
    }

    /// Reorders from first-index-fastest to last-index-fastest.
    private static func cOrder(_ bytes: [UInt8], shape: [Int], elementBytes: Int) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        var strides = [Int](repeating: elementBytes, count: shape.count)
        for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        return gather(bytes[...], shape: shape, byteStrides: strides, elementBytes: elementBytes)
    }

    /// Elements that lie apart in memory, in C order.
    ///
    /// - Precondition: no extent is 0, and every element lies in `bytes`, whose first byte is that of the first element.
    package static func gather(
        _ bytes: ArraySlice<UInt8>, shape: [Int], byteStrides: [Int], elementBytes: Int
    ) -> [UInt8] {
        let byteCount = shape.reduce(elementBytes, *)
        var result: [UInt8] = []
        result.reserveCapacity(byteCount)
        var index = [Int](repeating: 0, count: shape.count)
        var source = bytes.startIndex
        while result.count < byteCount {
            result.append(contentsOf: bytes[source..<(source + elementBytes)])
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                source += byteStrides[axis]
                if index[axis] < shape[axis] { break }
                source -= byteStrides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        return result
    }
}
