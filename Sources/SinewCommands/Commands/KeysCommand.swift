internal import ArgumentParser
internal import SinewBroker
internal import SinewZeroMQ

/// `sinew keys`: who may talk to whom.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make keys, and say which keys a broker admits.",
        discussion: """
            Every broker, worker and client outside one machine has a key of its own. A broker admits the keys of its list, each in one \
            role: client (calls), operator (calls, and says what workers do) or worker (solves). It reads the list again when it changes: \
            a revoked key is refused from then on, also in connections that stand.
            """,
        subcommands: [Generate.self, Show.self, Authorize.self, Revoke.self, List.self])

    /// `sinew keys generate`.
    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate", abstract: "Make a key: FILE for its owner alone, FILE.pub to hand out.")

        @Argument(help: "Where to write the key, for example broker.key.")
        var file: String

        @Flag(name: .long, help: "Replace a key that is there; whoever knows it will not know the new one.")
        var force = false

        @OptionGroup var output: OutputOptions

        func run() async throws {
            let key = try KeyFile.generate(at: file, replacing: force)
            if output.json {
                return try JSONOutput.print(
                    GeneratedKey(publicKey: key.z85, keyFile: file, publicKeyFile: KeyFile.publicPath(file)))
            }
            StandardStreams.data(key.z85)
            StandardStreams.talk("\(file) is yours alone; hand out \(KeyFile.publicPath(file))")
        }
    }

    /// `sinew keys show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print the public half of a key.")

        @Argument(help: "A file of sinew keys generate, either of the two.")
        var file: String

        @OptionGroup var output: OutputOptions

        func run() async throws {
            let key = try KeyFile.publicKey(file, option: "FILE")
            if output.json { return try JSONOutput.print(["public_key": key.z85]) }
            StandardStreams.data(key.z85)
        }
    }

    /// `sinew keys authorize`.
    struct Authorize: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "authorize", abstract: "Admit a key, or change what it is good for.",
            discussion: "A broker that runs with this list admits the key within a second.")

        @Argument(help: "A public key, or a file with it.")
        var key: String

        @Option(name: .long, help: "client, worker or operator.")
        var role: RoleOption = .client

        @Option(name: .long, help: "On whose account its calls go (default: the default tenant).")
        var tenant = ""

        @Option(name: .long, help: "Whose key it is, for people.")
        var name = ""

        @OptionGroup var list: AuthorizedKeysOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let path = try list.path()
            let entry = AuthorizedKeys.Entry(
                key: try KeyFile.publicKey(key, option: "KEY"), role: role.role, tenant: tenant, name: name)
            let before = try AuthorizedKeysEditing.authorize(entry, in: path)
            if output.json { return try JSONOutput.print(AuthorizedKey(entry)) }
            StandardStreams.talk("\(path): \(before == nil ? "admits" : "has changed") \(AuthorizedKeys.line(entry))")
        }
    }

    /// `sinew keys revoke`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Admit a key no longer.",
            discussion:
                "A broker that runs with this list refuses the key within a second, also in connections that stand.")

        @Argument(help: "A public key, or a file with it.")
        var key: String

        @OptionGroup var list: AuthorizedKeysOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let path = try list.path()
            let key = try KeyFile.publicKey(key, option: "KEY")
            guard let entry = try AuthorizedKeysEditing.revoke(key, in: path) else {
                throw CommandFailure(
                    .usage,
                    "\(path) does not admit \(key); it admits what sinew keys list --authorized-keys '\(path)' prints")
            }
            if output.json { return try JSONOutput.print(AuthorizedKey(entry)) }
            StandardStreams.talk("\(path): admits no longer \(AuthorizedKeys.line(entry))")
        }
    }

    /// `sinew keys list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Print the keys that a list admits.")

        @OptionGroup var list: AuthorizedKeysOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let entries = try AuthorizedKeysEditing.read(try list.path()).entries
            if output.json { return try JSONOutput.print(entries.map { AuthorizedKey($0) }) }
            var table = TextTable(["key", "role", "tenant", "name"])
            for entry in entries { table.add([entry.key.z85, entry.role.rawValue, entry.tenant, entry.name]) }
            for line in table.lines(style: .data) { StandardStreams.data(line) }
        }
    }
}

/// Which list of keys a command is about.
struct AuthorizedKeysOption: ParsableArguments {
    @Option(name: .long, help: "The file of the keys that a broker admits (or SINEW_AUTHORIZED_KEYS).")
    var authorizedKeys: String?

    func path() throws -> String {
        guard let path = authorizedKeys ?? environmentValue("SINEW_AUTHORIZED_KEYS") else {
            throw CommandFailure(
                .usage, "no list of keys: add --authorized-keys FILE, or set SINEW_AUTHORIZED_KEYS")
        }
        return path
    }
}

/// ``AuthorizedKeys/Role`` as an option's value.
enum RoleOption: String, CaseIterable, ExpressibleByArgument {
    case client, worker, `operator`

    var role: AuthorizedKeys.Role {
        switch self {
        case .client: .client
        case .worker: .worker
        case .operator: .operator
        }
    }
}

/// What `sinew keys generate` has made.
struct GeneratedKey: Encodable {
    let publicKey, keyFile, publicKeyFile: String
}

/// A key of a list, as it is printed.
struct AuthorizedKey: Encodable {
    let key, role, tenant, name: String

    init(_ entry: AuthorizedKeys.Entry) {
        key = entry.key.z85
        role = entry.role.rawValue
        tenant = entry.tenant
        name = entry.name
    }
}
