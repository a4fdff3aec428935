internal import SinewClient

/// A job as people type it: its id, or the beginning of it when no other job begins so.
struct JobReference {
    let text: String

    /// Hexadecimal digits and hyphens, as an id has them.
    init(_ text: String) throws(CommandFailure) {
        let isIDLike = text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
        }
        guard !text.isEmpty, text.utf8.count <= 36, isIDLike else {
            throw CommandFailure(
                .usage,
                "'\(text)' is no job: write the id that sinew submit printed, or its beginning (sinew jobs lists them)")
        }
        self.text = text.lowercased()
    }

    /// The job that is meant.
    ///
    /// - Throws: ``CommandFailure`` when no job or several begin so; `ClientError` when no broker answers.
    func resolve(_ client: Client) async throws -> JobHandle {
        if let id = JobID(text) { return client.job(id) }
        var found: [JobID] = []
        var older: JobID?
        while true {
            let page = try await client.listJobs(countMax: 1000, olderThan: older, deadline: firstContactLimit)
            found += page.compactMap(\.jobID).filter { $0.description.hasPrefix(text) }
            guard let last = page.last?.jobID else { break }
            older = last
        }
        guard let first = found.first else {
            throw CommandFailure(.usage, "no job begins with '\(text)'; sinew jobs lists those that are")
        }
        guard found.count == 1 else {
            let shown = found.prefix(5).map(\.description).joined(separator: ", ")
            throw CommandFailure(
                .usage,
                "\(found.count) jobs begin with '\(text)': \(shown)\(found.count > 5 ? ", …" : ""); write more of the id"
            )
        }
        return client.job(first)
    }
}

/// How long a command waits for the broker's first word; later it is more patient.
let firstContactLimit = Duration.seconds(5)
