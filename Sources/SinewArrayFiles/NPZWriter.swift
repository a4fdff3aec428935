/// Collects arrays and writes them as one `.npz` archive that numpy reads.
///
/// The same arrays give the same bytes: the time stamps are fixed.
package struct NPZWriter: Sendable {
    /// How members are packed.
    package enum Compression: Sendable {
        case stored
        case deflated
    }

    private let compression: Compression
    private var parts: [[UInt8]] = []
    private var central: [UInt8] = []
    private var names: [String] = []
    private var offset = 0
    private var failure: ArrayFileError?

    /// Creates an empty archive.
    package init(compression: Compression = .deflated) { self.compression = compression }

    /// Adds an array; a problem with it is reported by ``write(to:)``.
    package mutating func add(_ name: String, _ array: NDArray) {
        precondition(!names.contains(name), "the archive already holds \(name)")
        names.append(name)
        do throws(ArrayFileError) {
            let bytes = try NPYFormat.encode(array, name: name)
            let packed = compression == .deflated ? Deflate.compress(bytes) : bytes
            guard bytes.count < 0xFFFF_FFFF, packed.count < 0xFFFF_FFFF, offset + packed.count < 0xFFFF_0000 else {
                throw ArrayFileError(.unsupported, "the archive would exceed 4 GiB at \"\(name)\"; write several files")
            }
            append(member: Array((name + ".npy").utf8), bytes: bytes, packed: packed)
        } catch {
            if failure == nil { failure = error }
        }
    }

    /// Writes the archive; it appears under `path` complete or not at all.
    package func write(to path: String) throws(ArrayFileError) {
        try AtomicFile.write(parts: encodedParts(), to: path)
    }

    /// The bytes of the archive.
    package func encode() throws(ArrayFileError) -> [UInt8] {
        Array(try encodedParts().joined())
    }

    private func encodedParts() throws(ArrayFileError) -> [[UInt8]] {
        if let failure { throw failure }
        var end: [UInt8] = []
        end.append(littleEndian: ZIPDirectory.endSignature, size: 4)
        end.append(littleEndian: 0, size: 4)
        end.append(littleEndian: names.count, size: 2)
        end.append(littleEndian: names.count, size: 2)
        end.append(littleEndian: central.count, size: 4)
        end.append(littleEndian: offset, size: 4)
        end.append(littleEndian: 0, size: 2)
        return parts + [central, end]
    }

    private mutating func append(member name: [UInt8], bytes: [UInt8], packed: [UInt8]) {
        var common: [UInt8] = []
        common.append(littleEndian: 20, size: 2)  // version 2.0 is needed to extract
        common.append(littleEndian: 0x0800, size: 2)  // names are UTF-8
        common.append(littleEndian: compression == .deflated ? 8 : 0, size: 2)
        common.append(littleEndian: 0, size: 2)
        common.append(littleEndian: 0x0021, size: 2)  // 1980-01-01, the earliest date ZIP can say
        common.append(littleEndian: Int(Deflate.checksum(bytes[...])), size: 4)
        common.append(littleEndian: packed.count, size: 4)
        common.append(littleEndian: bytes.count, size: 4)
        common.append(littleEndian: name.count, size: 2)
        common.append(littleEndian: 0, size: 2)

        var local: [UInt8] = []
        local.append(littleEndian: ZIPDirectory.localSignature, size: 4)
        local += common + name
        central.append(littleEndian: ZIPDirectory.centralSignature, size: 4)
        central.append(littleEndian: 20, size: 2)
        central += common
        central += [UInt8](repeating: 0, count: 10)
        central.append(littleEndian: offset, size: 4)
        central += name

        parts.append(local)
        parts.append(packed)
        offset += local.count + packed.count
    }
}
