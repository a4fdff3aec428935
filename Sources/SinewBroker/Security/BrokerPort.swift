/// The two doors of a broker; each admits its own roles.
enum BrokerPort: String, Sendable, CaseIterable {
    case clients
    case workers

    /// Why a role may not use this door; nil when it may.
    func objection(to role: AuthorizedKeys.Role) -> String? {
        switch (self, role) {
        case (.clients, .client), (.clients, .operator), (.workers, .worker): nil
        case (.clients, .worker): "it is a worker's key, and this is the port for clients"
        case (.workers, .client), (.workers, .operator):
            "it is \(role == .client ? "a client's" : "an operator's") key, and this is the port for workers"
        }
    }
}
