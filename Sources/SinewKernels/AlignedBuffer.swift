/// A block of floats that starts on a cache line, the one owner of its memory.
///
/// - Cost: one allocation for its whole life, freed when the owner goes.
@safe
package struct AlignedBuffer: ~Copyable {
    /// The number of floats.
    package let count: Int
    private let base: UnsafeMutablePointer<Float>

    /// Bytes of a cache line and of the widest vector.
    package static let alignment = 64

    /// Allocates `count` floats, all zero.
    package init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) floats")
        self.count = count
        // One float at least, so that the pointer is always a real one.
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: Self.alignment)
        unsafe base = unsafe raw.bindMemory(to: Float.self, capacity: max(count, 1))
        unsafe base.initialize(repeating: 0, count: max(count, 1))
    }

    deinit { unsafe UnsafeMutableRawPointer(base).deallocate() }

    /// The floats, to read.
    package var span: Span<Float> {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The floats, to write.
    package var mutableSpan: MutableSpan<Float> {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }
}

/// The memory has one owner and is written through `mutating` access alone, so an owner may move between threads and
/// threads may read one owner at the same time.
extension AlignedBuffer: @unchecked Sendable {}
