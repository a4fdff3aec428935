internal import ArgumentParser
internal import SinewClient

/// Which trace the calls of a command belong to.
struct TraceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The W3C trace context that the work belongs to (default: $TRACEPARENT; none if that is not set).",
            valueName: "00-TRACE-SPAN-FLAGS"))
    var traceparent: String?

    /// How calls are made.
    ///
    /// A malformed trace context is replaced by a new one, and the person is told so.
    func tracing(wantsTimings: Bool = false, environment: (String) -> String? = environmentValue) -> CallTracing {
        guard let text = traceparent ?? environment("TRACEPARENT"), !text.isEmpty else {
            return wantsTimings ? CallTracing(wantsTimings: true) : .off
        }
        let tracing = CallTracing(traceparent: text, wantsTimings: wantsTimings)
        if TraceParent(text) == nil {
            StandardStreams.talk(
                "note: the trace context “\(text.prefix(80))” is malformed (00-32 hexadecimal digits-16 digits-2 digits); "
                    + "a new trace is begun: \(tracing.parent?.traceID ?? "")")
        }
        return tracing
    }
}
