internal import SinewBody
internal import SinewModels

/// What happens to a body while its effectors stay where they are.
enum ShapeChange: String, CaseIterable {
    case none
    /// Another standard normal shape.
    case beta
    /// The next of the three bodies.
    case gender
}

extension EvaluationRun {
    /// Solvers that take effectors.
    private var reachers: [(name: String, reach: EvaluationSolver.Reach)] {
        solvers.compactMap { solver in solver.reach.map { (solver.name, $0) } }
    }

    /// Poses of all three bodies from effectors, by both draws.
    func measureEffectors(
        _ poses: [Float], into result: inout EvaluationResult, _ finishPart: () -> Void
    ) async throws {
        for (index, draw) in EffectorDraw.allCases.enumerated() {
            let (people, effectors) = self.draw(plan.samples, from: poses, draw, stream: UInt64(301 + index))
            var found = EvaluationResult.Preset(name: draw.rawValue)
            for reacher in reachers {
                let answer = try await reacher.reach(effectors)
                var row = EvaluationResult.Row(
                    name: reacher.name, people.errors(ofTheta: answer.solutions.theta),
                    secondsPerPerson: seconds(answer.duration) / Double(people.count))
                row.missMm = mean(effectors.positionMisses(of: answer.solutions))
                found.models.append(row)
                finishPart()
            }
            result.effectors.append(found)
        }
    }

    /// Exact positional effectors before and after a change of the body.
    func measureShapes(
        _ poses: [Float], into result: inout EvaluationResult, _ finishPart: () -> Void
    ) async throws {
        for (index, draw) in EffectorDraw.allCases.enumerated() {
            let (people, effectors) = self.draw(plan.samples, from: poses, draw, stream: UInt64(301 + index))
            var random = SeededGenerator(seed: plan.seed &+ 401)
            let betas = (0..<people.count).flatMap { _ in EvaluationPeople.shape(using: &random) }
            for reacher in reachers {
                let before = try await reacher.reach(effectors).solutions
                for change in ShapeChange.allCases {
                    let after =
                        switch change {
                        case .none: before
                        case .beta:
                            try await reacher.reach(effectors.reshaped(betas: betas, genders: people.genders))
                                .solutions
                        case .gender:
                            try await reacher.reach(
                                effectors.reshaped(betas: people.betas, genders: people.genders.map(\.next))
                            ).solutions
                        }
                    let misses = effectors.positionMisses(of: after)
                    func percent(within most: Double) -> Double {
                        100 * Double(misses.count { $0 <= most }) / Double(max(misses.count, 1))
                    }
                    result.shapes.append(
                        .init(
                            name: reacher.name, effectors: draw.rawValue, change: change.rawValue,
                            people: people.count, missMm: mean(misses), within2MmPercent: percent(within: 2),
                            within15MmPercent: percent(within: 15),
                            movedMm: mean(effectors.positionMoves(from: before, to: after))))
                    finishPart()
                }
            }
        }
    }

    /// Whole poses from few effectors.
    func measureRecovery(
        _ poses: [Float], into result: inout EvaluationResult, _ finishPart: () -> Void
    ) async throws {
        var random = SeededGenerator(seed: plan.seed)
        let people = EvaluationPeople(
            count: plan.recoverySamples, poses: poses, bodies: bodies, drawsGender: true, using: &random)
        let options = EffectorRecovery.Options()
        for solver in solvers {
            guard let recover = solver.recover else { continue }
            var errors = [Double](repeating: 0, count: options.countMax)
            var (effectors, near) = (0, 0)
            let begin = ContinuousClock.now
            for person in 0..<people.count {
                try Task.checkCancellation()
                let found = try await recover(people, person, options)
                for index in errors.indices {
                    errors[index] += Double(found.errorsMillimetres[min(index, found.errorsMillimetres.count - 1)])
                }
                effectors += found.effectors.count
                if let last = found.errorsMillimetres.last, last <= 40 { near += 1 }
                finishPart()
            }
            let count = Double(people.count)
            result.recoveries.append(
                .init(
                    name: solver.name, people: people.count, errorsMm: errors.map { $0 / count },
                    effectors: Double(effectors) / count, within40MmPercent: 100 * Double(near) / count,
                    millisecondsPerPerson: 1000 * seconds(ContinuousClock.now - begin) / count))
        }
    }

    private func draw(
        _ count: Int, from poses: [Float], _ draw: EffectorDraw, stream: UInt64
    ) -> (EvaluationPeople, EffectorObservations) {
        var people = SeededGenerator(seed: plan.seed)
        var choice = SeededGenerator(seed: plan.seed &+ stream)
        let truth = EvaluationPeople(
            count: count, poses: poses, bodies: bodies, drawsGender: true, using: &people)
        return (truth, draw.effectors(of: truth, using: &choice))
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
}

extension Gender {
    /// The bodies in a circle.
    fileprivate var next: Gender {
        switch self {
        case .neutral: .female
        case .female: .male
        case .male: .neutral
        }
    }
}
