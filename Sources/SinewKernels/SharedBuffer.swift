/// A block of floats that starts on a cache line and that the members of a team read and write together.
///
/// Whoever uses one keeps this rule: between two meetings of the team no element that one member writes is touched by another.
@safe
package final class SharedBuffer {
    /// The number of elements.
    package let count: Int
    private let base: UnsafeMutablePointer<Float>

    /// Allocates `count` elements, all zero.
    package init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        self.count = count
        // One element at least, so that the pointer is always a real one.
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: AlignedBuffer.alignment)
        unsafe base = unsafe raw.bindMemory(to: Float.self, capacity: max(count, 1))
        unsafe base.initialize(repeating: 0, count: max(count, 1))
    }

    deinit { unsafe UnsafeMutableRawPointer(base).deallocate() }

    /// The elements, to read.
    package var span: Span<Float> {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The elements, to write where the caller's part lies.
    package var mutableSpan: MutableSpan<Float> {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}

/// Two threads touch an element only with a meeting between them, which orders what they do; the rest is constant.
extension SharedBuffer: @unchecked Sendable {}
