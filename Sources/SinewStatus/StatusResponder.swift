internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import SinewArrayFiles
internal import SinewCore
internal import SinewMetrics
internal import SinewWire

/// Finds out what a request wants, and whether it may have it.
struct StatusResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let configuration: StatusConfiguration
    let source: any StatusSource
    let fleet: FleetWatch
    let jobs: JobWatch
    let history: HistoryStore
    let hub: EventHub
    let assets: DashboardAssets

    func respond(to request: Request, context: Context) async -> Response {
        let response: Response
        do throws(StatusRefusal) { response = try await answer(request) } catch { response = .failure(error) }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) async throws(StatusRefusal) -> Response {
        if let misdirected = configuration.refusal(ofHost: request.head.authority) { return misdirected }
        guard let route = Route(path: request.uri.path) else {
            return .failure(
                .badRequest, "invalid_argument", "the path cannot be read; escape it as UTF-8 with percent signs")
        }
        guard !route.isChange else {
            return request.method == .post ? try await change(request, route) : Response.wrongMethod("POST")
        }
        guard request.method == .get || request.method == .head else { return Response.wrongMethod("GET, HEAD") }
        return try await show(request, route)
    }

    private func show(_ request: Request, _ route: Route) async throws(StatusRefusal) -> Response {
        let query = request.uri.queryParameters
        switch route {
        case .live: return .text(.ok, "ok")
        case .metrics:
            let snapshot = try await fleet.snapshot()
            return .metrics(FleetExposition.text(snapshot, configuration.metrics, limits: configuration.limits))
        case .ready: return try await readiness(query["model"].map { String($0) })
        case .fleet: return .json(try await fleet.current().json(configuration.limits))
        case .models: return .json(try await fleet.current().modelsJSON)
        case .jobs:
            let limit = try Self.number(query, "limit", in: 1...JobWatch.shownMax) ?? JobWatch.shownByDefault
            return .json(JobWatch.View.json(try await jobs.newest(limit)))
        case .job(let text):
            let (job, failures) = try await jobs.job(try Self.jobID(text))
            return .json(job.json(failures: failures))
        case .history: return .json(try await curves(query).json)
        case .events: return events(request)
        case .operator: return refusal(of: request) ?? .noContent
        case .file(let name):
            guard let asset = assets[name] else {
                return .failure(
                    .notFound, "not_found",
                    "nothing is at this path; there are /, /metrics, /livez, /readyz and /api/v1/{fleet,models,jobs,history,events}"
                )
            }
            return .asset(asset, known: request.headers[.ifNoneMatch])
        case .drainWorker, .cancelJob: return Response.wrongMethod("POST")
        }
    }

    private func readiness(_ model: String?) async throws(StatusRefusal) -> Response {
        let view = try await fleet.current()
        if view.isReady(for: model) { return .text(.ok, "ok") }
        if view.snapshot.broker.draining { return .text(.serviceUnavailable, "the broker drains") }
        return .text(.serviceUnavailable, model.map { "no worker has \($0) ready" } ?? "no worker is ready")
    }

    private func curves(
        _ query: FlatDictionary<Substring, Substring>
    ) async throws(StatusRefusal) -> HistoryCurves {
        let days = try Self.number(query, "days", in: 1...30)
        let seconds = try Self.number(query, "seconds", in: 10...HistoryStore.Step.second.kept)
        guard days == nil || seconds == nil else {
            throw StatusRefusal(.invalidArgument, "ask for days or for seconds, not for both")
        }
        let step: HistoryStore.Step = days == nil ? .second : .minute
        let span = days.map { $0 * 86_400 } ?? seconds ?? HistoryStore.Step.second.kept
        // What is over: a second or minute under way is not yet known.
        let end = time(nil) - time(nil) % step.rawValue
        do {
            let samples = try await history.samples(step, in: (end - span)..<end)
            return HistoryCurves(samples, step, in: (end - span)..<end)
        } catch { throw StatusRefusal(.internal, "the history cannot be read: \(error)") }
    }

    private func events(_ request: Request) -> Response {
        // Only who reads takes a place.
        guard request.method == .get else { return .text(.ok, "") }
        guard let reader = hub.join() else {
            return .failure(
                .serviceUnavailable, "unavailable",
                "\(configuration.limits.httpEventReadersMax) others read the events, as many as may; close some pages and try again"
            )
        }
        return .events(reader)
    }

    // MARK: Changes

    private func change(_ request: Request, _ route: Route) async throws(StatusRefusal) -> Response {
        if let refused = refusal(of: request) { return refused }
        switch route {
        case .drainWorker(let name):
            let count = try await source.drainWorker(name)
            return .json(.object([.init("workers", .count(count))]))
        case .cancelJob(let text):
            let job = JobWatch.View(
                status: try await source.cancelJob(try Self.jobID(text)), personsPerSecond: 0, etaSeconds: nil)
            return .json(.object([.init("job", job.json)]))
        case .live, .ready, .metrics, .fleet, .models, .jobs, .history, .events, .operator, .job, .file:
            preconditionFailure("nothing that changes: \(route)")
        }
    }

    /// Why a request may change nothing; nil: it may.
    private func refusal(of request: Request) -> Response? {
        guard let token = configuration.operatorToken else {
            return .failure(
                .forbidden, "permission_denied",
                "nothing can be changed here, as there is no operator's token: start the broker with --http-token-file FILE"
            )
        }
        if let origin = request.headers[.origin], !isOwn(origin, request) {
            return .failure(
                .forbidden, "permission_denied", "a page of another site (\(origin)) may change nothing here")
        }
        guard token.isShown(in: request.headers[.authorization]) else {
            var response = Response.failure(
                .unauthorized, "unauthenticated",
                "the operator's token is missing or wrong: send the header Authorization: Bearer TOKEN")
            response.headers[.wwwAuthenticate] = "Bearer"
            return response
        }
        return nil
    }

    /// A browser says which page's script asks.
    private func isOwn(_ origin: String, _ request: Request) -> Bool {
        guard let authority = request.head.authority, let separator = origin.firstRange(of: "://") else { return false }
        return origin[separator.upperBound...] == authority
    }

    // MARK: Parts of a request

    private static func jobID(_ text: String) throws(StatusRefusal) -> [UInt8] {
        guard let bytes = UUIDText.bytes(of: text) else {
            throw StatusRefusal(.notFound, "“\(text.prefix(64))” is no job's id; /api/v1/jobs lists those that are")
        }
        return bytes
    }

    static func number(
        _ query: FlatDictionary<Substring, Substring>, _ name: Substring, in range: ClosedRange<Int>
    ) throws(StatusRefusal) -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw StatusRefusal(
                .invalidArgument,
                "\(name) is a whole number in \(range.lowerBound)…\(range.upperBound), not “\(text.prefix(32))”")
        }
        return number
    }
}
