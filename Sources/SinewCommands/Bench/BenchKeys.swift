internal import Glibc
internal import SinewArrayFiles
internal import SinewBroker
internal import SinewZeroMQ

/// New keys for a broker, a worker and a client, and the list that admits them, for the time of one measurement.
struct BenchKeys {
    let security: BrokerSecurity
    let worker: CurveClientKeys
    let client: CurveClientKeys
    private let path: String

    init() throws {
        let broker = try CurveKeyPair.generate()
        worker = CurveClientKeys(own: try .generate(), server: broker.publicKey)
        client = CurveClientKeys(own: try .generate(), server: broker.publicKey)
        path = "/tmp/sinew-bench-\(getpid()).keys"
        let entries = [
            AuthorizedKeys.Entry(key: worker.own.publicKey, role: .worker),
            AuthorizedKeys.Entry(key: client.own.publicKey, role: .client),
        ]
        let text = entries.map { AuthorizedKeys.line($0) + "\n" }.joined()
        try AtomicFile.write(parts: [Array(text.utf8)], to: path, for: .owner)
        security = BrokerSecurity(keys: broker, authorizedKeysPath: path)
    }

    /// Removes the list.
    func remove() { _ = unsafe unlink(path) }
}
