internal import Logging
internal import SinewArrayFiles
internal import SinewCore
internal import SinewKernels
internal import SinewModels

/// Chooses the batch size of every model when a worker starts.
struct BatchSizing {
    /// Seconds that the measurement of all models may take together.
    private static let budget = 0.8

    let configuration: WorkerConfiguration
    let logger: Logger

    /// The models as the batching machine wants them, with the configured size or a measured one.
    func models(_ models: LoadedModels, isCancelled: () -> Bool) -> [BatchingStateMachine.Model] {
        let cache = configuration.batchTableFolder.map(BatchTableCache.init)
        let cached = models.all.map { cache?.table(of: key(of: $0.identity)) }
        let timer = configuration.batchItemsMax == nil && cached.contains { $0 == nil } ? BatchTimer() : nil
        let share = Self.budget / Double(max(1, cached.count { $0 == nil }))
        let sizeMax = configuration.limits.batchItemsMax
        return models.all.indices.map { index in
            let model = models.all[index]
            var table: BatchTable?
            if configuration.batchItemsMax == nil {
                table =
                    cached[index]
                    ?? timer.flatMap { timer in
                        BatchTable.measure(sizeMax: sizeMax, budget: share) { size in
                            timer.seconds(of: model, size: size, isCancelled: isCancelled)
                        }
                    }
            }
            if let table, let cache, cached[index] == nil { cache.store(table, for: key(of: model.identity)) }
            let size = configuration.batchItemsMax ?? table?.chosenSize ?? sizeMax
            logger.info(
                "batch size chosen",
                metadata: [
                    "model": "\(models.key(of: index))", "items": "\(size)",
                    "cached": "\(cached[index] != nil)",
                    "us-per-item": "\(table?.entries.map { "\($0.size): \(Int($0.secondsPerItem * 1e6))" } ?? [])",
                ])
            return BatchingStateMachine.Model(key: models.key(of: index), batchItemsMax: size)
        }
    }

    private func key(of identity: ModelIdentity) -> BatchTableCache.Key {
        BatchTableCache.Key(
            processor: Processor.name, instructionSet: ISA.selected.rawValue, threads: configuration.computeThreads,
            sizeMax: configuration.limits.batchItemsMax, model: identity.description,
            weightsSHA256: identity.weightsSHA256, release: configuration.version)
    }
}

/// This machine's processor.
package enum Processor {
    /// Its name and how many cores are online, for example `AMD EPYC (2 cores)`.
    package static let name: String = {
        let text = (try? AtomicFile.read("/proc/cpuinfo", bytesMax: 1 << 24)).map {
            String(decoding: $0, as: UTF8.self)
        }
        return description(cpuinfo: text ?? "")
    }()

    /// What `/proc/cpuinfo` says about the first core, and how many there are.
    ///
    /// - Note: 64-bit ARM has no model name but an implementer and a part number.
    package static func description(cpuinfo: String) -> String {
        var cores = 0
        var facts: [String] = []
        let keys = ["model name", "CPU implementer", "CPU variant", "CPU part"]
        for line in cpuinfo.split(separator: "\n") {
            let sides = line.split(separator: ":", maxSplits: 1).map { $0.trimming() }
            guard sides.count == 2 else { continue }
            if sides[0] == "processor" { cores += 1 }
            if cores <= 1, keys.contains(sides[0]) { facts.append(sides[1]) }
        }
        return "\(facts.isEmpty ? "unknown" : facts.joined(separator: " ")) (\(cores) cores)"
    }
}

extension Substring {
    /// Without spaces and tabs at both ends.
    fileprivate func trimming() -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let end = self.reversed().drop(while: isBlank)
        return String(String(end.reversed()).drop(while: isBlank))
    }
}
