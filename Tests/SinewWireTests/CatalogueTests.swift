import SinewWire
import Testing

@Suite struct CatalogueTests {
    /// https://grpc.io/docs/guides/status-codes/
    @Test func `status codes have gRPC's names and numbers`() {
        let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
        #expect(StatusCode.allCases.map(\.description) == names)
        #expect(StatusCode.allCases.map { Int($0.rawValue) } == Array(0...16))
    }

    @Test func `every service error has a status that is not OK and a sentence`() {
        #expect(!ServiceErrorCode.all.isEmpty)
        for code in ServiceErrorCode.all {
            #expect(code.status != nil && code.status != .ok)
            #expect(code.sentence.hasSuffix("."))
            #expect(code.description != String(code.rawValue))
        }
    }

    @Test func `an error number of a later version is kept and is not retried`() {
        let later = ServiceErrorCode(rawValue: 65_000)
        #expect(later.description == "65000")
        #expect(later.status == nil)
        #expect(!later.isRetryable)
    }

    @Test func `only failures that time or a second sending can heal are retryable`() {
        // The payload was broken on its way; the sender has it whole.
        for code in ServiceErrorCode.all where code.isRetryable && code != .hashMismatch {
            #expect(code.status == .unavailable || code.status == .resourceExhausted, "\(code)")
        }
    }

    @Test func `method names begin with their service's name`() {
        for method in PoseSolver.Method.allCases { #expect(method.rawValue.hasPrefix(PoseSolver.serviceName + "/")) }
        for method in Fleet.Method.allCases { #expect(method.rawValue.hasPrefix(Fleet.serviceName + "/")) }
        for method in Health.Method.allCases { #expect(method.rawValue.hasPrefix(Health.serviceName + "/")) }
        #expect(Fleet.Method(rawValue: Fleet.Status.name) == .status)
        #expect(Fleet.Method(rawValue: "sinew.v1.Fleet/Nothing") == nil)
    }
}
