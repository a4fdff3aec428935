internal import SinewCore
internal import SinewWire

extension WireRejection {
    init(_ refusal: JobRefusal, _ method: String) {
        switch refusal {
        case .unknownJob:
            self.init(
                .notFound, .unknownJob,
                "no such job: it was never submitted here, belongs to another tenant, or its results have expired; `sinew jobs` lists those that are",
                field: "id")
        case .jobConflict:
            self.init(
                .alreadyExists, .jobConflict,
                "a job with this id stands already and was submitted with another method, model, label, time or content; choose a new id",
                field: "id")
        case .taskConflict(let index):
            self.init(
                .alreadyExists, .jobConflict,
                "task \(index) stands already and has another SHA-256; give the new one another index", field: "tasks")
        case .sealConflict(let tasks):
            self.init(
                .alreadyExists, .jobConflict,
                "the job has \(tasks) tasks, or was sealed with so many; seal it with that number", field: "tasks")
        case .sealed(let state):
            self.init(
                .failedPrecondition, .jobSealed,
                "the job takes no more tasks, it is \(state.word); submit a new one")
        case .tasksMissing(let count, let first):
            self.init(
                .failedPrecondition, .tasksMissing,
                "\(count) tasks are not here, the first of them is \(first); append them first", field: "tasks")
        case .hashMismatch(let index):
            self.init(
                .dataLoss, .hashMismatch,
                "the payload of task \(index) does not have the SHA-256 that came with it; send it again",
                field: "tasks", retryAfter: .zero)
        case .tooLarge(let bound, let max):
            self.init(.invalidArgument, .jobLimit, bound.sentence(max), field: bound.field)
        case .quota(let quota, let max, let retryAfter):
            self.init(
                .resourceExhausted, .tenantQuota,
                "\(quota.sentence(max)); cancel jobs, or wait until some have ended and expired", retryAfter: retryAfter
            )
        case .overloaded(let retryAfter):
            self.init(
                .resourceExhausted, .queueFull,
                "more requests about jobs wait in the broker than may; try again in \(retryAfter.inMilliseconds) ms",
                retryAfter: retryAfter)
        case .diskFull(let why, let retryAfter):
            self.init(
                .resourceExhausted, .diskFull,
                "the broker has no room for more; nothing was taken, and nothing that was acknowledged is lost: \(why)",
                retryAfter: retryAfter)
        case .storeUnavailable(let why, let retryAfter):
            self.init(
                .unavailable, .storeUnavailable,
                "the broker cannot use its store now and opens it anew: \(why)", retryAfter: retryAfter)
        case .draining:
            self.init(
                .unavailable, .draining,
                "the broker is about to stop; jobs go on when it, or another one on the same store, starts",
                retryAfter: .seconds(1))
        }
    }

    /// What is stored as the result of a task that ended without an answer of a worker.
    init(_ failure: JobTaskFailure) {
        switch failure {
        case .killsWorkers(let deaths):
            self.init(
                .internal, .killsWorkers,
                "\(deaths) workers were lost while they had this task, the last one had nothing else; look at the workers' logs, then `sinew dead replay` tries it again"
            )
        case .givenUp(let attempts, let status):
            self.init(
                .aborted, .givenUp,
                "the task failed \(attempts) times, the last time with status \(status); look at the workers' logs, then `sinew dead replay` tries it again"
            )
        case .damaged:
            self.init(
                .dataLoss, .recordDamaged,
                "the task's record in the broker's store does not have its checksum; append the task again")
        case .refused(let reason):
            self.init(.invalidArgument, .payloadTooLarge, "the broker does not take such a task: \(reason)")
        }
    }
}

extension JobRecord.State {
    fileprivate var word: String {
        switch self {
        case .open: "open"
        case .sealed: "sealed"
        case .finished: "finished"
        case .cancelled: "cancelled"
        case .expired: "expired"
        }
    }
}

extension JobRefusal.Bound {
    fileprivate func sentence(_ max: Int) -> String {
        switch self {
        case .jobLabelBytes: "a job's label has at most \(max) bytes; shorten it"
        case .taskLabelBytes: "a task's label has at most \(max) bytes; shorten it"
        case .nameBytes: "the name of a method or a model has at most \(max) bytes; look at it"
        case .payloadBytes: "a task's payload has at most \(max) bytes; cut it into several tasks"
        case .itemsOfTask: "a task has 1 to \(max) people; cut it into several tasks, or look at `items`"
        case .tasksOfRequest: "one request names at most \(max) tasks; send several"
        case .tasksOfJob: "a job has at most \(max) tasks; submit several jobs"
        case .appendWindow: "a task may be at most \(max) ahead of the first one that is missing; append that one first"
        case .priority: "a priority is 0 to \(max); choose one of these"
        }
    }

    fileprivate var field: String {
        switch self {
        case .jobLabelBytes, .taskLabelBytes: "label"
        case .nameBytes: "method"
        case .payloadBytes: "payload"
        case .itemsOfTask: "items"
        case .tasksOfRequest, .tasksOfJob: "tasks"
        case .appendWindow: "index"
        case .priority: "priority"
        }
    }
}

extension JobRefusal.Quota {
    fileprivate func sentence(_ max: Int) -> String {
        switch self {
        case .jobs: "the tenant has \(max) jobs here, as many as one may have"
        case .openTasks: "the tenant may have at most \(max) tasks that have not ended"
        case .bytes: "the tenant's payloads and results may take at most \(max) bytes"
        }
    }
}
