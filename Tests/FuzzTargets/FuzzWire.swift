import SinewWire

/// The first byte chooses the message, the rest is its payload.
func fuzzWire(_ bytes: [UInt8]) {
    guard let choice = bytes.first else { return }
    let payload = Array(bytes.dropFirst())
    switch choice % 22 {
    case 0: readHead(payload)
    case 1: readTwice(ErrorDetail.self, payload)
    case 2: readTwice(FleetStatusReply.self, payload)
    case 3: readTwice(ListModelsReply.self, payload)
    case 4: readTwice(HealthCheckRequest.self, payload)
    case 5: readTwice(SolvePosesRequest.self, payload)
    case 6: readTwice(SolveEffectorsRequest.self, payload)
    case 7: readTwice(SolvePosesReply.self, payload)
    case 8: readTwice(WorkerHello.self, payload)
    case 9: readTwice(WorkerBeat.self, payload)
    case 10: readTwice(WorkerWelcome.self, payload)
    case 11: readTwice(SubmitJobRequest.self, payload)
    case 12: readTwice(AppendTasksRequest.self, payload)
    case 13: readTwice(SealJobRequest.self, payload)
    case 14: readTwice(JobStatusRequest.self, payload)
    case 15: readTwice(JobResultsRequest.self, payload)
    case 16: readTwice(JobResultsReply.self, payload)
    case 17: readTwice(ListJobsReply.self, payload)
    case 18: readTwice(ReplayJobRequest.self, payload)
    case 19: readTwice(SubmitJobReply.self, payload)
    case 20: readCallMetadata(payload)
    default: readTwice(ReplyMetadata.self, payload)
    }
}

private func readCallMetadata(_ bytes: [UInt8]) {
    readTwice(CallMetadata.self, bytes)
    guard let parent = CallMetadata(reading: bytes.span)?.parent else { return }
    precondition(TraceParent(parent.description) == parent, "a trace context changes by being written")
}

private func readHead(_ bytes: [UInt8]) {
    guard let head = try? Head(decoding: bytes) else { return }
    let written = head.encode()
    guard let again = try? Head(decoding: written) else { preconditionFailure("a head we wrote is refused") }
    precondition(again == head, "a head changes by being written")
}

/// What was read and written reads back to the same bytes. Bytes are compared and not values, because NaN differs from itself.
private func readTwice<Content: WireMessage>(_ type: Content.Type, _ bytes: [UInt8]) {
    guard let message = try? Content(decoding: bytes) else { return }
    let written = message.encode()
    guard let again = try? Content(decoding: written) else {
        preconditionFailure("a \(Content.messageName) we wrote is refused")
    }
    precondition(again.encode() == written, "a \(Content.messageName) changes by being written")
}
