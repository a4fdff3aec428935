import Glibc
import SinewBroker
import SinewZeroMQ

/// A broker's key, one key for each role, and the list that admits them in a folder of its own.
final class Keyring: Sendable {
    let broker: CurveKeyPair
    let client: CurveKeyPair
    let other: CurveKeyPair
    let worker: CurveKeyPair
    let boss: CurveKeyPair
    /// A key that nobody admits.
    let stranger: CurveKeyPair
    let path: String
    private let folder: String

    init() throws {
        broker = try .generate()
        client = try .generate()
        other = try .generate()
        worker = try .generate()
        boss = try .generate()
        stranger = try .generate()
        var template = Array("/tmp/sinew-keys-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Trouble("cannot make a temporary folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = folder + "/authorized"
        try admit(entries)
    }

    deinit { removeAll(folder) }

    /// The client's calls go on the account of `lab`.
    var entries: [AuthorizedKeys.Entry] {
        [
            .init(key: client.publicKey, role: .client, tenant: "lab", name: "the client"),
            .init(key: other.publicKey, role: .client, tenant: "studio"),
            .init(key: worker.publicKey, role: .worker, name: "the worker"),
            .init(key: boss.publicKey, role: .operator),
        ]
    }

    /// Writes the list.
    func admit(_ entries: [AuthorizedKeys.Entry]) throws {
        try write(entries.map { AuthorizedKeys.line($0) + "\n" }.joined(), to: path)
    }

    /// Writes the list without some keys.
    func revoke(_ pair: CurveKeyPair) throws { try admit(entries.filter { $0.key != pair.publicKey }) }

    /// What a peer connects with.
    func keys(_ own: CurveKeyPair) -> CurveClientKeys { CurveClientKeys(own: own, server: broker.publicKey) }

    /// A broker that admits the keys of this list.
    func start(_ log: RecordedLog) throws -> BrokerServer {
        var configuration = BrokerConfiguration()
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.security = BrokerSecurity(keys: broker, authorizedKeysPath: path)
        return try BrokerServer(configuration, logger: log.logger)
    }
}
