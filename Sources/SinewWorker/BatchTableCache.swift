internal import Glibc
internal import SinewArrayFiles

/// Keeps measured ``BatchTable``s in a folder, one small JSON file for each machine and model.
///
/// The cache only saves time at the start: a file that is missing, damaged, of another machine or of other weights is measured
/// again, and a folder that cannot be written is no error.
package struct BatchTableCache: Sendable {
    /// What a table depends on.
    package struct Key: Sendable, Equatable {
        /// The processor, as the operating system calls it.
        package var processor: String
        /// The instruction set of the kernels.
        package var instructionSet: String
        /// Compute threads of the worker.
        package var threads: Int
        /// Threads that solved each batch together.
        package var threadsPerBatch: Int
        /// The largest size that may be measured.
        package var sizeMax: Int
        /// The model's name and version.
        package var model: String
        /// The hash of the model's weights; empty for models without weights.
        package var weightsSHA256: String
        /// How the weights are held; empty for models without weights.
        package var precision: String
        /// The release of Sinew: other kernels take other times.
        package var release: String

        package init(
            processor: String, instructionSet: String, threads: Int, threadsPerBatch: Int, sizeMax: Int, model: String,
            weightsSHA256: String, precision: String, release: String
        ) {
            self.processor = processor
            self.instructionSet = instructionSet
            self.threads = threads
            self.threadsPerBatch = threadsPerBatch
            self.sizeMax = sizeMax
            self.model = model
            self.weightsSHA256 = weightsSHA256
            self.precision = precision
            self.release = release
        }

        fileprivate var json: JSONValue {
            .object([
                .init("processor", .string(processor)), .init("instruction_set", .string(instructionSet)),
                .init("threads", .integer(threads)), .init("threads_per_batch", .integer(threadsPerBatch)),
                .init("size_max", .integer(sizeMax)),
                .init("model", .string(model)), .init("weights_sha256", .string(weightsSHA256)),
                .init("precision", .string(precision)), .init("release", .string(release)),
            ])
        }
    }

    private static let format = "sinew-batch-table/2"
    private static let bytesMax = 1 << 16

    /// The folder, an absolute path; made when the first table is stored.
    package let folder: String

    package init(folder: String) { self.folder = folder }

    /// `$XDG_CACHE_HOME/sinew`, or `~/.cache/sinew`.
    ///
    /// - Parameter variable: the value of an environment variable. A relative `XDG_CACHE_HOME` counts as unset, as the XDG base
    ///   directory specification says.
    /// - Returns: nil when neither variable gives an absolute path.
    package static func userFolder(_ variable: (String) -> String?) -> String? {
        if let cache = variable("XDG_CACHE_HOME"), cache.hasPrefix("/") { return "\(cache)/sinew" }
        if let home = variable("HOME"), home.hasPrefix("/") { return "\(home)/.cache/sinew" }
        return nil
    }

    /// Where the table of a key lies.
    package func path(of key: Key) -> String {
        let digest = SHA256.hexDigest(of: Array(key.json.encoded().utf8))
        return "\(folder)/batch-\(digest.prefix(32)).json"
    }

    /// The stored table; nil when there is none, or what lies there is not this key's.
    package func table(of key: Key) -> BatchTable? {
        guard let bytes = try? AtomicFile.read(path(of: key), bytesMax: Self.bytesMax),
            let file = try? JSONValue.parse(bytes[...], name: "batch table"), file["format"]?.string == Self.format,
            file["key"] == key.json, let rows = file["entries"]?.array
        else { return nil }
        var entries: [BatchTable.Entry] = []
        for row in rows {
            guard let size = row["size"]?.int, size <= key.sizeMax, let seconds = row["seconds_per_item"]?.double else {
                return nil
            }
            entries.append(BatchTable.Entry(size: size, secondsPerItem: seconds))
        }
        return BatchTable(entries: entries)
    }

    /// Stores a table; the file appears complete or not at all.
    ///
    /// - Returns: whether it could be stored.
    @discardableResult
    package func store(_ table: BatchTable, for key: Key) -> Bool {
        makeFolder()
        let entries = table.entries.map { entry in
            JSONValue.object([
                .init("size", .integer(entry.size)), .init("seconds_per_item", .number(entry.secondsPerItem)),
            ])
        }
        let file = JSONValue.object([
            .init("format", .string(Self.format)), .init("key", key.json), .init("entries", .array(entries)),
            .init("chosen_size", .integer(table.chosenSize)),
        ])
        return (try? AtomicFile.write(Array((file.encoded() + "\n").utf8), to: path(of: key))) != nil
    }

    /// Makes the folder and those above it; what fails here fails again, visibly, when the file is written.
    private func makeFolder() {
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            _ = unsafe mkdir(path, 0o777)
        }
    }
}
