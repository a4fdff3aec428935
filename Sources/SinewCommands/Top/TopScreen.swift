internal import SinewWire

/// Draws `sinew top`: a pure function of what is known and of the terminal's size.
package struct TopScreen: Sendable {
    let width: Int
    /// Nil: as many lines as it takes.
    let height: Int?
    let style: TextStyle

    package init(width: Int, height: Int?, style: TextStyle) {
        self.width = max(width, 40)
        self.height = height.map { max($0, 10) }
        self.style = style
    }

    /// The lines of the whole screen; in a terminal exactly as many as it has.
    package func lines(_ model: TopModel) -> [String] {
        guard let fleet = model.fleet else {
            return filled([style.bold("sinew top")], bottom: bottomLine(model))
        }
        if model.mode == .help { return filled(help, bottom: plain("press any key")) }
        let head = header(fleet, model)
        let jobs = jobLines(fleet)
        // What is left for workers: the rest of the screen without head, bottom line and jobs.
        let room = height.map { max(3, $0 - head.count - jobs.count - 2) }
        return filled(head + [""] + workerLines(model, room: room) + jobs, bottom: bottomLine(model))
    }

    /// What is printed once, when nobody can press keys.
    package func text(_ fleet: TopFleet) -> [String] {
        var model = TopModel()
        model.take(fleet)
        return header(fleet, model) + [""] + workerLines(model, room: nil, hasCursor: false) + jobLines(fleet)
    }

    private func filled(_ lines: [String], bottom: String) -> [String] {
        guard let height else { return lines + [bottom] }
        let body = lines.prefix(height - 1)
        return body + [String](repeating: "", count: height - 1 - body.count) + [bottom]
    }

    /// Text without style, cut at the edge.
    private func plain(_ text: String) -> String { TerminalText.cut(text, to: width) }

    // MARK: - Head

    private func header(_ fleet: TopFleet, _ model: TopModel) -> [String] {
        let broker = fleet.broker
        let serving = fleet.workers.count { $0.state == WorkerStateWord.serving }
        let first =
            "sinew top  broker \(TerminalText.harmless(broker.version)), up \(clockText(Double(broker.uptimeMicroseconds) / 1e6)), "
            + "\(serving) of \(fleet.workers.count) workers serving, \(broker.clients) clients"
            + (broker.draining ? ", draining" : "")
        var second =
            "people/s \(TopFigures.rate(fleet.personsPerSecond))  calls/s \(TopFigures.rate(fleet.callsPerSecond))  "
            + "failed/s \(TopFigures.rate(fleet.failedPerSecond))  broker CPU \(TopFigures.cores(fleet.brokerCores))"
        let barRoom = width - TerminalText.width(second) - 2
        if model.rates.count > 1, barRoom >= 8 { second += "  " + TopFigures.bars(model.rates.suffix(barRoom)) }
        var waiting = "waiting \(broker.queuedItems)"
        if broker.oldestWaitingMicroseconds > 0 {
            waiting += ", oldest \(TopFigures.time(microseconds: Double(broker.oldestWaitingMicroseconds)))"
        }
        if let drain = broker.drainMicrosecondsEstimated, drain > 0 {
            waiting += ", done in \(TopFigures.time(microseconds: Double(drain)))"
        }
        let third =
            "\(waiting)  running \(broker.runningItems)  credits \(broker.creditsInUse)/\(broker.creditsTotal)"
            + (broker.tasksDead > 0 ? "  dead tasks \(broker.tasksDead)" : "")
        return [style.bold(plain(first)), plain(second), plain(third)]
    }

    // MARK: - Workers

    private func workerLines(_ model: TopModel, room: Int?, hasCursor: Bool = true) -> [String] {
        let workers = model.workers
        guard !workers.isEmpty else { return [plain("no workers; start one: sinew worker")] }
        let columns = TopColumn.shown(in: width)
        let figures = columns.filter { $0 != .name }.reduce(0) { $0 + $1.width + 1 }
        let nameWidth = max(TopColumn.nameWidthMin, min(40, width - 2 - figures))
        let heading = columns.map { column in
            let name = column == model.sort && hasCursor ? column.heading + "*" : column.heading
            return TerminalText.fit(name, to: column == .name ? nameWidth : column.width, isLeft: column.isLeft)
        }
        let selected = hasCursor ? model.selectedIndex : nil
        let window = visible(count: workers.count, around: selected ?? 0, room: room.map { $0 - 1 })
        var lines = [style.bold(plain(trimmed("  " + heading.joined(separator: " "))))]
        for index in window {
            lines.append(row(workers[index], columns, nameWidth, isSelected: index == selected))
        }
        if window.count < workers.count { lines.append(plain("  … \(workers.count - window.count) more workers")) }
        return lines
    }

    /// Which rows fit, with the selected one among them; one line is kept for saying that there are more.
    private func visible(count: Int, around selected: Int, room: Int?) -> Range<Int> {
        guard let room, count > room else { return 0..<count }
        let shown = max(1, room - 1)
        let first = min(max(0, selected - shown / 2), count - shown)
        return first..<(first + shown)
    }

    private func row(
        _ worker: TopFleet.Worker, _ columns: [TopColumn], _ nameWidth: Int, isSelected: Bool
    ) -> String {
        let cells = columns.map { column in
            let text = TerminalText.fit(
                column.text(worker), to: column == .name ? nameWidth : column.width, isLeft: column.isLeft)
            guard column == .state, !isSelected else { return text }
            if worker.state == WorkerStateWord.silent { return style.red(text) }
            return worker.state == WorkerStateWord.draining ? style.yellow(text) : text
        }
        let line = trimmed((isSelected ? "> " : "  ") + cells.joined(separator: " "))
        return isSelected ? style.reversed(line) : line
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    // MARK: - Jobs

    /// Running ones first, then the newest; with the empty line above them.
    private func jobLines(_ fleet: TopFleet) -> [String] {
        guard let jobs = fleet.jobs, !jobs.isEmpty else { return [] }
        let shown = (jobs.filter(\.isRunning) + jobs.filter { !$0.isRunning }).prefix(height == nil ? 20 : 6)
        let widths = [13, 9, 14, 8, 8, 5]
        let labelWidth = max(6, width - 2 - widths.reduce(0) { $0 + $1 + 1 })
        func line(_ cells: [String]) -> String {
            let figures = zip(cells, widths).enumerated().map { index, cell in
                TerminalText.fit(cell.0, to: cell.1, isLeft: index < 2)
            }
            return trimmed("  " + (figures + [TerminalText.cut(cells[6], to: labelWidth)]).joined(separator: " "))
        }
        var lines = ["", style.bold(line(["JOB", "STATE", "TASKS", "PEOPLE/S", "LEFT", "LOST", "LABEL"]))]
        for job in shown {
            lines.append(
                line([
                    String(job.id.prefix(13)), job.state, "\(job.done)/\(job.tasks)",
                    job.isRunning ? TopFigures.rate(job.personsPerSecond) : "–",
                    job.remainingSeconds.map(clockText) ?? "–", "\(job.lost)",
                    job.label.isEmpty ? job.model : job.label,
                ]))
        }
        if shown.count < jobs.count { lines.append(plain("  … more: sinew jobs")) }
        return lines
    }

    // MARK: - Bottom line and help

    private func bottomLine(_ model: TopModel) -> String {
        if case .confirmingDrain(_, let shownName) = model.mode {
            return style.bold(plain("drain \(shownName)? It finishes what it has and leaves. y/n"))
        }
        if let trouble = model.trouble { return style.red(plain("no news: \(trouble)")) }
        if !model.message.isEmpty { return plain(model.message) }
        return plain("q quit  s sort  ↑↓ select  d drain  h help")
    }

    private var help: [String] {
        [
            style.bold("sinew top: keys"), "",
            "  q, Ctrl-C      quit", "  s, S           sort by the next column, the one before (marked *)",
            "  ↑ ↓, k j       select a worker; PgUp PgDn, g G go further",
            "  d              drain the selected worker (asks first)",
            "  h, ?           this page", "",
            "FILL     people in a batch, as a share of the batch size that is fastest there",
            "P50 P99  how long requests took in the worker, waiting and computing",
            "CPU      processor seconds per second: 1.00 is one core",
            "LEFT     until the job's end at the present rate; LOST are tasks without a result",
            "", "Rates are those of the last two seconds.",
        ].map { TerminalText.width($0) > width && !style.isEnabled ? plain($0) : $0 }
    }
}

/// Words of ``TopFleet/Worker/state``.
enum WorkerStateWord {
    static let serving = "serving"
    static let draining = "draining"
    static let silent = "silent"
}
