internal import SinewModels

/// Runs every model on the same corrupted people.
struct EvaluationRun {
    /// What is measured, and how thoroughly.
    struct Plan {
        var presets = NoisePreset.allCases
        var samples = 6000
        var seed: UInt64 = 20_260_101
        /// Strengths of the noise for the curve; 1 is the preset `standard`.
        var levels = [0, 0.25, 0.5, 1, 1.5, 2, 3]
        /// Whether curve and sensitivity map are measured as well; the table alone takes a fraction of the time.
        var measuresPlots = true
        /// People per point of the curve and per joint of the map.
        var plotSamples: Int { max(min(samples / 10, 1000), 1) }
    }

    let plan: Plan
    let solvers: [EvaluationSolver]
    /// `[n, 24, 3]`.
    let poses: [Float]
    let bodies: BodyLibrary

    private var levels: [Double] { plan.measuresPlots ? plan.levels : [] }
    private var lostJoints: Range<Int> { 0..<(plan.measuresPlots ? 24 : 0) }

    /// How many parts ``measure(progress:)`` has.
    var partCount: Int { (plan.presets.count + levels.count + lostJoints.count) * solvers.count }

    /// Measures everything; `progress` hears how many parts are done.
    ///
    /// Poses are drawn with the seed and the errors with seed + 1 + the preset's number, so every model sees the same people.
    func measure(progress: (Int) -> Void) async throws -> EvaluationResult {
        var result = EvaluationResult(seed: plan.seed, samples: plan.samples, poses: poses.count / 72)
        var done = 0
        func finishPart() {
            done += 1
            progress(done)
        }
        for preset in plan.presets {
            let index = NoisePreset.allCases.firstIndex(of: preset) ?? 0
            let (people, seen) = draw(plan.samples, preset.noise, stream: UInt64(1 + index))
            let input = PoseMetrics.compare(joints: seen.joints, truth: people.joints)
            var found = EvaluationResult.Preset(
                name: preset.rawValue, input: .init(name: "input", input, secondsPerPerson: nil))
            for solver in solvers {
                let answer = try await solver.solve(seen)
                let seconds = SinewCommands.seconds(answer.duration) / Double(people.count)
                found.models.append(
                    .init(name: solver.name, people.errors(ofTheta: answer.theta), secondsPerPerson: seconds))
                finishPart()
            }
            result.presets.append(found)
        }
        for (index, level) in levels.enumerated() {
            let noise = level > 0 ? DetectorNoise(level: level) : nil
            let (people, seen) = draw(plan.plotSamples, noise, stream: UInt64(101 + index))
            var errors: [Double] = []
            for solver in solvers {
                errors.append(people.errors(ofTheta: try await solver.solve(seen).theta).paMPJPE)
                finishPart()
            }
            result.curve.append(.init(level: level, paMpjpeMm: errors))
        }
        if !lostJoints.isEmpty { result.sensitivity = solvers.map { .init(name: $0.name) } }
        for joint in lostJoints {
            let noise = DetectorNoise(lostJoints: [joint])
            let (people, seen) = draw(plan.plotSamples, noise, stream: UInt64(201 + joint))
            for (index, solver) in solvers.enumerated() {
                let errors = people.errorsByJoint(ofTheta: try await solver.solve(seen).theta)
                result.sensitivity[index].errorsMm.append(errors)
                finishPart()
            }
        }
        return result
    }

    private func draw(
        _ count: Int, _ noise: DetectorNoise?, stream: UInt64
    ) -> (EvaluationPeople, PoseObservations) {
        var people = SeededGenerator(seed: plan.seed)
        var errors = SeededGenerator(seed: plan.seed &+ stream)
        let truth = EvaluationPeople(count: count, poses: poses, bodies: bodies, using: &people)
        return (truth, truth.observations(noise: noise, using: &errors))
    }
}

/// What an evaluation found, as the JSON beside the report holds it.
struct EvaluationResult: Encodable {
    /// One row of the table.
    struct Row: Encodable {
        let name: String
        let mpjpeMm: Double
        let paMpjpeMm: Double
        /// Not there for joints without rotations.
        let geRad: Double?
        let microsecondsPerPerson: Double?

        init(name: String, _ metrics: PoseMetrics, secondsPerPerson: Double?) {
            self.name = name
            mpjpeMm = metrics.mpjpe
            paMpjpeMm = metrics.paMPJPE
            geRad = metrics.geodesic
            microsecondsPerPerson = secondsPerPerson.map { $0 * 1e6 }
        }
    }

    /// One corruption.
    struct Preset: Encodable {
        let name: String
        let input: Row
        var models: [Row] = []
    }

    /// PA-MPJPE of every model at one strength of noise.
    struct CurvePoint: Encodable {
        let level: Double
        let paMpjpeMm: [Double]
    }

    /// Errors of each joint (columns) where one joint is lost (rows).
    struct Sensitivity: Encodable {
        let name: String
        var errorsMm: [[Double]] = []
    }

    let seed: UInt64
    let samples: Int
    /// Frames that the people were drawn from.
    let poses: Int
    var presets: [Preset] = []
    var curve: [CurvePoint] = []
    var sensitivity: [Sensitivity] = []
    /// Who solved, and what on.
    var machine = ""

    /// The names of the models, in order.
    var models: [String] { presets.first?.models.map(\.name) ?? [] }
}
