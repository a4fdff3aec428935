import SinewCore
import Testing

@Suite struct LimitsTests {
    @Test func `the shipped limits keep their relations`() { #expect(Limits().violatedRelation == nil) }

    private static let oneStepOver: [(String, @Sendable (inout Limits) -> Void)] = [
        ("queuedCallsMax", { $0.queuedCallsMax = 0 }),
        ("itemsPerCallMax", { $0.itemsPerCallMax = $0.queuedItemsMax + 1 }),
        ("refineStepsMax", { $0.refineStepsMax = -1 }),
        ("payloadBytesMax", { $0.payloadBytesMax = $0.payloadBytesHeldMax + 1 }),
        ("batchItemsMax", { $0.batchItemsMax = $0.workerQueuedItemsMax + 1 }),
        ("creditItemsMax", { $0.creditItemsMax = $0.workerQueuedItemsMax + 1 }),
        ("three beats", { $0.workerSilenceMax = $0.beatInterval * 3 - .nanoseconds(1) }),
        ("leaseDuration", { $0.leaseDuration = $0.workerSilenceMax - .nanoseconds(1) }),
        ("two pings", { $0.brokerSilenceMax = $0.pingInterval * 2 - .nanoseconds(1) }),
        ("deadlineDefault", { $0.deadlineDefault = $0.deadlineMax + .nanoseconds(1) }),
        ("retryAfterMin", { $0.retryAfterMin = $0.retryAfterMax + .nanoseconds(1) }),
        ("backoffInitial", { $0.backoffInitial = $0.backoffMax + .nanoseconds(1) }),
        ("attemptsMax", { $0.attemptsMax = 256 }),
        ("payloadBytesMax must not exceed peerBytesAtOnceMax", { $0.peerBytesAtOnceMax = $0.payloadBytesMax - 1 }),
        ("peerBytesAtOnceMax", { $0.peerBytesAtOnceMax = 1 << 33 }),
        ("peerMessagesAtOnceMax", { $0.peerMessagesAtOnceMax = 0 }),
        ("peerMessagesAtOnceMax", { $0.peerMessagesAtOnceMax = 1 << 33 }),
        ("peerMessagesPerSecond", { $0.peerMessagesPerSecond = 0 }),
        ("peerBytesPerSecond", { $0.peerBytesPerSecond = 0 }),
        ("peerPushbacksPerSecond", { $0.peerPushbacksPerSecond = 0 }),
        ("repliesUnreadMax", { $0.repliesUnreadMax = 0 }),
        ("repliesUnreadBytesMax", { $0.repliesUnreadBytesMax = $0.payloadBytesMax - 1 }),
        ("deathsBeforeSolo", { $0.deathsBeforeSolo = 0 }),
        ("deathsBeforeSolo", { $0.deathsBeforeSolo = 256 }),
        ("modelKeysMax", { $0.modelKeysMax = 65_536 }),
        ("tasksUnreadMax", { $0.tasksUnreadMax = $0.creditItemsMax - 1 }),
        ("messagesUnreceivedMax", { $0.messagesUnreceivedMax = 0 }),
        ("storeFreeBytesMin", { $0.storeFreeBytesMin = -1 }),
        ("handshakeDurationMax", { $0.handshakeDurationMax = .zero }),
        ("authorizedKeysMax", { $0.authorizedKeysMax = 0 }),
        ("authorizedKeysBytesMax", { $0.authorizedKeysBytesMax = 0 }),
        ("httpEventReadersMax", { $0.httpEventReadersMax = -1 }),
        ("httpConnectionsMax", { $0.httpEventReadersMax = $0.httpConnectionsMax }),
        ("httpEventsUnreadMax", { $0.httpEventsUnreadMax = 0 }),
        ("httpFieldsMax", { $0.httpFieldsMax = 0 }),
        ("httpFieldBytesMax", { $0.httpFieldBytesMax = $0.httpUnansweredBytesMax + 1 }),
        ("httpFieldBytesMax", { $0.httpFieldBytesMax = 0 }),
        ("httpRequestDurationMax", { $0.httpRequestDurationMax = .zero }),
        ("httpIdleMax", { $0.httpIdleMax = .zero }),
        ("httpUnreadDurationMax", { $0.httpUnreadDurationMax = .zero }),
    ]

    @Test(arguments: oneStepOver) func `a limit one step over its relation is named`(
        name: String, change: @Sendable (inout Limits) -> Void
    ) {
        var limits = Limits()
        change(&limits)
        #expect(limits.violatedRelation?.contains(name) == true)
    }

    @Test func `a machine does not start with limits that contradict each other`() async {
        await #expect(processExitsWith: .failure) {
            var limits = Limits()
            limits.workerSilenceMax = .seconds(1)
            _ = BrokerStateMachine(limits: limits)
        }
    }
}

@Suite struct InstantTests {
    @Test func `adding stays at the ends instead of trapping`() {
        let instant = Instant(nanoseconds: .max - 5)
        #expect(instant + .seconds(1) == .distantFuture)
        #expect(Instant(nanoseconds: .min + 5) + .seconds(-1) == Instant(nanoseconds: .min))
        #expect(Instant(nanoseconds: 5) + .seconds(Int64.max) == .distantFuture)
        #expect(instant - Instant(nanoseconds: .min) == .nanoseconds(Int64.max))
    }

    @Test func `a positive rest never rounds to expired`() {
        #expect(Duration.nanoseconds(1).remainingMicroseconds == 1)
        #expect(Duration.microseconds(7).remainingMicroseconds == 7)
        #expect(Duration.zero.remainingMicroseconds == 0)
        #expect(Duration.seconds(-3).remainingMicroseconds == 0)
    }
}
