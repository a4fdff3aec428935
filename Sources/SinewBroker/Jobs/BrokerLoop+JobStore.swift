internal import SinewCore
internal import SinewZeroMQ

/// What the thread of the store says.
extension BrokerLoop {
    mutating func hearJobStore() throws(ZeroMQError) {
        guard let service = jobService else { return }
        for report in service.mailbox.takeReports() {
            switch report {
            case .restored(let job, let tasks, let damaged):
                try tell(jobs: .restored(job, tasks: tasks, damaged: damaged))
            case .opened(let firstFreeLease): try tell(jobs: .opened(firstFreeLease: firstFreeLease))
            case .openFailed:
                let due = now + configuration.limits.storeRetryAfter
                jobService?.reopenAt = due
            case .committed(let ticket):
                logLife(ticket)
                try tell(jobs: .committed(ticket))
            case .commitFailed(let ticket, let writes, let failure):
                jobService?.refusedGroups[ticket] = writes
                jobService?.lives[ticket] = nil
                try tell(jobs: .commitFailed(ticket, failure))
            case .loaded(let task, let bytes): try tell(jobs: .loaded(task), with: .payload(task, bytes))
            case .loadFailed(let task, let failure): try tell(jobs: .loadFailed(task, failure))
            case .read(let request, let read, let found, let damaged):
                try answer(request, read, found, damaged: damaged)
            case .readFailed(let request, let read, let failure):
                if case .broken(let why) = failure { try tell(jobs: .storeBroke(why)) }
                try failRead(request, read, failure)
            }
        }
    }

    private mutating func failRead(
        _ id: JobRequestID, _ read: JobResultsRead, _ failure: JobStoreFailure
    ) throws(ZeroMQError) {
        guard let request = jobService?.remove(id) else { return }
        let refusal: JobRefusal
        let retryAfter = configuration.limits.storeRetryAfter
        switch failure {
        case .full(let why), .broken(let why), .damaged(_, let why):
            refusal = .storeUnavailable(why, retryAfter: retryAfter)
        case .mismatched(let task): refusal = .hashMismatch(index: task.index)
        }
        try answer(request, with: .refused(refusal))
    }

    /// A store that could not be opened is tried again.
    mutating func retryJobStore() {
        guard let due = jobService?.reopenAt, due <= now else { return }
        jobService?.reopenAt = nil
        jobService?.mailbox.post(.reopen)
    }

    /// A client that waits for a job no longer does.
    mutating func dropJobRequest(_ call: UInt64, of client: ClientID) throws(ZeroMQError) {
        guard let id = jobService?.requestOfCall[.init(client: client, call: call)],
            jobService?.requests[id]?.isWait == true
        else { return }
        _ = jobService?.remove(id)
        try tell(jobs: .requestDropped(id))
    }

    /// Forgets what a client waits for; what it has given to be written stays. Returns whether there are jobs at all.
    mutating func dropJobRequests(of client: ClientID) -> Bool {
        guard let service = jobService else { return false }
        for (id, request) in service.requests where request.client == client && request.isWait {
            _ = jobService?.remove(id)
        }
        return true
    }
}
