internal import SinewCore

/// What every task of a job is a request for.
public enum JobMethod: Sendable, Equatable, CaseIterable {
    /// Poses from observed joints: each task is a ``PoseRequest``.
    case solvePoses
    /// Poses from effectors: each task is an ``EffectorRequest``.
    case solveEffectors

    /// The name on the wire.
    var name: String {
        switch self {
        case .solvePoses: PoseSolver.SolvePoses.name
        case .solveEffectors: PoseSolver.SolveEffectors.name
        }
    }
}

/// A durable job that is to be made.
public struct JobSubmission: Sendable, Equatable {
    /// Its id. Submitting again under the same id finds the same job.
    public var id: JobID
    /// What its tasks are.
    public var method: JobMethod
    /// `name` for any version or `name/version`.
    public var model: String
    /// For people, at most 256 bytes.
    public var label = ""
    /// SHA-256 over everything that makes the job what it is, 32 bytes, or nil. A tenant's second job with the same hash is the first one,
    /// whatever its id: so a submit that was cut off goes on where it was, without any note of the id.
    public var contentSHA256: [UInt8]?
    /// How long the job may take; what is not done then is given up. Nil is the broker's default.
    public var timeToLive: Duration?
    /// How long results are kept after the job has ended. Nil is the broker's default.
    public var retention: Duration?
    /// Larger is sooner; nil is ``ClientConfiguration/priority``.
    public var priority: UInt8?

    /// A job with the broker's defaults.
    public init(_ method: JobMethod, model: String, id: JobID = JobID()) {
        self.method = method
        self.model = model
        self.id = id
    }

    /// The most bytes of a label.
    public static let labelBytesMax = 256

    func message() throws(ClientError) -> SubmitJobRequest {
        guard !model.isEmpty, model.utf8.count <= Head.modelBytesMax else {
            throw ClientError(
                .unknownModel,
                "“\(model)” is no model name; say for example niki or niki/1 (sinew status lists what is ready)",
                field: "model")
        }
        guard label.utf8.count <= Self.labelBytesMax else {
            throw ClientError(
                .jobLimit, "the job's label has \(label.utf8.count) bytes, at most \(Self.labelBytesMax) are kept",
                field: "label")
        }
        guard contentSHA256.map({ $0.count == 32 }) ?? true else {
            throw ClientError(
                .wrongShape, "a content hash of \(contentSHA256?.count ?? 0) bytes; a SHA-256 has 32",
                field: "content_sha256")
        }
        return SubmitJobRequest(
            id: id.bytes, method: method.name, model: model, label: label, contentSHA256: contentSHA256 ?? [],
            timeToLiveMicroseconds: timeToLive?.remainingMicroseconds,
            retentionMicroseconds: retention?.remainingMicroseconds)
    }
}

/// A job that was submitted, now or before.
public struct SubmittedJob: Sendable {
    /// The job; its id differs from the submission's when the content hash was known.
    public let handle: JobHandle
    /// Whether it was there before.
    public let existed: Bool
    /// How far it is; tasks below `nextIndex` need not be appended again.
    public let status: JobStatus
}
