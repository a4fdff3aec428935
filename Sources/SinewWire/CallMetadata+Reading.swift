extension CallMetadata {
    /// A larger frame is forwarded like any other and not read.
    package static let bytesMax = 8_192

    /// What a metadata frame says; nil when it is too large or cannot be read, which is no reason to refuse a call.
    package init?(reading bytes: Span<UInt8>) {
        guard bytes.count <= CallMetadata.bytesMax, let read = try? CallMetadata(decoding: bytes) else { return nil }
        self = read
    }

    /// The trace that the call belongs to; nil when it says none, or a malformed one.
    package var parent: TraceParent? { traceparent.flatMap { TraceParent($0) } }

    /// Whether the reply is to hold the timings of the stages.
    package var wantsTimings: Bool { sinewTrace == 1 }
}
