/// An n-dimensional array as it lies in a file: raw little-endian bytes in C order, its shape, and its element type.
///
/// Accessors convert, and refuse what would lose meaning (text as numbers, fractions as integers).
package struct NDArray: Sendable, Equatable {
    /// The type of one element.
    package let elementType: ElementType
    /// The extents, outermost first; empty for a scalar.
    package let shape: [Int]
    /// The elements, little-endian, in C order.
    package let bytes: [UInt8]

    /// The number of elements.
    package var count: Int { shape.reduce(1, *) }

    /// Creates an array over bytes that are already little-endian and in C order.
    ///
    /// - Throws: ``ArrayFileError/Reason/malformed`` when the byte count is not what shape and type ask for.
    package init(elementType: ElementType, shape: [Int], bytes: [UInt8]) throws(ArrayFileError) {
        guard let expected = elementType.byteCount(ofShape: shape), expected == bytes.count else {
            throw ArrayFileError(
                .malformed,
                "an array of shape \(shape) and type \(elementType.name) cannot have \(bytes.count) bytes of data")
        }
        self.init(trusted: elementType, shape: shape, bytes: bytes)
    }

    init(trusted elementType: ElementType, shape: [Int], bytes: [UInt8]) {
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }

    /// Checks the shape; a negative extent matches anything.
    ///
    /// - Parameter name: what the error calls the array, for example ``"weights" in body.npz``.
    /// - Returns: self, to read on.
    @discardableResult
    package func expecting(shape expected: [Int], name: String) throws(ArrayFileError) -> NDArray {
        let matches = shape.count == expected.count && zip(shape, expected).allSatisfy { $1 < 0 || $0 == $1 }
        guard matches else {
            let wanted = expected.map { $0 < 0 ? "n" : "\($0)" }.joined(separator: ", ")
            throw ArrayFileError(.wrongShape, "\(name) has shape \(shape), but [\(wanted)] is needed")
        }
        return self
    }
}
