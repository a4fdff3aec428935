internal import CZlib

/// Raw deflate streams and CRC-32, as ZIP members use them.
package enum Deflate {
    /// No deflate stream expands further than this (zlib's documentation: 1032:1), so a header that claims more is a lie.
    static let expansionMax = 1032

    /// The CRC-32 of the bytes.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBytes { UInt32(truncatingIfNeeded: unsafe crc32_z(0, $0.baseAddress, $0.count)) }
    }

    /// Expands a stream that must give exactly `byteCount` bytes; nil when it is malformed, shorter or longer.
    static func expand(_ stream: ArraySlice<UInt8>, to byteCount: Int) -> [UInt8]? {
        guard byteCount <= stream.count * expansionMax + 64 else { return nil }
        // One byte more than promised shows a stream that is too long.
        var output = [UInt8](repeating: 0, count: byteCount + 1)
        let zlib = ZlibStream(.inflate)
        guard zlib.pump(stream, into: &output), zlib.bytesOut == byteCount, zlib.bytesIn == stream.count else {
            return nil
        }
        output.removeLast()
        return output
    }

    /// Compresses bytes to a raw stream.
    package static func compress(_ bytes: [UInt8]) -> [UInt8] {
        let zlib = ZlibStream(.deflate)
        var output = [UInt8](repeating: 0, count: zlib.bytesMax(for: bytes.count))
        let isFinished = zlib.pump(bytes[...], into: &output)
        precondition(isFinished, "zlib did not finish within the bound that it gave itself")
        output.removeLast(output.count - zlib.bytesOut)
        return output
    }
}

/// Owns one zlib state, at an address that never changes: zlib keeps a pointer back to it.
@safe
private struct ZlibStream: ~Copyable {
    enum Direction { case inflate, deflate }

    private let state: UnsafeMutablePointer<z_stream>
    private let direction: Direction

    /// Opens a raw stream without zlib header, as ZIP stores it: that is what negative window bits mean.
    init(_ direction: Direction) {
        self.direction = direction
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let opened =
            switch direction {
            case .inflate: unsafe inflateInit2_(state, -MAX_WBITS, ZLIB_VERSION, size)
            case .deflate:
                unsafe deflateInit2_(
                    state, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
            }
        precondition(opened == Z_OK, "zlib cannot open a stream (\(opened)): memory is exhausted")
    }

    deinit {
        switch direction {
        case .inflate: unsafe inflateEnd(state)
        case .deflate: unsafe deflateEnd(state)
        }
        unsafe state.deallocate()
    }

    var bytesIn: Int { unsafe Int(bitPattern: state.pointee.total_in) }
    var bytesOut: Int { unsafe Int(bitPattern: state.pointee.total_out) }

    func bytesMax(for byteCount: Int) -> Int { unsafe Int(bitPattern: deflateBound(state, UInt(byteCount))) }

    /// Feeds the stream in pieces that fit zlib's 32-bit counters; false when it is malformed or the output is full.
    func pump(_ input: ArraySlice<UInt8>, into output: inout [UInt8]) -> Bool {
        let pieceMax = 1 << 30
        return unsafe input.withUnsafeBytes { source in
            unsafe output.withUnsafeMutableBytes { target in
                while true {
                    let (consumed, produced) = (bytesIn, bytesOut)
                    let ready = min(source.count - consumed, pieceMax)
                    // zlib reads through a pointer that C declares mutable; it does not write there.
                    unsafe state.pointee.next_in = source.baseAddress.map {
                        unsafe UnsafeMutablePointer(mutating: ($0 + consumed).assumingMemoryBound(to: Bytef.self))
                    }
                    unsafe state.pointee.avail_in = uInt(ready)
                    unsafe state.pointee.next_out = target.baseAddress.map {
                        unsafe ($0 + produced).assumingMemoryBound(to: Bytef.self)
                    }
                    unsafe state.pointee.avail_out = uInt(min(target.count - produced, pieceMax))
                    let flush = consumed + ready == source.count ? Z_FINISH : Z_NO_FLUSH
                    let status =
                        switch direction {
                        case .inflate: unsafe inflate(state, flush)
                        case .deflate: unsafe deflate(state, flush)
                        }
                    if status == Z_STREAM_END { return true }
                    let isStuck = bytesIn == consumed && bytesOut == produced
                    if isStuck || (status != Z_OK && status != Z_BUF_ERROR) { return false }
                }
            }
        }
    }
}
