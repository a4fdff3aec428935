internal import SinewCore
internal import SinewWire
internal import SinewZeroMQ

/// What the process around the broker asks.
extension BrokerLoop {
    mutating func answer(_ question: BrokerQuestion) throws(ZeroMQError) {
        switch question {
        case .fleet(let reply): reply.answer(fleetStatus())
        case .jobs(let countMax, let reply):
            reply.answer(machine.jobs.latestJobs(countMax: countMax).map { JobStatus($0) })
        case .job(let id, let reply):
            guard let job = machine.jobs.jobStatus(id) else { return reply.refuse(unknownJob) }
            reply.answer(JobStatus(job))
        case .failures(let id, let countMax, let reply):
            guard let tenant = tenant(of: id) else { return reply.refuse(unknownJob) }
            let query = JobResultsQuery(job: id, cursor: 0, countMax: countMax, wait: .zero, failuresOnly: true)
            try ask(.failures(reply), Jobs.Results.name) { .resultsAsked($0, by: .ownProcess, tenant, query) }
        case .drainWorker(let name, let reply):
            switch try drainWorkers(named: name) {
            case .success(let count): reply.answer(count)
            case .failure(let rejection): reply.refuse(BrokerRefusal(rejection))
            }
        case .cancelJob(let id, let reply):
            guard let tenant = tenant(of: id) else { return reply.refuse(unknownJob) }
            try ask(.cancel(reply), Jobs.Cancel.name) { .cancelled($0, tenant, id) }
        }
    }

    private func tenant(of id: JobID) -> TenantID? { machine.jobs.jobStatus(id)?.record.tenant }

    private var unknownJob: BrokerRefusal {
        guard jobService != nil else {
            return BrokerRefusal(.notFound, "this broker keeps no jobs; start it with `sinew broker --store FOLDER`")
        }
        return BrokerRefusal(.notFound, "no such job: it was never submitted here, or its results have expired")
    }

    /// Tells the machine of a request that no client has sent.
    private mutating func ask(
        _ asker: JobAsker, _ method: String, _ event: (JobRequestID) -> JobStateMachine.Event
    ) throws(ZeroMQError) {
        var request = PendingJobRequest(client: .ownProcess, head: Head(kind: .call, method: method))
        request.asker = asker
        guard let id = jobService?.add(request) else { return asker.refuse(unknownJob) }
        try tell(jobs: event(id))
    }

    /// Nobody may wait for a broker that has ended.
    mutating func refuseQuestionsUnderWay() {
        guard let service = jobService else { return }
        for id in service.requests.keys.sorted() {
            guard let asker = service.requests[id]?.asker else { continue }
            _ = jobService?.remove(id)
            asker.refuse(.stopped)
        }
    }
}

extension ClientID {
    /// No peer has this number: theirs hold a sequence that begins with 1 above the slot.
    fileprivate static let ownProcess = ClientID(rawValue: 1)
}

/// Whom of this process a request about jobs is answered to.
enum JobAsker: Sendable {
    case cancel(BrokerReply<JobStatus>)
    case failures(BrokerReply<[TaskResult]>)

    func refuse(_ refusal: BrokerRefusal) {
        switch self {
        case .cancel(let reply): reply.refuse(refusal)
        case .failures(let reply): reply.refuse(refusal)
        }
    }

    func hear(_ reply: JobReply) {
        switch (self, reply) {
        case (_, .refused(let refusal)): refuse(BrokerRefusal(WireRejection(refusal, Jobs.Cancel.name)))
        case (.cancel(let asker), .status(let job)): asker.answer(JobStatus(job))
        case (.cancel, .submitted), (.cancel, .appended), (.cancel, .jobs), (.cancel, .replayed), (.failures, _):
            preconditionFailure("another request's answer: \(reply)")
        }
    }

    func hear(_ results: [TaskResult]) {
        switch self {
        case .failures(let reply): reply.answer(results)
        case .cancel: preconditionFailure("a cancellation is not answered with results")
        }
    }
}
