internal import SinewKernels
internal import Synchronization

extension PoseModel {
    /// Deals the people out to the members of the team, each of which solves its own; see ``PoseModel/solve(_:on:isCancelled:)``.
    public func solve(
        _ observations: PoseObservations, on team: ComputeTeam, isCancelled: () -> Bool
    ) throws(ModelError) -> PoseSolutions {
        // The frames of a track need each other.
        let isOneByOne = !isSequential || observations.tracks.isEmpty
        guard team.count > 1, observations.count > 1, isOneByOne else {
            return try solve(observations, isCancelled: isCancelled)
        }
        let work = DealtPeople(self, observations, members: team.count)
        team.threads.run(work) { member in work.solve(member, isCancelled: isCancelled) }
        return try work.solutions()
    }
}

/// A batch of which every member of a team solves some people.
private final class DealtPeople: TeamWork {
    private let model: any PoseModel
    private let observations: PoseObservations
    private let outcomes: [Outcome]
    private let isStopped = Atomic(false)

    private final class Outcome: Sendable {
        let value = Mutex<Result<PoseSolutions, ModelError>?>(nil)
    }

    init(_ model: any PoseModel, _ observations: PoseObservations, members: Int) {
        self.model = model
        self.observations = observations
        outcomes = (0..<members).map { _ in Outcome() }
    }

    func help(_ member: TeamMember) { solve(member, isCancelled: { false }) }

    /// The member's people; the lead's `isCancelled` stops everybody's.
    func solve(_ member: TeamMember, isCancelled: () -> Bool) {
        let range = member.share(of: observations.count)
        guard !range.isEmpty else { return }
        let outcome: Result<PoseSolutions, ModelError>
        do throws(ModelError) {
            outcome = .success(
                try model.solve(observations.rows(range)) {
                    if isCancelled() { isStopped.store(true, ordering: .relaxed) }
                    return isStopped.load(ordering: .relaxed)
                })
        } catch {
            outcome = .failure(error.counting(from: range.lowerBound))
        }
        outcomes[member.index].value.withLock { $0 = outcome }
    }

    /// Everybody's, in order; the failure of the first person that has one.
    func solutions() throws(ModelError) -> PoseSolutions {
        var all = PoseSolutions(count: 0)
        for outcome in outcomes {
            guard let value = outcome.value.withLock({ $0 }) else { continue }
            all.append(try value.get())
        }
        return all
    }
}

extension ModelError {
    /// The same failure in a batch in which `start` people come before.
    fileprivate func counting(from start: Int) -> ModelError {
        guard let person else { return self }
        let prefix = "person \(person): "
        let rest = message.hasPrefix(prefix) ? "person \(person + start): \(message.dropFirst(prefix.count))" : message
        return ModelError(reason, rest, person: person + start)
    }
}

extension PoseObservations {
    /// Some of the people, as a batch of their own.
    package func rows(_ range: Range<Int>) -> PoseObservations {
        func part<Element>(_ values: [Element], _ width: Int) -> [Element] {
            Array(values[range.lowerBound * width..<range.upperBound * width])
        }
        return PoseObservations(
            count: range.count, joints: part(joints, 87), sigma: part(sigma, 29), observed: part(observed, 1),
            twists: part(twists, 23), hasTwists: part(hasTwists, 1), betas: part(betas, 10), genders: part(genders, 1),
            startTheta: hasStart.isEmpty ? [] : part(startTheta, 72),
            hasStart: hasStart.isEmpty ? [] : part(hasStart, 1), tracks: tracks.isEmpty ? [] : part(tracks, 1))
    }
}
