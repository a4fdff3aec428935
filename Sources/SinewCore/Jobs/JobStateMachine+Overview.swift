/// Jobs of all tenants, for those who run the broker.
extension JobStateMachine {
    /// The newest jobs, newest first. Cost: O(`countMax`).
    package func latestJobs(countMax: Int) -> [JobStatusRecord] {
        var found: [JobStatusRecord] = []
        for id in jobsInOrder.reversed() {
            guard found.count < countMax else { break }
            if let status = jobStatus(id) { found.append(status) }
        }
        return found
    }

    /// A job of any tenant; nil when there is none, or it is not yet on disk.
    package func jobStatus(_ id: JobID) -> JobStatusRecord? {
        guard let slot = slotOfJob[id], jobs[slot].transition != .submitting else { return nil }
        return jobs[slot].status
    }
}
