/// A block of numbers that starts on a cache line, the one owner of its memory.
///
/// - Cost: one allocation for its whole life, given back when the owner goes.
@safe
package struct AlignedMemory<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>: ~Copyable {
    /// The number of elements.
    package let count: Int
    private let base: UnsafeMutablePointer<Element>
    /// What the memory is a part of; none where it is an allocation of its own.
    private let shared: WeightMemory?

    /// Bytes of a cache line and of the widest vector.
    package static var alignment: Int { 64 }

    /// Allocates `count` elements, all zero.
    package init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        self.count = count
        // One element at least, so that the pointer is always a real one.
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Element>.stride, alignment: Self.alignment)
        unsafe base = unsafe raw.bindMemory(to: Element.self, capacity: max(count, 1))
        unsafe base.initialize(repeating: 0, count: max(count, 1))
        shared = nil
    }

    /// Allocates `weights` elements, all zero, on huge pages where the system has them: for what lives as long as a model
    /// and is read as a whole. The memory returns to the system when all that was allocated near it is gone.
    package init(weights count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        self.count = count
        let (owner, offset) = WeightMemory.allocate(bytes: max(count, 1) * MemoryLayout<Element>.stride)
        unsafe base = unsafe owner.start(at: offset).bindMemory(to: Element.self, capacity: max(count, 1))
        shared = owner
    }

    deinit {
        if shared == nil { unsafe UnsafeMutableRawPointer(base).deallocate() }
    }

    /// The elements, to read.
    package var span: Span<Element> {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The elements, to write.
    package var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }
}

/// The memory has one owner and is written through `mutating` access alone, so an owner may move between threads and
/// threads may read one owner at the same time.
extension AlignedMemory: @unchecked Sendable where Element: Sendable {}

/// A block of floats.
package typealias AlignedBuffer = AlignedMemory<Float>
