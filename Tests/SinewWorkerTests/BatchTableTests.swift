import Foundation
import SinewModels
import SinewWorker
import Testing

@Suite struct BatchTableTests {
    private static func table(_ seconds: [Double]) -> BatchTable? {
        BatchTable(
            entries: seconds.enumerated().map { BatchTable.Entry(size: 1 << $0.offset, secondsPerItem: $0.element) })
    }

    private static let key = BatchTableCache.Key(
        processor: "Test CPU (2 cores)", instructionSet: "avx2", threads: 2, threadsPerBatch: 1, sizeMax: 64,
        model: "niki/1", weightsSHA256: "abc", precision: "float32", release: "1.2.3")

    @Test func `the smallest batch near the best time per person is chosen`() throws {
        #expect(Self.table([1000, 500, 300, 295, 400])?.chosenSize == 4)
        #expect(Self.table([1000, 500, 300, 200, 100])?.chosenSize == 16)
        #expect(Self.table([100, 100, 100])?.chosenSize == 1)
    }

    @Test func `threads work together from the size on that is faster so, and all larger ones`() throws {
        func splitItemsMin(_ alone: [Double], _ together: [Double]) throws -> Int? {
            BatchTable.splitItemsMin(
                alone: try #require(Self.table(alone)), together: try #require(Self.table(together)))
        }
        #expect(try splitItemsMin([10, 8, 6, 6], [6, 5, 4, 3]) == 1)
        #expect(try splitItemsMin([10, 8, 6, 6], [12, 9, 5, 3]) == 4)
        #expect(try splitItemsMin([10, 8, 6, 6], [5, 9, 5, 3]) == 4)
        #expect(try splitItemsMin([10, 8, 6, 6], [10, 8, 6, 6]) == nil)
        // A gain of less than five percent is none.
        #expect(try splitItemsMin([10, 8], [9.9, 7.9]) == nil)
        // Sizes that only one table has say nothing.
        #expect(try splitItemsMin([10, 8, 6, 6], [6, 5]) == 1)
        #expect(try splitItemsMin([10], [6, 20]) == 1)
    }

    @Test func `entries that make no table are refused`() {
        #expect(Self.table([]) == nil)
        #expect(Self.table([1, 0]) == nil)
        #expect(Self.table([1, .infinity]) == nil)
        #expect(Self.table([1, .nan]) == nil)
        #expect(
            BatchTable(entries: [.init(size: 2, secondsPerItem: 1), .init(size: 2, secondsPerItem: 1)]) == nil)
        #expect(BatchTable(entries: [.init(size: 0, secondsPerItem: 1)]) == nil)
    }

