internal import Glibc
package import SinewCore
package import SinewMetrics
package import SinewZeroMQ

/// How a worker is set up; every field has a default that suits one machine.
package struct WorkerConfiguration: Sendable {
    /// Where the broker listens for workers.
    package var brokerEndpoint: String
    /// What the worker proves itself with, and whose worker it is; nil is for a broker on this machine that asks for no keys.
    package var keys: CurveClientKeys?
    /// Whether a broker outside this machine may be used without ``keys``.
    package var allowsInsecure = false
    /// What people call the worker; brokers tell workers apart by connection.
    package var name: String
    /// Threads that solve: batches side by side, or all of them on one batch that is alone.
    package var computeThreads: Int
    /// The processors that compute threads are pinned to, in turn; empty leaves them to the scheduler.
    package var processors: [Int]
    /// People the broker may hand over before the first answer, queued and running together.
    package var creditItems: Int
    /// The release of Sinew, for status pages.
    package var version: String
    /// People in one batch, for every model; nil lets each model be measured at the start.
    package var batchItemsMax: Int?
    /// Where measured batch tables are kept for the next start, an absolute path; nil measures at every start.
    package var batchTableFolder: String?
    /// How long each model took to load, by `name/version`, for operators.
    package var loadTimes: [String: Duration] = [:]
    /// Where the worker counts what its beats do not tell.
    package var metrics = MetricRegistry()
    /// The service's maxima.
    package var limits: Limits

    /// Creates a configuration; what is left out keeps its default.
    package init(
        brokerEndpoint: String = "tcp://127.0.0.1:7691", name: String = WorkerConfiguration.defaultName,
        computeThreads: Int = 1, processors: [Int] = [], creditItems: Int = 1024, version: String = "",
        batchItemsMax: Int? = nil, batchTableFolder: String? = nil, limits: Limits = Limits()
    ) {
        self.brokerEndpoint = brokerEndpoint
        self.name = name
        self.computeThreads = computeThreads
        self.processors = processors
        self.creditItems = creditItems
        self.version = version
        self.batchItemsMax = batchItemsMax
        self.batchTableFolder = batchTableFolder
        self.limits = limits
    }

    /// `host-pid`.
    package static var defaultName: String { "\(hostName)-\(getpid())" }

    /// The name of this machine, or `localhost` when it has none.
    package static var hostName: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0, bytes[0] != 0 else { return "localhost" }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Why the worker cannot run like this, with what to change; nil when it can.
    var violatedRule: String? {
        if let violated = limits.violatedRelation { return violated }
        if keys == nil, !allowsInsecure, EndpointReach.leavesThisMachine(brokerEndpoint) {
            return
                "\(brokerEndpoint) leaves this machine and the worker has no key: give it --key and --broker-key, or "
                + "allow it with --insecure on a network you trust"
        }
        if computeThreads < 1 || computeThreads > 1024 {
            return "compute threads must be 1…1024, not \(computeThreads): use at most one per core"
        }
        if !processors.isEmpty, processors.count < computeThreads {
            return "\(computeThreads) compute threads cannot be pinned to \(processors.count) processors: "
                + "use fewer threads"
        }
        if creditItems < 1 || creditItems > limits.creditItemsMax {
            return "credits must be 1…\(limits.creditItemsMax) people, not \(creditItems)"
        }
        if let batchItemsMax, batchItemsMax < 1 || batchItemsMax > limits.workerQueuedItemsMax {
            return "a batch must hold 1…\(limits.workerQueuedItemsMax) people, not \(batchItemsMax)"
        }
        return nil
    }
}
