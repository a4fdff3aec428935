internal import Glibc
internal import SinewArrayFiles
internal import SinewCore
internal import SinewJobStore

// Commits tasks and ends to a store as fast as it can, and says after each commit how many there are. A test kills it.
// usage: JobStoreWriter FOLDER
let id = JobID(high: 1, low: 1)

func bytes(of index: Int, salt: Int) -> [UInt8] {
    (0..<(1 + (index &* 7_919 &+ salt) % 20_000)).map {
        UInt8(truncatingIfNeeded: (index &* 40_503 &+ $0 &* salt) >> 3)
    }
}

func say(_ line: String) {
    let text = Array((line + "\n").utf8)
    guard unsafe write(1, text, text.count) == text.count else { exit(3) }
}

func write() throws {
    var store = try SQLiteJobStore(folder: CommandLine.arguments[1])
    if try store.jobs().jobs.isEmpty {
        let job = JobRecord(
            id: id, tenant: TenantID(""), method: "m", model: ModelKey("rest"), label: "", content: nil, priority: 0,
            created: WallTime(microseconds: 1), giveUp: WallTime(microseconds: .max), retentionMicroseconds: 1,
            sequenceFloor: 0)
        try store.commit([JobStoreWrite(.insertJob(job))])
    }
    var tasks = try store.tasks(of: id).tasks.count
    var ended = try store.tasks(of: id).tasks.count { $0.end != nil }
    let digest = MessageDigest()
    say("\(tasks) \(ended)")
    while true {
        var group: [JobStoreWrite] = []
        for index in tasks..<(tasks + 1 + tasks % 7) {
            let payload = bytes(of: index, salt: 3)
            digest.update(payload)
            guard let hash = ContentHash(bytes: digest.finish()) else { exit(4) }
            let record = JobTaskRecord(index: index, items: 1, payloadBytes: payload.count, payloadHash: hash)
            group.append(
                .init(.insertTask(JobTaskID(job: id, index: index), record), bytes: payload, label: "task \(index)"))
        }
        let result = bytes(of: ended, salt: 5)
        if ended < tasks {
            let end = JobTaskRecord.End(
                outcome: .done, status: 0, attempts: 1, sequence: UInt64(ended + 1), resultBytes: result.count)
            group.append(.init(.endTask(JobTaskID(job: id, index: ended), end), bytes: result))
            ended += 1
        }
        tasks += 1 + tasks % 7
        try store.commit(group)
        say("\(tasks) \(ended)")
    }
}

do {
    try write()
} catch {
    say("error: \(error)")
    exit(1)
}