    @Test func `every size up to the limit is measured in three rounds and the best run counts`() throws {
        var sizes: [Int] = []
        let table = try #require(
            BatchTable.measure(sizeMax: 20, budget: 1000) { size in
                sizes.append(size)
                // The second round is the quietest: the warm-up and five sizes come before it.
                return Double(size) * ((7...11).contains(sizes.count) ? 0.001 : 0.002)
            })
        #expect(sizes == [1] + [1, 2, 4, 8, 16] + [1, 2, 4, 8, 16] + [1, 2, 4, 8, 16])
        #expect(table.entries.map(\.size) == [1, 2, 4, 8, 16])
        #expect(table.entries.allSatisfy { abs($0.secondsPerItem - 0.001) < 1e-12 })
    }

    @Test func `a batch that would break the budget is not started`() throws {
        for perItem in [0.0001, 0.001, 0.01, 0.1] {
            var spent = 0.0
            let table = try #require(
                BatchTable.measure(sizeMax: 1024, budget: 0.8) { size in
                    spent += Double(size) * perItem
                    return Double(size) * perItem
                })
            #expect(spent <= 0.8)
            #expect(table.entries.count >= 2)
        }
    }

    @Test func `a model slower than the budget still has its first size`() {
        let table = BatchTable.measure(sizeMax: 256, budget: 0.5) { Double($0) * 3 }
        #expect(table?.entries == [.init(size: 1, secondsPerItem: 3)])
    }

    @Test func `a measurement that is cut short gives no table`() {
        var runs = 0
        let table = BatchTable.measure(sizeMax: 256, budget: 10) { _ in
            runs += 1
            return runs < 5 ? 0.001 : nil
        }
        #expect(table == nil)
        #expect(runs == 5)
    }

    @Test func `people at rest are solved in the sizes asked for`() throws {
        let model = RecomputableModel()
        let timer = try #require(BatchTimer())
        let seconds = try #require(timer.seconds(of: model, size: 7, isCancelled: { false }))
        #expect(seconds > 0)
        #expect(model.batchSizes == [7])
        let team = try ComputeTeam(count: 2)
        #expect(try #require(timer.seconds(of: model, size: 7, on: team, isCancelled: { false })) > 0)
        #expect(model.batchSizes.dropFirst().sorted() == [3, 4])
    }

    @Test func `a stored table comes back for its own key alone`() throws {
        let folder = try TemporaryFolder()
        let cache = BatchTableCache(folder: folder.path + "/a/b")
        let table = try #require(Self.table([0.003, 0.0017, 1.0 / 3]))
        #expect(cache.table(of: Self.key) == nil)
        #expect(cache.store(table, for: Self.key))
        #expect(cache.table(of: Self.key) == table)
        let others: [(inout BatchTableCache.Key) -> Void] = [
            { $0.processor = "other" }, { $0.instructionSet = "avx512" }, { $0.threads = 1 },
            { $0.threadsPerBatch = 2 }, { $0.precision = "bfloat16" }, { $0.sizeMax = 32 },
            { $0.model = "niki/2" }, { $0.weightsSHA256 = "abd" }, { $0.release = "1.2.4" },
        ]
        for change in others {
            var key = Self.key
            change(&key)
            #expect(cache.table(of: key) == nil)
            // Even when the file of one key lies under the name of another.
            try? FileManager.default.removeItem(atPath: cache.path(of: key))
            try FileManager.default.copyItem(atPath: cache.path(of: Self.key), toPath: cache.path(of: key))
            #expect(cache.table(of: key) == nil)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a/b").count == 1 + others.count)
    }

    @Test func `a damaged file counts as none and is replaced`() throws {
        let folder = try TemporaryFolder()
        let cache = BatchTableCache(folder: folder.path)
        let table = try #require(Self.table([0.003, 0.002]))
        cache.store(table, for: Self.key)
        let path = cache.path(of: Self.key)
        let good = try String(contentsOfFile: path, encoding: .utf8)
        let damaged = [
            "", String(good.dropLast(8)), good + "x", good.replacing("0.002", with: "-0.002"),
            good.replacing("0.002", with: "\"fast\""), good.replacing("\"size\":2", with: "\"size\":1"),
            good.replacing("\"size\":2", with: "\"size\":65"), good.replacing("table/2", with: "table/3"),
            String(repeating: "[", count: 70_000),
        ]
        for text in damaged {
            #expect(text != good)
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            #expect(cache.table(of: Self.key) == nil, "\(text.prefix(80))")
            #expect(cache.store(table, for: Self.key))
            #expect(cache.table(of: Self.key) == table)
        }
    }

    @Test func `a folder that cannot be made is no error`() throws {
        let folder = try TemporaryFolder()
        try "a file".write(toFile: folder.path + "/taken", atomically: false, encoding: .utf8)
        let cache = BatchTableCache(folder: folder.path + "/taken/sinew")
        let table = try #require(Self.table([1]))
        #expect(!cache.store(table, for: Self.key))
        #expect(cache.table(of: Self.key) == nil)
    }

    @Test func `the folder follows the XDG rules`() {
        func folder(_ environment: [String: String]) -> String? { BatchTableCache.userFolder { environment[$0] } }
        #expect(folder(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/sinew")
        #expect(folder(["XDG_CACHE_HOME": "relative", "HOME": "/h"]) == "/h/.cache/sinew")
        #expect(folder(["XDG_CACHE_HOME": "", "HOME": "/h"]) == "/h/.cache/sinew")
        #expect(folder([:]) == nil)
    }

    @Test func `a processor is known by its name and its cores`() {
        let intel = "processor\t: 0\nmodel name\t: Xeon: E5\nprocessor\t: 1\nmodel name\t: Xeon: E5\n"
        #expect(Processor.description(cpuinfo: intel) == "Xeon: E5 (2 cores)")
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n"
        #expect(Processor.description(cpuinfo: arm) == "0x41 0x3 0xd0c (1 cores)")
        #expect(Processor.description(cpuinfo: "") == "unknown (0 cores)")
    }
}
