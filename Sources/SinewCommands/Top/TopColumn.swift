/// A column of the workers in `sinew top`.
package enum TopColumn: String, CaseIterable, Sendable {
    case name, state, rate, fill, queued, running, p50, p99, cores, memory, gflop, version, host

    /// What `s` goes through.
    package static let sortable: [TopColumn] = [.name, .rate, .fill, .queued, .p99, .cores]

    /// Those that a line of `width` columns has room for, in their order; the name keeps 14 at least.
    package static func shown(in width: Int) -> [TopColumn] {
        var room = width - 2 - nameWidthMin
        var chosen: Set<TopColumn> = [.name]
        for column in [
            TopColumn.state, .rate, .queued, .p50, .p99, .fill, .cores, .memory, .running, .gflop, .version, .host,
        ] {
            guard room >= column.width + 1 else { break }
            room -= column.width + 1
            chosen.insert(column)
        }
        return allCases.filter { chosen.contains($0) }
    }

    static let nameWidthMin = 14

    /// Of the figures, headings with the mark of sorting included; the name takes what is left.
    var width: Int {
        switch self {
        case .name: Self.nameWidthMin
        case .rate: 9
        case .state, .queued, .gflop: 8
        case .fill, .cores: 5
        case .running, .p50, .p99: 7
        case .memory: 6
        case .version: 10
        case .host: 18
        }
    }

    var heading: String {
        switch self {
        case .name: "WORKER"
        case .state: "STATE"
        case .rate: "PEOPLE/S"
        case .fill: "FILL"
        case .queued: "WAITING"
        case .running: "RUNNING"
        case .p50: "P50"
        case .p99: "P99"
        case .cores: "CPU"
        case .memory: "RSS"
        case .gflop: "GFLOP/S"
        case .version: "VERSION"
        case .host: "HOST"
        }
    }

    var isLeft: Bool {
        switch self {
        case .name, .state, .version, .host: true
        case .rate, .fill, .queued, .running, .p50, .p99, .cores, .memory, .gflop: false
        }
    }

    func text(_ worker: TopFleet.Worker) -> String {
        switch self {
        case .name: worker.shownName
        case .state: worker.state
        case .rate: TopFigures.rate(worker.personsPerSecond)
        case .fill: TopFigures.share(worker.batchFill)
        case .queued: "\(worker.queued)"
        case .running: "\(worker.running)"
        case .p50: TopFigures.time(microseconds: worker.latencyP50)
        case .p99: TopFigures.time(microseconds: worker.latencyP99)
        case .cores: TopFigures.cores(worker.cores)
        case .memory: TopFigures.bytes(worker.residentBytes)
        case .gflop: TopFigures.rate(worker.gflopPerSecond)
        case .version: worker.version
        case .host: worker.host
        }
    }

    /// Workers in the order of this column: names upwards, figures downwards, unknown ones last; names decide between equals.
    package func sorted(_ workers: [TopFleet.Worker]) -> [TopFleet.Worker] {
        func figure(_ worker: TopFleet.Worker) -> Double {
            switch self {
            case .rate: worker.personsPerSecond ?? -1
            case .fill: worker.batchFill ?? -1
            case .queued: Double(worker.queued)
            case .running: Double(worker.running)
            case .p50: worker.latencyP50 ?? -1
            case .p99: worker.latencyP99 ?? -1
            case .cores: worker.cores ?? -1
            case .memory: Double(worker.residentBytes)
            case .gflop: worker.gflopPerSecond ?? -1
            case .name, .state, .version, .host: 0
            }
        }
        return workers.sorted { left, right in
            let (first, second) = (figure(left), figure(right))
            return first == second ? (left.shownName, left.key) < (right.shownName, right.key) : first > second
        }
    }
}
