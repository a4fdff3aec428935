import Glibc
import SinewCore
import Synchronization
import Testing

/// Thousands of short runs of submitters, callers, a broker with a disk, and workers under every fault at once. Each run draws its
/// own faults from its seed; `make sim SEEDS=n FROM=m` runs more of them.
@Suite struct JobSimulationTests {
    /// Everything that one seed decides.
    static func simulation(seed: UInt64, trustsEveryToken: Bool = false) -> Simulation {
        var random = SeedDraw(state: seed)
        var faults = Faults()
        faults.until = .seconds(6)
        faults.lossPercent = random.next(upTo: 6)
        faults.duplicationPercent = random.next(upTo: 6)
        faults.delayPercent = random.next(upTo: 8)
        faults.workerCrashes = random.next(upTo: 4)
        faults.workerDrains = random.next(upTo: 2)
        faults.brokerCrashes = random.next(upTo: 3)
        faults.cutLinks = random.next(upTo: 2)
        faults.submitterCrashes = random.next(upTo: 2)
        faults.fullDisks = random.next(upTo: 2)
        faults.brokenDisks = random.next(upTo: 2)
        faults.flippedBits = Swift.max(0, random.next(upTo: 6) - 4)
        faults.brokerPauses = random.next(upTo: 2)
        faults.workerPauses = random.next(upTo: 2)
        faults.clockJumps = random.next(upTo: 2)
        return Simulation(
            seed: seed, faults: faults, clients: 1, workers: 3, callsPerClient: 8, submitters: 2, jobsPerSubmitter: 2,
            trustsEveryToken: trustsEveryToken)
    }

    private struct SeedDraw {
        var state: UInt64
        mutating func next(upTo max: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max + 1))
        }
    }

    struct Sums: Sendable {
        var seeds = 0
        var steps = 0
        var tasks = 0
        var brokers = 0
        var hedges = 0
        var violations: [String] = []

        var summary: String {
            "\(seeds) seeds, \(steps) steps, \(tasks) tasks ended, \(brokers) brokers, \(hedges) hedged leases, "
                + "\(violations.count) violations"
        }
    }

    /// Runs the seeds on two threads.
    static func run(_ seeds: Range<UInt64>, progressEvery: Int = .max) async -> Sums {
        let tally = Tally(seeds, progressEvery: progressEvery)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    while let seed = tally.nextSeed() {
                        let simulation = Self.simulation(seed: seed)
                        simulation.run()
                        tally.note(simulation, seed)
                    }
                }
            }
        }
        return tally.sums
    }

    private final class Tally: Sendable {
        private let state: Mutex<(next: UInt64, sums: Sums)>
        private let end: UInt64
        private let progressEvery: Int

        init(_ seeds: Range<UInt64>, progressEvery: Int) {
            state = Mutex((seeds.lowerBound, Sums()))
            end = seeds.upperBound
            self.progressEvery = progressEvery
        }

        var sums: Sums { state.withLock { $0.sums } }

        func nextSeed() -> UInt64? {
            state.withLock { state in
                guard state.next < end else { return nil }
                state.next += 1
                return state.next - 1
            }
        }

        func note(_ simulation: Simulation, _ seed: UInt64) {
            let (steps, tasks) = (simulation.steps, simulation.disk.endsWritten)
            let hedges = simulation.hedgesBefore + (simulation.broker?.machine.counts.leasesHedged ?? 0)
            let (brokers, violation) = (Int(simulation.incarnations), simulation.violation)
            let line = state.withLock { state -> String? in
                state.sums.seeds += 1
                state.sums.steps += steps
                state.sums.tasks += tasks
                state.sums.brokers += brokers
                state.sums.hedges += hedges
                if let violation, state.sums.violations.count < 20 {
                    state.sums.violations.append("seed \(seed): \(violation); replay: make sim FROM=\(seed) SEEDS=1")
                }
                guard state.sums.seeds.isMultiple(of: progressEvery) || violation != nil else { return nil }
                return state.sums.summary + (violation.map { "; seed \(seed): \($0)" } ?? "")
            }
            guard let line else { return }
            print(line)
            fflush(nil)
        }
    }

    @Test(arguments: [17_810, 18_091, 18_373, 20_336, 23_460, 30_091, 43_965, 68_469] as [UInt64])
    func `seeds that once broke a promise keep it`(seed: UInt64) {
        let simulation = Self.simulation(seed: seed)
        simulation.run()
        #expect(simulation.violation == nil)
    }

    @Test func `under every fault no acknowledged task is lost, stored twice or taken from a stale worker`() async {
        let sums = await Self.run(1..<10_001)
        for violation in sums.violations { Issue.record("\(violation)") }
        #expect(sums.tasks > 100_000)
        #expect(sums.brokers > 20_000, "brokers were restarted")
        #expect(sums.hedges > 100, "stragglers were tried twice")
    }

    /// `make sim`: as many seeds as the environment says.
    @Test(.enabled(if: seedsWanted != nil, "SINEW_SIMULATION_SEEDS is not set; `make sim SEEDS=n` sets it"))
    func `as many seeds as wanted`() async throws {
        let seeds = try #require(Self.seedsWanted)
        let sums = await Self.run(seeds, progressEvery: Swift.max(1, seeds.count / 100))
        for violation in sums.violations { Issue.record("\(violation)") }
        print("from seed \(seeds.lowerBound): \(sums.summary)")
    }

    /// The first seed and how many.
    private static let seedsWanted: Range<UInt64>? = {
        guard let text = unsafe getenv("SINEW_SIMULATION_SEEDS") else { return nil }
        let numbers = unsafe String(cString: text).split(separator: " ").compactMap { UInt64($0) }
        guard numbers.count == 2 else { return nil }
        return numbers[0]..<numbers[0] + numbers[1]
    }()

    @Test func `a broker that takes any token of a slot is found out`() {
        var found = 0
        for seed in 1...200 as ClosedRange<UInt64> {
            let simulation = Self.simulation(seed: seed, trustsEveryToken: true)
            simulation.run()
            if let violation = simulation.violation {
                #expect(violation.contains("lease"), "seed \(seed): \(violation)")
                found += 1
            }
        }
        #expect(found >= 10, "in 200 seeds, \(found) found it")
    }

    @Test func `a seed with jobs and disks repeats exactly`() {
        let first = Self.simulation(seed: 77)
        let second = Self.simulation(seed: 77)
        first.run()
        second.run()
        #expect(first.trace == second.trace && first.steps == second.steps)
        #expect(first.steps > 200)
    }
}
