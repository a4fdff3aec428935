internal import ArgumentParser
internal import Glibc
internal import SinewBroker

/// Where a broker keeps durable jobs, and how much of them.
struct StoreOptions: ParsableArguments {
    @Option(name: .long, help: "The folder that keeps durable jobs; made if it is not there, one broker at a time.")
    var store: String?

    @Option(
        name: .long,
        help: "What the folder may hold before new jobs are refused, for example 800M, 200G or 1T (default: 512G).")
    var storeBytesMax: ByteCountOption?

    func validate() throws {
        if store == "" { throw ValidationError("--store needs the path of a folder") }
    }

    /// What a broker is told; nil: it keeps no jobs.
    var configuration: JobStoreConfiguration? {
        guard let store else { return nil }
        guard let storeBytesMax else { return JobStoreConfiguration(folder: store) }
        return JobStoreConfiguration(folder: store, bytesMax: storeBytesMax.bytes)
    }

    /// The same as arguments of `sinew broker`, with a folder for those who named none.
    func arguments(defaultFolder: String?) -> [String] {
        guard let folder = store ?? defaultFolder else { return [] }
        return ["--store", folder] + (storeBytesMax.map { ["--store-bytes-max", "\($0.bytes)"] } ?? [])
    }

    /// `$XDG_STATE_HOME/sinew`, by default `~/.local/state/sinew`: where a user's programs keep what must survive them. Nil when
    /// the environment names neither.
    static var userFolder: String? {
        func variable(_ name: String) -> String? {
            guard let value = unsafe getenv(name) else { return nil }
            let text = unsafe String(cString: value)
            return text.hasPrefix("/") ? text : nil
        }
        if let state = variable("XDG_STATE_HOME") { return state + "/sinew" }
        return variable("HOME").map { $0 + "/.local/state/sinew" }
    }
}

/// A count of bytes: a number, or one with K, M, G or T behind it (powers of 1 024).
struct ByteCountOption: ExpressibleByArgument, Equatable {
    let bytes: Int

    init?(argument: String) {
        let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
        let shift = argument.last.flatMap { units[Character($0.uppercased())] }
        guard let number = Int(shift == nil ? argument[...] : argument.dropLast()), number > 0 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}
