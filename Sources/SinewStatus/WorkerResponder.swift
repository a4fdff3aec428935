internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import SinewMetrics
package import SinewWire

/// What a worker says about itself.
package struct WorkerFacts: Sendable {
    package var status: WorkerStatus
    /// It may be sent tasks.
    package var isReady: Bool

    package init(status: WorkerStatus, isReady: Bool) {
        self.status = status
        self.isReady = isReady
    }
}

/// The HTTP side of a worker: its own metrics, and whether it lives and is ready.
struct WorkerResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let configuration: StatusConfiguration
    let facts: @Sendable () -> WorkerFacts

    func respond(to request: Request, context: Context) async -> Response {
        let response = answer(request)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) -> Response {
        if let misdirected = configuration.refusal(ofHost: request.head.authority) { return misdirected }
        guard request.method == .get || request.method == .head else { return .wrongMethod("GET, HEAD") }
        switch request.uri.path {
        case "/livez": return .text(.ok, "ok")
        case "/readyz": return readiness(request.uri.queryParameters["model"].map { String($0) })
        case "/metrics":
            let now = UInt64(clamping: time(nil)) * 1_000_000
            return .metrics(FleetExposition.text(of: facts().status, at: now, configuration.metrics))
        default:
            return .failure(
                .notFound, "not_found", "nothing is at this path; a worker has /metrics, /livez and /readyz")
        }
    }

    private func readiness(_ model: String?) -> Response {
        let facts = facts()
        guard facts.isReady else {
            return .text(.serviceUnavailable, "the worker has no broker, or is about to leave")
        }
        let models = facts.status.models
        guard let model, !models.contains(where: { $0.name == model || "\($0.name)/\($0.version)" == model }) else {
            return .text(.ok, "ok")
        }
        return .text(.serviceUnavailable, "the worker does not have \(model)")
    }
}
