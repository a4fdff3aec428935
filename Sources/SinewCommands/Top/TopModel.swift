/// What `sinew top` is about to do with a key. Decides everything and does nothing: no terminal, clock or socket.
package struct TopModel: Sendable {
    package enum Key: Equatable, Sendable {
        case character(Character)
        case up, down, pageUp, pageDown, home, end, escape, enter, interrupt, suspend
    }

    package enum Effect: Equatable, Sendable {
        case none, quit, suspend
        /// Tell the workers of this name to leave.
        case drain(String)
    }

    package enum Mode: Equatable, Sendable {
        case table, help
        /// Waits for yes or no.
        case confirmingDrain(name: String, shownName: String)
    }

    package private(set) var fleet: TopFleet?
    package private(set) var mode = Mode.table
    package private(set) var sort = TopColumn.name
    /// The worker that the cursor is on, wherever sorting has put it.
    package private(set) var selected: String?
    /// What came of the last action, or what happened.
    package private(set) var message = ""
    /// Why there is no news; nil while the broker answers.
    package private(set) var trouble: String?
    /// People per second, oldest first.
    package private(set) var rates: [Double] = []

    static let ratesMax = 40

    package init() {}

    package var workers: [TopFleet.Worker] { sort.sorted(fleet?.workers ?? []) }

    package var selectedIndex: Int? {
        let workers = workers
        guard !workers.isEmpty else { return nil }
        return workers.firstIndex { $0.key == selected } ?? 0
    }

    package mutating func take(_ fleet: TopFleet) {
        let present = Set(fleet.workers.map(\.key))
        let gone = (self.fleet?.workers ?? []).filter { !present.contains($0.key) }
        if !gone.isEmpty {
            message = gone.map(\.shownName).joined(separator: ", ") + (gone.count == 1 ? " is gone" : " are gone")
        }
        self.fleet = fleet
        trouble = nil
        if let rate = fleet.personsPerSecond {
            rates.append(rate)
            if rates.count > Self.ratesMax { rates.removeFirst() }
        }
    }

    package mutating func fail(_ reason: String) { trouble = TerminalText.harmless(reason) }

    package mutating func say(_ text: String) { message = TerminalText.harmless(text) }

    package mutating func handle(_ key: Key) -> Effect {
        if key == .interrupt { return .quit }
        if key == .suspend { return .suspend }
        switch mode {
        case .table: return handleInTable(key)
        case .help:
            mode = .table
            return key == .character("q") ? .quit : .none
        case .confirmingDrain(let name, let shownName):
            mode = .table
            guard key == .character("y") || key == .character("Y") else {
                message = "\(shownName) stays"
                return .none
            }
            message = "\(shownName) is told to leave…"
            return .drain(name)
        }
    }

    private mutating func handleInTable(_ key: Key) -> Effect {
        message = ""
        switch key {
        case .character("q"): return .quit
        case .character("h"), .character("?"): mode = .help
        case .character("s"): sort = next(1)
        case .character("S"): sort = next(-1)
        case .character("k"), .up: move(by: -1)
        case .character("j"), .down: move(by: 1)
        case .pageUp: move(by: -10)
        case .pageDown: move(by: 10)
        case .home, .character("g"): move(by: -(fleet?.workers.count ?? 0))
        case .end, .character("G"): move(by: fleet?.workers.count ?? 0)
        case .character("d"):
            guard let index = selectedIndex else {
                message = "no worker to drain"
                break
            }
            let worker = workers[index]
            // The question names a worker; it stays that one however the rows move.
            selected = worker.key
            mode = .confirmingDrain(name: worker.name, shownName: worker.shownName)
        case .character, .escape, .enter, .interrupt, .suspend: break
        }
        return .none
    }

    private func next(_ step: Int) -> TopColumn {
        let all = TopColumn.sortable
        let place = all.firstIndex(of: sort) ?? 0
        return all[(place + step + all.count) % all.count]
    }

    private mutating func move(by step: Int) {
        guard let index = selectedIndex else { return }
        let workers = workers
        selected = workers[min(max(index + step, 0), workers.count - 1)].key
    }
}
