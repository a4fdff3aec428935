internal import ArgumentParser
internal import SinewBroker
internal import SinewZeroMQ

/// What an option says, or else the environment; an empty value means none, whatever the environment says.
private func value(_ option: String?, _ variable: String) -> String? {
    let value = option ?? environmentValue(variable) ?? ""
    return value.isEmpty ? nil : value
}

/// What a client or a worker proves itself with, and whose it is.
struct ConnectionKeyOptions: ParsableArguments {
    @Option(name: .long, help: "The file of your key, of sinew keys generate (or SINEW_KEY).")
    var key: String?

    @Option(name: .long, help: "The broker's public key, or a file with it (or SINEW_BROKER_KEY).")
    var brokerKey: String?

    /// The keys; nil when there are none.
    func keys() throws -> CurveClientKeys? {
        let own = value(key, "SINEW_KEY")
        let broker = value(brokerKey, "SINEW_BROKER_KEY")
        switch (own, broker) {
        case (nil, nil): return nil
        case (let own?, let broker?):
            return CurveClientKeys(
                own: try KeyFile.pair(at: own, option: "--key"),
                server: try KeyFile.publicKey(broker, option: "--broker-key"))
        case (_?, nil):
            throw CommandFailure(
                .usage,
                "--key (SINEW_KEY) without --broker-key (SINEW_BROKER_KEY): whoever listens there could pretend to be the "
                    + "broker; give its public key")
        case (nil, _?):
            throw CommandFailure(
                .usage,
                "--broker-key (SINEW_BROKER_KEY) without --key (SINEW_KEY): the broker wants to know who you are; make a key "
                    + "with sinew keys generate")
        }
    }
}

/// What a broker proves itself with, and whom it admits.
struct BrokerKeyOptions: ParsableArguments {
    @Option(name: .long, help: "The file of the broker's key, of sinew keys generate (or SINEW_KEY).")
    var key: String?

    @Option(name: .long, help: "The file of the keys to admit, of sinew keys authorize (or SINEW_AUTHORIZED_KEYS).")
    var authorizedKeys: String?

    /// The two paths; nil when no keys are in use.
    func paths() throws -> (key: String, authorizedKeys: String)? {
        // A key in the environment alone may be meant for clients.
        guard let list = value(authorizedKeys, "SINEW_AUTHORIZED_KEYS") else {
            guard (key ?? "").isEmpty else {
                throw CommandFailure(
                    .usage,
                    "--key without --authorized-keys: nobody could connect; make a list with sinew keys authorize")
            }
            return nil
        }
        guard let key = value(key, "SINEW_KEY") else {
            throw CommandFailure(
                .usage,
                "--authorized-keys without --key: the broker needs a key of its own; make one with sinew keys generate")
        }
        return (key, list)
    }

    /// What the broker is to use; nil when no keys are in use.
    func security() throws -> BrokerSecurity? {
        guard let paths = try paths() else { return nil }
        return BrokerSecurity(
            keys: try KeyFile.pair(at: paths.key, option: "--key"), authorizedKeysPath: paths.authorizedKeys)
    }
}
