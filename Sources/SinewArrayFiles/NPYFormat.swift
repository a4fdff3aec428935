/// The `.npy` format: a Python dictionary literal with type, order and shape, then the elements.
///
/// - Source: numpy's `numpy/lib/format.py` documentation, versions 1.0, 2.0 and 3.0.
enum NPYFormat {
    private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
    /// Bytes of the header; a real one has about a hundred.
    private static let headerBytesMax = 1 << 16
    /// Extents of an array; numpy itself stops at 64.
    private static let dimensionsMax = 32

    /// Reads an array from the bytes of a `.npy` file.
    ///
    /// - Parameter name: what errors call it.
    static func decode(_ bytes: [UInt8], name: String) throws(ArrayFileError) -> NDArray {
        var reader = ByteReader(bytes)
        guard let start = reader.take(6) else { throw truncated(name) }
        guard Array(start) == magic else {
            throw ArrayFileError(.malformed, "\(name) is no .npy array: its first bytes are not \\x93NUMPY")
        }
        guard let major = reader.integer(size: 1), reader.integer(size: 1) != nil else { throw truncated(name) }
        guard (1...3).contains(major) else {
            throw ArrayFileError(.unsupported, "\(name) has .npy version \(major); versions 1 to 3 are read")
        }
        guard let length = reader.integer(size: major == 1 ? 2 : 4) else { throw truncated(name) }
        guard length <= headerBytesMax else {
            throw ArrayFileError(
                .malformed, "\(name) claims a header of \(length) bytes; at most \(headerBytesMax) are read")
        }
        guard let text = reader.take(length) else { throw truncated(name) }
        let header = try NPYHeader(parsing: Array(text), name: name, dimensionsMax: dimensionsMax)
        guard let byteCount = header.elementType.byteCount(ofShape: header.shape) else {
            throw ArrayFileError(.malformed, "\(name) claims shape \(header.shape), which no file can hold")
        }
        guard reader.remaining >= byteCount else {
            throw ArrayFileError(
                .truncated,
                "\(name) should hold \(byteCount) bytes of \(header.elementType.name) in shape \(header.shape), "
                    + "but only \(reader.remaining) are there; copy or export the file again")
        }
        guard reader.remaining == byteCount, let body = reader.take(byteCount).map(Array.init) else {
            throw ArrayFileError(.malformed, "\(name) has \(reader.remaining - byteCount) bytes after its last element")
        }
        return NDArray(
            trusted: header.elementType, shape: header.shape, bytes: body, isBigEndian: header.isBigEndian,
            isFortranOrder: header.isFortranOrder)
    }

    /// The bytes of a version 1.0 `.npy` file.
    ///
    /// - Throws: ``ArrayFileError/Reason/unsupported`` for `bfloat16`, which numpy does not know.
    static func encode(_ array: NDArray, name: String) throws(ArrayFileError) -> [UInt8] {
        guard let descriptor = NPYHeader.descriptor(of: array.elementType) else {
            throw ArrayFileError(
                .unsupported, "\(name): numpy has no \(array.elementType.name); convert to float32 first")
        }
        let extents = array.shape.map { "\($0)" }.joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
        var header = Array("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
        // numpy aligns the data to 64 bytes so that it can be memory-mapped; so do we.
        let padding = (64 - (10 + header.count + 1) % 64) % 64
        header += [UInt8](repeating: UInt8(ascii: " "), count: padding)
        header.append(UInt8(ascii: "\n"))
        var bytes = magic + [1, 0]
        bytes.append(littleEndian: header.count, size: 2)
        return bytes + header + array.bytes
    }

    private static func truncated(_ name: String) -> ArrayFileError {
        ArrayFileError(.truncated, "\(name) ends inside its .npy header; copy or export the file again")
    }
}
