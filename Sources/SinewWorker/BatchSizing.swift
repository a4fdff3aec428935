internal import Logging
internal import SinewArrayFiles
internal import SinewCore
internal import SinewKernels
internal import SinewModels

/// What was measured of a model, on one thread and on all; nil where nothing was.
package struct MeasuredModel: Sendable {
    package let alone: BatchTable?
    package let together: BatchTable?

    package init(alone: BatchTable?, together: BatchTable?) {
        self.alone = alone
        self.together = together
    }

    /// How long compute threads should be at work on a batch, summed over them; nil when that was not measured.
    func expectedWork(items: Int, threads: Int) -> Duration? {
        (threads > 1 ? together : alone).map { .seconds($0.seconds(of: items) * Double(threads)) }
    }
}

/// Chooses the batch size of every model when a worker starts, and which batches all compute threads should solve together.
struct BatchSizing {
    /// Seconds that the measurement of all models may take together.
    private static let budget = 0.8

    let configuration: WorkerConfiguration
    let team: ComputeTeam
    let logger: Logger

    /// A model on one thread, or on all.
    private struct Subject {
        let model: Int
        let team: ComputeTeam
        let key: BatchTableCache.Key
    }

    /// The models as the batching machine wants them, with the configured size or a measured one, and what was measured.
    func models(
        _ models: LoadedModels, isCancelled: () -> Bool
    ) -> [(model: BatchingStateMachine.Model, measured: MeasuredModel)] {
        let subjects = models.all.indices.flatMap { index in
            (team.count > 1 ? [.alone, team] : [.alone]).map { (team: ComputeTeam) in
                Subject(model: index, team: team, key: key(of: models.all[index].identity, on: team))
            }
        }
        let tables = configuration.batchItemsMax == nil ? tables(of: subjects, models, isCancelled: isCancelled) : []
        return models.all.indices.map { index in
            let own = zip(subjects, tables).filter { $0.0.model == index }
            let alone = own.first { $0.0.team.count == 1 }.flatMap(\.1)
            let together = own.first { $0.0.team.count > 1 }.flatMap(\.1)
            let size = configuration.batchItemsMax ?? alone?.chosenSize ?? configuration.limits.batchItemsMax
            var splitItemsMin: Int?
            if let alone, let together {
                splitItemsMin = BatchTable.splitItemsMin(alone: alone, together: together)
            }
            logger.info(
                "batch size chosen",
                metadata: [
                    "model": "\(models.key(of: index))", "items": "\(size)",
                    "all-threads-from-items": "\(splitItemsMin.map { "\($0)" } ?? "never")",
                    "us-per-item": "\(microseconds(alone))", "us-per-item-all-threads": "\(microseconds(together))",
                ])
            let model = BatchingStateMachine.Model(
                key: models.key(of: index), batchItemsMax: size, splitItemsMin: splitItemsMin)
            return (model, MeasuredModel(alone: alone, together: together))
        }
    }

    private func microseconds(_ table: BatchTable?) -> [String] {
        table?.entries.map { "\($0.size): \(Int($0.secondsPerItem * 1e6))" } ?? []
    }

    /// The kept tables, and for the others measured ones.
    private func tables(
        of subjects: [Subject], _ models: LoadedModels, isCancelled: () -> Bool
    ) -> [BatchTable?] {
        let cache = configuration.batchTableFolder.map(BatchTableCache.init)
        let cached = subjects.map { cache?.table(of: $0.key) }
        let missing = cached.count { $0 == nil }
        guard missing > 0, let timer = BatchTimer() else { return cached }
        return zip(subjects, cached).map { subject, cached in
            if let cached { return cached }
            let table = BatchTable.measure(
                sizeMax: configuration.limits.batchItemsMax, budget: Self.budget / Double(missing)
            ) { size in
                timer.seconds(of: models.all[subject.model], size: size, on: subject.team, isCancelled: isCancelled)
            }
            if let table { cache?.store(table, for: subject.key) }
            return table
        }
    }

    private func key(of identity: ModelIdentity, on team: ComputeTeam) -> BatchTableCache.Key {
        BatchTableCache.Key(
            processor: Processor.name, instructionSet: ISA.selected.rawValue, threads: configuration.computeThreads,
            threadsPerBatch: team.count, sizeMax: configuration.limits.batchItemsMax, model: identity.description,
            weightsSHA256: identity.weightsSHA256, precision: identity.precision, release: configuration.version)
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
