internal import SinewClient
internal import SinewModels

/// What has to be known of a model before a job's rows can be cut into tasks.
struct ModelTraits: Equatable {
    /// Whether its frames depend on each other.
    var isSequential: Bool
    /// Whether a worker has it now.
    var isReady: Bool

    /// Asks the broker, and what ships with sinew when no worker has the model now; nil when neither knows it.
    init?(of model: String, ready: [ModelAvailability]) {
        func isMeant(_ name: String, _ version: String) -> Bool { name == model || "\(name)/\(version)" == model }
        let architectures = ready.filter { isMeant($0.model.name, $0.model.version) }.map(\.model.architecture)
        if !architectures.isEmpty {
            isReady = true
            isSequential = architectures.contains(where: ModelDescription.Architecture.isSequential(named:))
            return
        }
        // A repository that cannot be read knows nothing; the broker's answer stands.
        let known = (try? ModelRepository(path: nil).list()) ?? []
        guard let found = known.first(where: { isMeant($0.name, $0.version) }) else { return nil }
        isReady = false
        isSequential = ModelDescription.Architecture.isSequential(named: found.architecture.name)
    }
}
