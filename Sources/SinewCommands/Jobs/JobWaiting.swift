internal import SinewClient

/// Waiting for a job's end with a progress bar, for `sinew wait` and `sinew submit --wait`.
struct JobWaiting {
    let handle: JobHandle
    /// Nil waits for as long as it takes.
    let limit: Duration?
    /// What is added to hints.
    let brokerHint: String

    /// The job's last state; Ctrl-C ends the waiting and leaves the job alone.
    func run() async throws -> JobReport {
        let hint = "sinew wait \(handle.id)\(brokerHint)"
        let status = try await interruptible(explanation: { "the job goes on; come back with: \(hint)" }) {
            let first = try await handle.status(deadline: firstContactLimit)
            if first.isEnded { return first }
            StandardStreams.talk(JobReport(first).line)
            var bar: ProgressBar?
            defer { bar?.clear() }
            return try await handle.wait(deadline: limit, every: .seconds(1)) { status in
                if bar == nil { bar = ProgressBar(total: Int(clamping: status.tasks), unit: "tasks") }
                let lost = status.failed + status.dead + status.cancelled
                bar?.draw(done: Int(clamping: status.done + lost), failed: Int(clamping: lost))
            }
        }
        return JobReport(status)
    }

    /// Says how a job ended that is over.
    ///
    /// - Throws: ``CommandFailure`` with `someItemsFailed` when not everything was solved.
    static func conclude(_ report: JobReport, brokerHint: String) throws {
        guard report.lost > 0 || report.state != JobState.finished.word else { return }
        let next =
            report.dead + report.failed > 0
            ? "; see why: sinew dead list \(report.job)\(brokerHint)"
            : "; what was solved is there: sinew get \(report.job) -o FOLDER\(brokerHint)"
        throw CommandFailure(.someItemsFailed, report.line + next)
    }
}
