extension Client {
    /// The broker's counters and its workers.
    ///
    /// - Throws: ``ClientError``; `UNAVAILABLE` when no broker answers.
    public func fleetStatus(deadline: Duration? = nil) async throws(ClientError) -> FleetStatusReply {
        try await call(Fleet.Status.self, FleetStatusRequest(), deadline: deadline)
    }

    /// The models that at least one worker has ready.
    ///
    /// - Throws: ``ClientError``; `UNAVAILABLE` when no broker answers.
    public func listModels(deadline: Duration? = nil) async throws(ClientError) -> [ModelAvailability] {
        try await call(Fleet.ListModels.self, ListModelsRequest(), deadline: deadline).models
    }

    /// Lets the workers of a name finish what they compute, give back what they have not begun, and leave.
    ///
    /// - Returns: how many have that name; they may still be computing when this returns.
    /// - Throws: ``ClientError``; code `unknownWorker` when nobody has it.
    @discardableResult
    public func drainWorker(named name: String, deadline: Duration? = nil) async throws(ClientError) -> Int {
        Int(try await call(Fleet.DrainWorker.self, DrainWorkerRequest(name: name), deadline: deadline).workers)
    }

    /// Whether a service can be called now.
    ///
    /// - Parameter service: `sinew.v1.PoseSolver`, or empty for the broker itself.
    /// - Throws: ``ClientError``; `UNAVAILABLE` when no broker answers.
    public func healthCheck(service: String = "", deadline: Duration? = nil) async throws(ClientError) -> ServingStatus
    {
        try await call(Health.Check.self, HealthCheckRequest(service: service), deadline: deadline).status
    }
}
