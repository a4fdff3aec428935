import Foundation
import SinewModels
import SinewWire
import SinewWorker
import Testing

@Suite struct WorkerThreadsTests {
    /// Writes the times of the stored tables anew, so that all threads together are much faster, or much slower, than one.
    private static func rewriteTables(in folder: String, together seconds: Double) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == 2)
        for name in names {
            let path = "\(folder)/\(name)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let own = text.contains("\"threads_per_batch\":2") ? seconds : 1
            let changed = text.replacing(/"seconds_per_item":[-+.0-9e]+/, with: "\"seconds_per_item\":\(own)")
            try changed.write(toFile: path, atomically: false, encoding: .utf8)
        }
    }

    @Test(arguments: [(0.25, [3, 3]), (4.0, [6])])
    func `a batch that is alone is solved by all threads exactly where the tables say so`(
        together: Double, parts: [Int]
    ) throws {
        let folder = try TemporaryFolder()
        for isMeasured in [false, true] {
            var broker = try ScriptedBroker()
            let model = RecomputableModel()
            let worker = try startWorker(
                broker.endpoint, models: [model], computeThreads: 2, batchItemsMax: nil, batchTableFolder: folder.path)
            _ = try broker.welcome()
            if isMeasured {
                let request = people(6, seed: 51)
                let reply = try broker.result(of: try broker.give(request)).reply
                #expect(reply.theta.floats == (try request.solvedAlone.theta))
                #expect(reply.batchSize == 6)
                #expect(model.batchSizes == parts)
            }
            worker.stop()
            _ = try broker.expect(.goodbye)
            if !isMeasured { try Self.rewriteTables(in: folder.path, together: together) }
        }
    }
}
