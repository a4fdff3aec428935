internal import Synchronization

/// Workspaces that wait for the next call; as many are made as calls ever ran at the same time.
internal final class Pool<Workspace: AnyObject & Sendable>: Sendable {
    private let idle = Mutex<[Workspace]>([])
    private let make: @Sendable () -> Workspace

    init(_ make: @escaping @Sendable () -> Workspace) { self.make = make }

    /// Lends a workspace to `body` and to nobody else until it returns.
    func lend<Result, Failure: Error>(_ body: (Workspace) throws(Failure) -> Result) throws(Failure) -> Result {
        let workspace = idle.withLock { $0.popLast() } ?? make()
        defer { idle.withLock { $0.append(workspace) } }
        return try body(workspace)
    }
}
