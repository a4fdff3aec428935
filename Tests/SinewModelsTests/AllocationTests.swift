import CAllocationCounter
import SinewKernels
import SinewModels
import Synchronization
import Testing

/// What a forward pass allocates once it has run before. Each test is a process of its own, because every thread's allocations count.
@Suite(.enabled(if: sinew_can_count_allocations())) struct AllocationTests {
    /// The allocations of `body`.
    private static func count(_ body: () throws -> Void) rethrows -> Int {
        sinew_count_allocations()
        defer { _ = sinew_counted_allocations() }
        try body()
        return sinew_counted_allocations()
    }

    @Test func `an allocation is counted, on this thread and on a helper`() async {
        await #expect(processExitsWith: .success) {
            final class Keeps: TeamWork {
                let kept = Mutex<[SharedBuffer]>([])
                // An object and its memory; being kept, neither can be left out by the optimiser.
                func keep() { kept.withLock { $0.append(SharedBuffer(count: 100)) } }
                func help(_ member: TeamMember) { keep() }
            }
            let team = try ThreadTeam(count: 2)
            let work = Keeps()
            work.kept.withLock { $0.reserveCapacity(10) }
            team.run(work) { _ in }
            let counts = [
                AllocationTests.count {}, AllocationTests.count { work.keep() },
                AllocationTests.count { team.run(work) { _ in } },
                AllocationTests.count { team.run(work) { _ in work.keep() } },
            ]
            precondition(counts == [0, 2, 2, 4], "\(counts)")
            precondition(work.kept.withLock { $0.count } == 5)
        }
    }

    @Test func `a forward pass of NIKI allocates nothing, on any team`() async {
        await #expect(processExitsWith: .success) {
            for name in ["niki_ts_none", "niki_ts_heading", "niki_one_stage_heading"] {
                let network = try Golden(name).network()
                for threads in [1, 2, 3] {
                    let team = try ThreadTeam(count: threads)
                    for count in [1, 16, 200, 700] {
                        let input = [Float](repeating: 0.1, count: count * 116)
                        let phi = [Float](repeating: 0.1, count: count * 46)
                        let betas = [Float](repeating: 0.1, count: count * 10)
                        var found = try network.inverse(
                            count: count, input: input, phi: phi, betas: betas, on: team, isCancelled: { false })
                        let counted = try AllocationTests.count {
                            for _ in 0..<3 {
                                try network.inverse(
                                    count: count, input: input, phi: phi, betas: betas, into: &found, on: team,
                                    isCancelled: { false })
                            }
                        }
                        precondition(counted == 0, "\(name), \(threads) threads, \(count) people: \(counted)")
                    }
                }
            }
        }
    }

    @Test func `a forward pass of the MLP allocates nothing, on any team`() async {
        await #expect(processExitsWith: .success) {
            let network = try MLPIKNetwork(ModelFiles(folder: Golden("mlp_ik_heading").modelFolder))
            for threads in [1, 2, 3] {
                let team = try ThreadTeam(count: threads)
                for count in [1, 16, 200, 700] {
                    let input = [Float](repeating: 0.1, count: count * 116)
                    let phi = [Float](repeating: 0.1, count: count * 46)
                    var found = try network.solve(
                        count: count, input: input, phi: phi, on: team, isCancelled: { false })
                    let counted = try AllocationTests.count {
                        for _ in 0..<3 {
                            try network.solve(
                                count: count, input: input, phi: phi, into: &found, on: team, isCancelled: { false })
                        }
                    }
                    precondition(counted == 0, "\(threads) threads, \(count) people: \(counted)")
                }
            }
        }
    }
}
