internal import SinewModels

/// Runs every solver on the same people.
struct EvaluationRun {
    /// What solvers are measured on.
    enum Benchmark: String, CaseIterable {
        /// People who stand, corrupted by the presets.
        case poses
        /// Stretches of the clips, frame after frame, corrupted by the presets.
        case clips
        /// Effectors instead of joints.
        case effectors
        /// Effectors that stay while the body changes.
        case shapes
        /// The few effectors from which a model finds a whole pose again.
        case recovery
    }

    /// What is measured, and how thoroughly.
    struct Plan {
        var benchmarks: [Benchmark] = [.poses]
        var presets = NoisePreset.allCases
        var samples = 6000
        /// Frames of each stretch of a clip.
        var clipFrames = 150
        var seed: UInt64 = 20_260_101
        /// Strengths of the noise for the curve; 1 is the preset `standard`.
        var levels = [0, 0.25, 0.5, 1, 1.5, 2, 3]
        /// Whether curve and sensitivity map are measured as well; the table alone takes a fraction of the time.
        var measuresPlots = true
        /// People per point of the curve and per joint of the map.
        var plotSamples: Int { max(min(samples / 10, 1000), 1) }
        /// People whose effectors are recovered, each of whom takes hundreds of solutions.
        var recoverySamples: Int { max(samples / 30, 1) }
    }

    let plan: Plan
    let solvers: [EvaluationSolver]
    /// `[n, 24, 3]` each.
    let clips: [[Float]]
    let bodies: BodyLibrary

    /// All frames, clip after clip.
    var poses: [Float] { clips.flatMap { $0 } }

    private var levels: [Double] { plan.measuresPlots ? plan.levels : [] }
    private var lostJoints: Range<Int> { 0..<(plan.measuresPlots ? 24 : 0) }

    /// How many parts ``measure(progress:)`` has.
    var partCount: Int {
        let reaching = solvers.count { $0.reach != nil }
        return plan.benchmarks.reduce(0) { sum, benchmark in
            switch benchmark {
            case .poses: sum + (plan.presets.count + levels.count + lostJoints.count) * solvers.count
            case .clips: sum + plan.presets.count * solvers.count
            case .effectors: sum + EffectorDraw.allCases.count * reaching
            case .shapes: sum + EffectorDraw.allCases.count * ShapeChange.allCases.count * reaching
            case .recovery: sum + plan.recoverySamples * solvers.count { $0.recover != nil }
            }
        }
    }

    /// Measures everything; `progress` hears how many parts are done.
    ///
    /// People are drawn with the seed and the errors with seed + 1 + the preset's number, so every solver sees the same people.
    func measure(progress: (Int) -> Void) async throws -> EvaluationResult {
        let poses = poses
        var result = EvaluationResult(
            seed: plan.seed, samples: plan.samples, poses: poses.count / 72, models: solvers.map(\.name))
        var done = 0
        func finishPart() {
            done += 1
            progress(done)
        }
        for benchmark in plan.benchmarks {
            switch benchmark {
            case .poses: try await measurePoses(poses, into: &result, finishPart)
            case .clips: try await measureClips(into: &result, finishPart)
            case .effectors: try await measureEffectors(poses, into: &result, finishPart)
            case .shapes: try await measureShapes(poses, into: &result, finishPart)
            case .recovery: try await measureRecovery(poses, into: &result, finishPart)
            }
        }
        return result
    }

    private func measurePoses(
        _ poses: [Float], into result: inout EvaluationResult, _ finishPart: () -> Void
    ) async throws {
        for preset in plan.presets {
            let (people, seen) = draw(plan.samples, from: poses, preset.noise, stream: stream(of: preset))
            result.presets.append(try await compare(people, seen, preset, finishPart))
        }
        for (index, level) in levels.enumerated() {
            let noise = level > 0 ? DetectorNoise(level: level) : nil
            let (people, seen) = draw(plan.plotSamples, from: poses, noise, stream: UInt64(101 + index))
            var errors: [Double] = []
            for solver in solvers {
                errors.append(people.errors(ofTheta: try await solver.solve(seen).solutions.theta).paMPJPE)
                finishPart()
            }
            result.curve.append(.init(level: level, paMpjpeMm: errors))
        }
        if !lostJoints.isEmpty { result.sensitivity = solvers.map { .init(name: $0.name) } }
        for joint in lostJoints {
            let noise = DetectorNoise(lostJoints: [joint])
            let (people, seen) = draw(plan.plotSamples, from: poses, noise, stream: UInt64(201 + joint))
            for (index, solver) in solvers.enumerated() {
                let errors = people.errorsByJoint(ofTheta: try await solver.solve(seen).solutions.theta)
                result.sensitivity[index].errorsMm.append(errors)
                finishPart()
            }
        }
    }

    /// The figures of every solver for what is seen of some people.
    func compare(
        _ people: EvaluationPeople, _ seen: PoseObservations, _ preset: NoisePreset, _ finishPart: () -> Void
    ) async throws -> EvaluationResult.Preset {
        var found = EvaluationResult.Preset(
            name: preset.rawValue,
            input: .init(name: "input", people.errors(ofJoints: seen.joints), secondsPerPerson: nil))
        for solver in solvers {
            let answer = try await solver.solve(seen)
            let time = seconds(answer.duration) / Double(people.count)
            var row = EvaluationResult.Row(
                name: solver.name, people.errors(ofTheta: answer.solutions.theta), secondsPerPerson: time)
            if solver.hasStarts {
                row.startsKept = answer.solutions.outcome.count { $0 == .startKept }
                row.restarts = answer.solutions.outcome.count { $0 == .restarted }
            }
            found.models.append(row)
            finishPart()
        }
        return found
    }

    /// Every preset has errors of its own.
    func stream(of preset: NoisePreset) -> UInt64 {
        UInt64(1 + (NoisePreset.allCases.firstIndex(of: preset) ?? 0))
    }

    private func draw(
        _ count: Int, from poses: [Float], _ noise: DetectorNoise?, stream: UInt64
    ) -> (EvaluationPeople, PoseObservations) {
        var people = SeededGenerator(seed: plan.seed)
        var errors = SeededGenerator(seed: plan.seed &+ stream)
        let truth = EvaluationPeople(count: count, poses: poses, bodies: bodies, using: &people)
        return (truth, truth.observations(noise: noise, using: &errors))
    }
}
