internal import SinewMessagePack

/// Writes one head after the other into memory that is used again, for a loop that sends each at once.
package struct HeadWriter: ~Copyable {
    private var packer = Packer()

    /// Creates a writer.
    package init() {}

    /// Lends the bytes of a head, the same as those of ``Head/encode()``.
    package mutating func write<Value, Failure: Error>(
        _ head: Head, _ body: (RawSpan) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        head.pack(into: &packer)
        return try packer.finish(body)
    }
}
