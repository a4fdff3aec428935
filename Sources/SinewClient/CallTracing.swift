internal import SinewZeroMQ

/// Whether calls belong to a trace, and whether their replies say how long each stage took.
public struct CallTracing: Sendable, Equatable {
    /// The trace and the caller's span; broker and worker get it with each call and write its id into their logs. Nil: none is sent.
    public var parent: TraceParent?
    /// Whether each reply is to hold a ``CallTrace``.
    public var wantsTimings: Bool

    /// Nothing; such calls carry no further bytes.
    public static let off = CallTracing()

    private init() {
        parent = nil
        wantsTimings = false
    }

    /// Calls of a trace.
    ///
    /// - Parameters:
    ///   - parent: the caller's; nil begins a trace.
    ///   - wantsTimings: costs some 100 bytes per call and as many per reply.
    public init(parent: TraceParent? = nil, wantsTimings: Bool) {
        self.parent = parent ?? TraceParent()
        self.wantsTimings = wantsTimings
    }

    /// Calls of the trace in a caller's header `traceparent`; a new trace when that is malformed.
    public init(traceparent: String, wantsTimings: Bool = false) {
        self.init(parent: TraceParent(traceparent), wantsTimings: wantsTimings)
    }

    /// The metadata of each call; nil when there is nothing to say.
    var frame: Frame? {
        guard parent != nil || wantsTimings else { return nil }
        return Frame(
            CallMetadata(traceparent: parent?.description, sinewTrace: wantsTimings ? 1 : nil).encode())
    }
}
