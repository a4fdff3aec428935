import CFaultyStorage
import SinewArrayFiles
import SinewBroker
import SinewWire
import Testing

/// What a client is told when the disk fails under a broker, and what is there afterwards. One plan of faults at a time.
@Suite(.timeLimit(.minutes(2)), .serialized) struct JobDiskTests {
    private let id = [UInt8](repeating: 3, count: 16)

    private func task(_ index: UInt64) -> TaskBlock {
        let payload = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 &+ Int(index)) }
        return TaskBlock(index: index, items: 1, sha256: SHA256.digest(of: payload), payload: payload)
    }

    private func append(_ index: UInt64) -> AppendTasksRequest { AppendTasksRequest(id: id, tasks: [task(index)]) }

    private func withBroker(_ body: (ClientPeer, StoreFolder) throws -> Void) async throws {
        #expect(faulty_storage_install() == 0)
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: [])
        let peer = try ClientPeer(fleet.broker)
        _ = try peer.ask(Jobs.Submit.self, SubmitJobRequest(id: id, method: PoseSolver.SolvePoses.name, model: "rest"))
        _ = try peer.ask(Jobs.Append.self, append(0))
        try body(peer, folder)
        await fleet.end()
    }

    @Test func `a full disk is said as such, takes nothing away, and is used again when there is room`() async throws {
        try await withBroker { peer, folder in
            unsafe faulty_storage_arm(folder.path, FAULTY_STORAGE_DISK_FULL, 1)
            for _ in 0..<3 {
                let refusal = try peer.refusal(Jobs.Append.self, append(1))
                #expect(refusal.code == UInt32(ServiceErrorCode.diskFull.rawValue))
                #expect(refusal.retryAfterMicroseconds ?? 0 > 0 && refusal.message.contains(folder.path))
            }
            #expect(faulty_storage_disarm() >= 3)
            #expect(try peer.ask(Jobs.Status.self, JobStatusRequest(id: id)).tasks == 1)
            #expect(try peer.ask(Jobs.Append.self, append(1)).nextIndex == 2)
        }
    }

    @Test func `a sync that fails is said as such, and the store is opened anew with all that was acknowledged`()
        async throws
    {
        try await withBroker { peer, folder in
            unsafe faulty_storage_arm(folder.path, FAULTY_STORAGE_SYNC_ERROR, 1)
            let refusal = try peer.refusal(Jobs.Append.self, append(1))
            #expect(refusal.code == UInt32(ServiceErrorCode.storeUnavailable.rawValue))
            #expect(faulty_storage_disarm() >= 1)
            // Asked until the store is open again.
            #expect(try peer.ask(Jobs.Append.self, append(1)).nextIndex == 2)
            #expect(try peer.ask(Jobs.Status.self, JobStatusRequest(id: id)).tasks == 2)
        }
    }

    @Test func `a store that may hold no more refuses tasks and keeps serving`() async throws {
        let folder = StoreFolder()
        let fleet = try JobFleet(folder.path, workerModels: []) { $0.store?.bytesMax = 300_000 }
        let peer = try ClientPeer(fleet.broker)
        _ = try peer.ask(Jobs.Submit.self, SubmitJobRequest(id: id, method: PoseSolver.SolvePoses.name, model: "rest"))
        var taken: UInt64 = 0
        while taken < 300 {
            do {
                _ = try peer.ask(Jobs.Append.self, append(taken))
            } catch {
                break
            }
            taken += 1
        }
        #expect(taken > 10 && taken < 150)
        let refusal = try peer.refusal(Jobs.Append.self, append(taken))
        #expect(refusal.code == UInt32(ServiceErrorCode.diskFull.rawValue))
        #expect(refusal.message.contains("--store-bytes-max"))
        #expect(try peer.ask(Jobs.Status.self, JobStatusRequest(id: id)).tasks == taken)
        await fleet.end()
    }
}
