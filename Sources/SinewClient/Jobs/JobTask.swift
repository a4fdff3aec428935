internal import SinewArrayFiles
internal import SinewCore

/// One unit of work of a job: people that one worker solves together, and that fail or succeed together.
///
/// Tasks do not know of each other: a track whose frames depend on each other goes into one task.
public struct JobTask: Sendable, Equatable {
    /// Its place in the job, from 0.
    public let index: Int
    /// How many people it holds.
    public let items: Int
    /// Whatever is to come back with the result, for example which frames of which file.
    public let label: String
    /// The request as it goes to the worker.
    let payload: [UInt8]

    /// The most people of a task.
    public static let itemsMax = Limits().itemsPerCallMax
    /// The most bytes of a label.
    public static let labelBytesMax = 1024

    /// A task of a job of ``JobMethod/solvePoses``.
    ///
    /// - Throws: ``ClientError`` when the arrays do not fit each other, or a limit is exceeded.
    public init(index: Int, _ people: PoseRequest, label: String = "") throws(ClientError) {
        try people.validate()
        try Self.check(index, items: people.count, label: label)
        self.init(index: index, items: people.count, label: label, payload: people.message(0..<people.count).encode())
    }

    /// A task of a job of ``JobMethod/solveEffectors``.
    ///
    /// - Throws: ``ClientError`` when an effector has no place in a message, or a limit is exceeded.
    public init(index: Int, _ effectors: EffectorRequest, label: String = "") throws(ClientError) {
        try effectors.validate()
        try Self.check(index, items: effectors.count, label: label)
        self.init(
            index: index, items: effectors.count, label: label,
            payload: effectors.message(0..<effectors.count).encode())
    }

    private init(index: Int, items: Int, label: String, payload: [UInt8]) {
        self.index = index
        self.items = items
        self.label = label
        self.payload = payload
    }

    /// The size of the request, bytes.
    public var payloadByteCount: Int { payload.count }

    var message: TaskBlock {
        TaskBlock(
            index: UInt64(index), items: UInt32(items), sha256: SHA256.digest(of: payload), payload: payload,
            label: label)
    }

    private static func check(_ index: Int, items: Int, label: String) throws(ClientError) {
        precondition(index >= 0, "a task at place \(index)")
        guard items <= itemsMax else {
            throw ClientError(
                .jobLimit, "task \(index) has \(items) people, at most \(itemsMax) fit; cut it", field: "items")
        }
        guard label.utf8.count <= labelBytesMax else {
            throw ClientError(
                .jobLimit,
                "the label of task \(index) has \(label.utf8.count) bytes, at most \(labelBytesMax) are kept",
                field: "label")
        }
    }
}
