/// Every maximum of the service, with its unit, its reason, and what happens when it is hit.
///
/// One value is shared by broker, worker and client. A state machine checks `violatedRelation` when it is made.
package struct Limits: Equatable, Sendable {
    // MARK: What the broker holds. Hit: RESOURCE_EXHAUSTED with pushback.

    /// Calls waiting for a worker. Bounds memory and the wait of the last one.
    package var queuedCallsMax = 65_536
    /// Items (persons) waiting, over all calls.
    package var queuedItemsMax = 4_194_304
    /// Calls of one client that are queued or leased. One client cannot fill the queue alone.
    package var callsPerClientMax = 16_384
    /// Payload bytes of all queued and leased calls; they stay until the answer because a task may run again.
    package var payloadBytesHeldMax = 2 << 30

    // MARK: What one call may be. Hit: INVALID_ARGUMENT.

    /// Items of one call. A larger scene is split by the client.
    package var itemsPerCallMax = 4_096
    /// Gauss-Newton steps after the model. Twenty suffice even far from the solution; more only cost the others time.
    package var refineStepsMax = 64
    /// Effectors of one person. Hit: that person alone is refused. What the models can take: all joints with a position and a
    /// rotation, and 80 more.
    package var effectorsPerPersonMax = 128
    /// A call's deadline is cut to this; a forgotten call leaves after it at the latest.
    package var deadlineMax = Duration.seconds(3_600)
    /// Given to a call that states no deadline.
    package var deadlineDefault = Duration.seconds(30)

    // MARK: Peers. Hit: the hello is refused (workers); RESOURCE_EXHAUSTED, while idle clients are forgotten (clients).

    package var workersMax = 1_024
    package var clientsMax = 65_536
    /// Models of one worker, each counted as `name` and as `name/version`. Hit: the hello is refused.
    package var modelsPerWorkerMax = 128
    /// Model keys ever announced by any worker. Hit: the hello is refused.
    package var modelKeysMax = 1_024
    /// Items a worker may ask for at a time. Hit: its credit is cut to this.
    package var creditItemsMax = 65_536

    // MARK: Rates of one client. Hit: RESOURCE_EXHAUSTED with pushback; what a client sends beyond that is dropped and counted.

    /// Messages per second on the whole: about what one broker can take in, so that no client has it alone for long.
    package var peerMessagesPerSecond = 100_000
    /// Messages at once after a rest.
    package var peerMessagesAtOnceMax = 400_000
    /// Bytes per second on the whole: a network of 8 Gbit/s.
    package var peerBytesPerSecond = 1 << 30
    /// Bytes at once after a rest.
    package var peerBytesAtOnceMax = 2 << 30
    /// How often per second a client that is too fast is told so.
    package var peerPushbacksPerSecond = 1_000

    // MARK: Peers that do not read, or do not speak.

    /// Replies that wait for one client. Hit: the reply is dropped and counted, and the broker forgets the client until it speaks again.
    package var repliesUnreadMax = 16_384
    /// Their bytes. Hit: the same.
    package var repliesUnreadBytesMax = 256 << 20
    /// Payloads of replies below this many bytes are not counted: `repliesUnreadMax` of them are 64 MiB.
    package static let repliesCountedBytesMin = 4_096
    /// Messages that wait for one worker. Hit: a task counts as undeliverable, so that the worker is taken for lost and its tasks run elsewhere;
    /// other messages to it are dropped.
    package var tasksUnreadMax = 131_072
    /// Messages of one peer that the broker has not looked at yet. Hit: its connection is not read for a while, and the flood waits at its sender.
    package var messagesUnreceivedMax = 1_024
    /// From a connection to the end of its handshake. Hit: the connection is closed.
    package var handshakeDurationMax = Duration.seconds(10)

    // MARK: Keys. Hit: the list of keys is not taken, and the one before stays in force.

    /// Keys that a broker admits.
    package var authorizedKeysMax = 16_384
    /// Bytes of the file with them.
    package var authorizedKeysBytesMax = 8 << 20

    // MARK: Frames (enforced by the drivers). Hit: the message is dropped and counted, or libzmq disconnects the peer.

    /// One frame: 4 096 items of 29 joints with all optional fields take 4 MiB. `ZMQ_MAXMSGSIZE` is set to it.
    package var payloadBytesMax = 64 << 20
    /// Routing id, head, metadata, payload.
    package var framesPerMessageMax = 4

    // MARK: Liveness.

    /// A worker speaks at least this often.
    package var beatInterval = Duration.seconds(1)
    /// A worker that was silent for this long is dead and its tasks run again. Three beats.
    package var workerSilenceMax = Duration.seconds(3)
    /// How often a worker with tasks in hand is sent a message that means nothing, only to see whether its connection
    /// still stands: a killed process is noticed then, and not after `workerSilenceMax`.
    package var probeInterval = Duration.milliseconds(250)
    /// A lease that a beating worker has not named for this long is lost (the message was) and the task runs again.
    package var leaseDuration = Duration.seconds(5)
    /// After so many worker deaths with a task in hand, the task is tried alone; one more death ends it.
    package var deathsBeforeSolo = 3

    // MARK: Pushback of the broker (`retry_after`), from the measured rate of the fleet, within these bounds.

    package var retryAfterMin = Duration.milliseconds(20)
    package var retryAfterMax = Duration.seconds(5)

    /// A tenant's calls, or tasks, of one priority of which none was taken for so long have the next turn, whatever the others' priority.
    package var ageing = Duration.seconds(30)

    // MARK: Stragglers. Hit: a second lease of the same task on another, idle worker; the first result counts.

    /// No lease is a straggler before this time.
    package var stragglerMin = Duration.seconds(2)
    /// Nor before so many times the time it was expected to take.
    package var stragglerFactor = 4.0

    // MARK: Jobs. Hit: INVALID_ARGUMENT (JOB_LIMIT).

    /// Tasks of one job; an index fits in 24 bits.
    package var tasksPerJobMax = 1 << 24
    /// How far a task's index may be ahead of the first one that is missing. Bounds the memory of holes.
    package var appendWindow = 65_536
    package var tasksPerAppendMax = 4_096
    /// Nor more than `payloadBytesMax`.
    package var taskPayloadBytesMax = 16 << 20
    package var jobLabelBytesMax = 256
    package var taskLabelBytesMax = 1_024
    /// Bytes of a method's or a model's name.
    package var nameBytesMax = 256
    /// 0 is normal; each step up to this one doubles the share.
    package var priorityMax = 7

    // MARK: Jobs of one tenant. Hit: RESOURCE_EXHAUSTED (TENANT_QUOTA) until some end or expire.

    /// Jobs kept, with those that have ended and have not yet been removed.
    package var jobsPerTenantMax = 16_384
    /// Tasks that have not ended, over all jobs.
    package var openTasksPerTenantMax = 1 << 24
    /// Payloads and results on disk.
    package var jobBytesPerTenantMax = 256 << 30

    // MARK: Jobs in the broker.

    /// Payloads and results on disk, over all tenants. Hit: RESOURCE_EXHAUSTED (DISK_FULL); ends are still written.
    package var storeBytesMax = 512 << 30
    /// Bytes that new jobs and tasks leave free on the store's disk, besides the size of its log. Hit: RESOURCE_EXHAUSTED (DISK_FULL).
    /// Results of tasks that were taken may use them; opening the store needs some.
    package var storeFreeBytesMin = 64 << 20
    /// Bytes of appended tasks that are not yet on disk. Hit: RESOURCE_EXHAUSTED (QUEUE_FULL).
    package var storeBytesPendingMax = 256 << 20
    /// Requests of all clients that wait for the disk. Hit: RESOURCE_EXHAUSTED (QUEUE_FULL).
    package var storeRequestsPendingMax = 65_536
    /// Tasks of jobs in the dispatcher, over all models. Hit: further ones stay on disk.
    package var jobTasksOfferedMax = 16_384
    /// Their payload bytes. Hit: further ones stay on disk.
    package var jobBytesOfferedMax = 512 << 20
    /// Requests of one client that wait for a job. Hit: RESOURCE_EXHAUSTED (QUEUE_FULL).
    package var jobWaitersPerClientMax = 256
    /// A client's wait is cut to this; it asks again.
    package var jobWaitMax = Duration.seconds(60)
    /// Results in one reply. Hit: the rest is behind the cursor.
    package var resultsPerReplyMax = 65_536
    /// Their bytes, and at most half of `payloadBytesMax`, which leaves room for what stands around them.
    package var resultsReplyBytesMax = 16 << 20
    /// Jobs in one listing. Hit: the rest is behind the last one.
    package var jobsPerListMax = 1_000
    package var jobsPerListDefault = 100
    /// Tasks queued anew by one replay. Hit: the reply counts them, and the rest waits for the next replay.
    package var tasksPerReplayMax = 65_536
    /// How often a task may fail with an error that may pass, before it is dead.
    package var taskAttemptsMax = 5
    /// The first wait before the next attempt; doubled each time.
    package var taskBackoffInitial = Duration.milliseconds(500)
    package var taskBackoffMax = Duration.seconds(30)
    /// After the disk was full or a change of a job could not be written, the next try is this much later.
    package var storeRetryAfter = Duration.seconds(1)
    package var timeToLiveDefault = Duration.seconds(7 * 86_400)
    /// Longer ones are cut to this.
    package var timeToLiveMax = Duration.seconds(90 * 86_400)
    package var retentionDefault = Duration.seconds(7 * 86_400)
    /// Longer ones are cut to this.
    package var retentionMax = Duration.seconds(90 * 86_400)
    /// Lease numbers that are reserved on disk at a time.
    package var leaseSequencesPerBlock: UInt64 = 1 << 24

    // MARK: Metrics.

    /// Pairs of a worker and a model that one scrape tells. Hit: further pairs are left out of it and counted; sums over workers and
    /// over models hold them all.
    package var workerModelsToldMax = 16_384

    /// Upper bounds of the classes of every histogram of durations, microseconds: 1-2-5 steps from 100 µs to 50 s. Beyond the last one
    /// there is one more class. Both ends of the wire know them, so they are no field of a message.
    package static let timeBoundsMicroseconds: [UInt64] = [
        100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
        5_000_000, 10_000_000, 20_000_000, 50_000_000,
    ]

    // MARK: HTTP, for people and Prometheus.

    /// Connections at a time. Hit: further ones wait in the system's queue until one is closed.
    package var httpConnectionsMax = 256
    /// Of these, readers of the event stream. Hit: 503.
    package var httpEventReadersMax = 64
    /// Events that wait for one reader. Hit: the oldest are dropped; each event says all there is to say.
    package var httpEventsUnreadMax = 4
    /// One header field. Hit: 400, and the connection is closed.
    package var httpFieldBytesMax = 8 << 10
    package var httpFieldsMax = 64
    /// What a peer may send before it is answered. Hit: the connection is closed.
    package var httpUnansweredBytesMax = 64 << 10
    /// From the first byte of a request to the first of its answer. Hit: the connection is closed.
    package var httpRequestDurationMax = Duration.seconds(10)
    /// How long a connection may stay without a request. Hit: it is closed.
    package var httpIdleMax = Duration.seconds(60)
    /// How long a peer may read nothing of what it is sent. Hit: the connection is closed.
    package var httpUnreadDurationMax = Duration.seconds(30)

    // MARK: Worker.

    /// Items in one batch when a model states no best size. A larger single task runs alone.
    package var batchItemsMax = 256
    /// Items waiting in a worker. Hit: the task goes home and runs elsewhere; credits keep a sane broker far below.
    package var workerQueuedItemsMax = 131_072

    // MARK: Client.

    /// Calls sent and not answered. Hit: further calls wait in the client.
    package var callsInFlightMax = 16
    /// Calls waiting in the client. Hit: RESOURCE_EXHAUSTED at once, without the network.
    package var callsWaitingMax = 1_048_576
    /// Nothing heard for this long with calls in flight: ask the broker whether it lives.
    package var pingInterval = Duration.seconds(1)
    /// Nothing heard for this long with calls in flight: UNAVAILABLE.
    package var brokerSilenceMax = Duration.seconds(3)
    /// Attempts of one call, the first included. (gRPC caps its own at 5 as well.)
    package var attemptsMax = 5
    /// The first wait before a retry; doubled each time, ±20 % jitter.
    package var backoffInitial = Duration.milliseconds(50)
    package var backoffMax = Duration.seconds(2)
    /// Retry budget in tokens: a failure costs 1, a success gives `retryTokenRatio` back; no retry below half of it.
    package var retryTokensMax = 100.0
    package var retryTokenRatio = 0.1

    package init() {}

    /// The first relation between two limits that does not hold, as a sentence; nil when all hold.
    package var violatedRelation: String? {
        for relation in relations where !relation.holds { return relation.text }
        return nil
    }

    private var relations: [(holds: Bool, text: String)] {
        [
            (queuedCallsMax >= 1, "queuedCallsMax must be at least 1"),
            (callsPerClientMax >= 1, "callsPerClientMax must be at least 1"),
            (effectorsPerPersonMax >= 1, "effectorsPerPersonMax must be at least 1"),
            (itemsPerCallMax >= 1, "itemsPerCallMax must be at least 1"),
            (itemsPerCallMax <= queuedItemsMax, "itemsPerCallMax must not exceed queuedItemsMax"),
            (refineStepsMax >= 0, "refineStepsMax must not be negative"),
            (payloadBytesMax <= payloadBytesHeldMax, "payloadBytesMax must not exceed payloadBytesHeldMax"),
            (batchItemsMax >= 1, "batchItemsMax must be at least 1"),
            (batchItemsMax <= workerQueuedItemsMax, "batchItemsMax must not exceed workerQueuedItemsMax"),
            (creditItemsMax <= workerQueuedItemsMax, "creditItemsMax must not exceed workerQueuedItemsMax"),
            (itemsPerCallMax <= workerQueuedItemsMax, "itemsPerCallMax must not exceed workerQueuedItemsMax"),
            (peerMessagesPerSecond >= 1, "peerMessagesPerSecond must be at least 1"),
            (
                peerMessagesAtOnceMax >= 1 && peerMessagesAtOnceMax < 1 << 33,
                "peerMessagesAtOnceMax must be at least 1 and less than 2^33"
            ),
            (peerBytesPerSecond >= 1, "peerBytesPerSecond must be at least 1"),
            (peerBytesAtOnceMax < 1 << 33, "peerBytesAtOnceMax must be less than 2^33"),
            (payloadBytesMax <= peerBytesAtOnceMax, "payloadBytesMax must not exceed peerBytesAtOnceMax"),
            (peerPushbacksPerSecond >= 1, "peerPushbacksPerSecond must be at least 1"),
            (repliesUnreadMax >= 1, "repliesUnreadMax must be at least 1"),
            (payloadBytesMax <= repliesUnreadBytesMax, "payloadBytesMax must not exceed repliesUnreadBytesMax"),
            (creditItemsMax <= tasksUnreadMax, "creditItemsMax must not exceed tasksUnreadMax"),
            (messagesUnreceivedMax >= 1, "messagesUnreceivedMax must be at least 1"),
            (handshakeDurationMax > .zero, "handshakeDurationMax must be positive"),
            (authorizedKeysMax >= 1, "authorizedKeysMax must be at least 1"),
            (authorizedKeysBytesMax >= 1, "authorizedKeysBytesMax must be at least 1"),
            (beatInterval > .zero, "beatInterval must be positive"),
            (probeInterval > .zero, "probeInterval must be positive"),
            (beatInterval * 3 <= workerSilenceMax, "three beats must fit in workerSilenceMax"),
            (workerSilenceMax <= leaseDuration, "workerSilenceMax must not exceed leaseDuration"),
            (pingInterval * 2 <= brokerSilenceMax, "two pings must fit in brokerSilenceMax"),
            (deadlineDefault <= deadlineMax, "deadlineDefault must not exceed deadlineMax"),
            (retryAfterMin <= retryAfterMax, "retryAfterMin must not exceed retryAfterMax"),
            (backoffInitial <= backoffMax, "backoffInitial must not exceed backoffMax"),
            (attemptsMax >= 1 && attemptsMax <= 255, "attemptsMax must be in 1...255"),
            (callsInFlightMax >= 1, "callsInFlightMax must be at least 1"),
            (deathsBeforeSolo >= 1 && deathsBeforeSolo <= 255, "deathsBeforeSolo must be in 1...255"),
            (modelKeysMax <= 65_535, "modelKeysMax must not exceed 65535"),
            (workersMax >= 1 && clientsMax >= 1, "workersMax and clientsMax must be at least 1"),
            (workerModelsToldMax >= 1, "workerModelsToldMax must be at least 1"),
            (modelsPerWorkerMax <= modelKeysMax, "modelsPerWorkerMax must not exceed modelKeysMax"),
            (framesPerMessageMax >= 3, "framesPerMessageMax must leave room for routing id, head and payload"),
        ] + jobRelations
    }

    private var jobRelations: [(holds: Bool, text: String)] {
        [
            (httpEventReadersMax >= 0, "httpEventReadersMax must not be negative"),
            (
                httpEventReadersMax < httpConnectionsMax,
                "httpEventReadersMax must leave room in httpConnectionsMax for those who ask"
            ),
            (httpEventsUnreadMax >= 1, "httpEventsUnreadMax must be at least 1"),
            (httpFieldsMax >= 1, "httpFieldsMax must be at least 1"),
            (httpFieldBytesMax >= 1, "httpFieldBytesMax must be at least 1"),
            (httpFieldBytesMax <= httpUnansweredBytesMax, "httpFieldBytesMax must not exceed httpUnansweredBytesMax"),
            (httpRequestDurationMax > .zero, "httpRequestDurationMax must be positive"),
            (
                httpIdleMax > .zero && httpUnreadDurationMax > .zero,
                "httpIdleMax, httpUnreadDurationMax must be positive"
            ),
            (ageing > .zero, "ageing must be positive"),
            (stragglerMin > .zero && stragglerFactor >= 1, "stragglerMin must be positive, stragglerFactor at least 1"),
            (tasksPerJobMax >= 1 && tasksPerJobMax <= 1 << 24, "tasksPerJobMax must be in 1...16777216"),
            (appendWindow >= tasksPerAppendMax, "tasksPerAppendMax must not exceed appendWindow"),
            (storeFreeBytesMin >= 0, "storeFreeBytesMin must not be negative"),
            (taskPayloadBytesMax <= storeBytesPendingMax, "taskPayloadBytesMax must not exceed storeBytesPendingMax"),
            (taskPayloadBytesMax <= jobBytesOfferedMax, "taskPayloadBytesMax must not exceed jobBytesOfferedMax"),
            (priorityMax >= 0 && priorityMax <= 7, "priorityMax must be in 0...7"),
            (jobTasksOfferedMax >= 1, "jobTasksOfferedMax must be at least 1"),
            (jobTasksOfferedMax < SlotNumber.slotsMax / 2, "jobTasksOfferedMax does not fit in a task number"),
            (jobsPerListDefault <= jobsPerListMax, "jobsPerListDefault must not exceed jobsPerListMax"),
            (taskAttemptsMax >= 1 && taskAttemptsMax <= 255, "taskAttemptsMax must be in 1...255"),
            (taskBackoffInitial <= taskBackoffMax, "taskBackoffInitial must not exceed taskBackoffMax"),
            (storeRetryAfter > .zero, "storeRetryAfter must be positive"),
            (timeToLiveDefault <= timeToLiveMax, "timeToLiveDefault must not exceed timeToLiveMax"),
            (retentionDefault <= retentionMax, "retentionDefault must not exceed retentionMax"),
            (leaseSequencesPerBlock >= 16, "leaseSequencesPerBlock must be at least 16"),
        ]
    }
}
