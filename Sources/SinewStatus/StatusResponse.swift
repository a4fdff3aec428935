internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import SinewArrayFiles
internal import SinewMetrics
internal import SinewWire

extension Response {
    /// What every answer says, so that no other page can use ours.
    private static let safetyFields: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff",
        HTTPField.Name.referrerPolicy: "no-referrer",
        HTTPField.Name.crossOriginResourcePolicy: "same-origin",
    ]

    /// An answer that is not to be kept.
    init(_ status: HTTPResponse.Status, _ contentType: String, _ body: ByteBuffer) {
        var fields = Self.safetyFields
        fields[.contentType] = contentType
        fields[.cacheControl] = "no-store"
        self.init(status: status, headers: fields, body: ResponseBody(byteBuffer: body))
    }

    static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(status, "text/plain; charset=utf-8", ByteBuffer(string: text + "\n"))
    }

    /// In the text format of Prometheus.
    static func metrics(_ bytes: [UInt8]) -> Response {
        Response(.ok, PrometheusText.contentType, ByteBuffer(bytes: bytes))
    }

    static func json(_ value: JSONValue, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(status, "application/json", ByteBuffer(string: value.encoded()))
    }

    /// Done, and nothing to say.
    static var noContent: Response {
        var fields = safetyFields
        fields[.cacheControl] = "no-store"
        return Response(status: .noContent, headers: fields)
    }

    /// `{"error": {"code", "message"}}`.
    static func failure(_ status: HTTPResponse.Status, _ code: String, _ message: String) -> Response {
        json(
            .object([
                .init("error", .object([.init("code", .string(code)), .init("message", .string(message))]))
            ]), status)
    }

    static func failure(_ refusal: StatusRefusal) -> Response {
        failure(refusal.status.httpStatus, refusal.status.description.lowercased(), refusal.message)
    }

    /// The path is there, for other methods.
    static func wrongMethod(_ allowed: String) -> Response {
        var response = failure(.methodNotAllowed, "unimplemented", "this path is for \(allowed)")
        response.headers[.allow] = allowed
        return response
    }

    /// A file of the dashboard; the browser asks again whether it has changed.
    static func asset(_ asset: DashboardAssets.Asset, known tag: String?) -> Response {
        var fields = safetyFields
        fields[.eTag] = asset.entityTag
        fields[.cacheControl] = "no-cache"
        guard tag != asset.entityTag else { return Response(status: .notModified, headers: fields) }
        fields[.contentType] = asset.contentType
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: asset.body))
    }

    /// Events until the hub closes or the reader goes.
    static func events(_ reader: EventReader) -> Response {
        var fields = safetyFields
        fields[.contentType] = "text/event-stream"
        fields[.cacheControl] = "no-store"
        return Response(
            status: .ok, headers: fields,
            body: ResponseBody { writer in
                for await event in reader.events { try await writer.write(event) }
                try await writer.finish(nil)
            })
    }
}

extension StatusConfiguration {
    /// A page of a stranger can give his own name our address. On an address that only this machine reaches, only names that mean
    /// this machine are answered.
    func refusal(ofHost authority: String?) -> Response? {
        guard address.isLoopback, !allowsInsecure, let authority else { return nil }
        // Without a port it is the port of HTTP, 80.
        let asked = HTTPAddress(parsing: authority) ?? HTTPAddress(parsing: authority + ":80")
        if asked?.isLoopback ?? false { return nil }
        return .failure(
            .misdirectedRequest, "misdirected",
            "this is not \(authority): open http://\(address), or listen on another address with --http")
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self.known("Referrer-Policy")
    fileprivate static let crossOriginResourcePolicy = Self.known("Cross-Origin-Resource-Policy")

    private static func known(_ name: String) -> Self {
        guard let name = Self(name) else { preconditionFailure("“\(name)” is no name of a header field") }
        return name
    }
}

extension StatusCode {
    /// As gRPC's own gateways translate.
    fileprivate var httpStatus: HTTPResponse.Status {
        switch self {
        case .ok: .ok
        case .cancelled: .init(code: 499)
        case .invalidArgument, .failedPrecondition, .outOfRange: .badRequest
        case .deadlineExceeded: .gatewayTimeout
        case .notFound: .notFound
        case .alreadyExists, .aborted: .conflict
        case .permissionDenied: .forbidden
        case .unauthenticated: .unauthorized
        case .resourceExhausted: .tooManyRequests
        case .unimplemented: .notImplemented
        case .unavailable: .serviceUnavailable
        case .unknown, .internal, .dataLoss: .internalServerError
        }
    }
}
