internal import ArgumentParser
internal import SinewArrayFiles
internal import SinewClient
internal import SinewFormats
internal import SinewModels
internal import UnixSignals

/// `sinew demo`: real motion of two people, made noisy, solved by a broker and worker processes, with honest numbers.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Solve a noisy scene of two people with every model, and print errors and speed.",
        discussion: """
            The motion is from the CMU Graphics Lab Motion Capture Database (mocap.cs.cmu.edu, created with funding from \
            NSF EIA-0196217); no model was trained on these clips. All joints get the noise of the preset 'standard'; from \
            half-way on the first person's left arm is reported 9 to 20 cm off, with a sigma that says so. Everything is \
            measured while you wait; client, broker and workers share this machine's cores.
            """)

    @Option(name: .long, help: "Worker processes.")
    var workers = 2

    @Option(name: .long, help: "Seed of the noise.")
    var seed: UInt64 = 1

    @Option(name: [.short, .customLong("output")], help: "The folder for the solved poses and their pictures.")
    var output = "out"

    @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
    var models: String?

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...64).contains(workers) else { throw ValidationError("--workers must be 1…64, not \(workers)") }
    }

    func run() async throws {
        try OutputPath.makeFolder(output)
        let scene = try DemoScene.bundled()
        let observations = DemoObservations(of: scene, seed: seed)
        // Baselines that are there to be compared with in an evaluation, not in a demonstration.
        let baselines = [
            "hybrik-naive", "inn", "niki-one-stage", "smplify-adam", "smplify-adam-converged", "smplify-lbfgs",
        ]
        let names = try ModelRepository(path: models).list().map(\.name).filter { !baselines.contains($0) }
        let report = try await interruptible {
            var plan = LocalFleet.Plan()
            plan.workers = workers
            plan.workerOptions = names.flatMap { ["--model", $0] } + (models.map { ["--models", $0] } ?? [])
            plan.serviceOptions = ["--log-level", "warning"]
            talk("starting a broker and \(workers) workers …")
            let fleet = try await LocalFleet.start(plan)
            do {
                let report = try await solve(scene, observations, models: names, fleet: fleet)
                await fleet.stop()
                return report
            } catch {
                await fleet.stop()
                throw error
            }
        }
        if options.json { return try JSONOutput.print(report) }
        for line in report.lines(style: .data) { StandardStreams.data(line) }
    }

    private func solve(
        _ scene: DemoScene, _ observations: DemoObservations, models: [String], fleet: LocalFleet
    ) async throws -> DemoReport {
        try await withClient(ClientConfiguration(endpoint: fleet.broker.clientEndpoint)) { client in
            try await solve(scene, observations, models: models, client: client)
        }
    }

    private func solve(
        _ scene: DemoScene, _ observations: DemoObservations, models: [String], client: Client
    ) async throws -> DemoReport {
        let run = DemoRun(scene: scene, observations: observations, client: client, workers: workers)
        try await run.waitForWorkers()
        var accuracy = [DemoAccuracy(input: observations, scene: scene)]
        var speed: [DemoSpeed] = []
        var solved: [String: PoseOutput] = [:]
        let chosen = models.contains("niki") ? "niki" : models.last
        for model in models {
            talk("solving with \(model) …")
            let outcome = try await run.solve(with: model)
            accuracy.append(outcome.accuracy)
            speed.append(outcome.speed)
            if model == chosen || model == Self.analytic {
                solved[model] = scene.output(outcome.reply, places: outcome.places)
            }
        }
        guard let chosen, let poses = solved[chosen] else {
            throw CommandFailure(.noInput, "there is no model to show; sinew model list shows which are found")
        }
        let outputs = try poses.write(to: "\(output)/demo.npz")
        let compared = chosen == Self.analytic ? [] : [solved[Self.analytic]].compactMap(\.self)
        let picture = DemoPicture(scene: scene, observations: observations, shown: poses, compared: compared)
        let pictures = try picture.write(to: output)
        let input = "\(output)/demo-input.npz"
        try scene.input(observations).write(to: input)
        return DemoReport(
            frames: scene.frames, people: scene.people, clips: scene.clips, seed: seed, accuracy: accuracy,
            speed: speed, input: input, outputs: outputs, pictures: pictures)
    }

    /// Inverse kinematics without a network, to compare with.
    private static let analytic = "hybrik"

    private func talk(_ line: String) {
        if !options.json { StandardStreams.talk(line) }
    }
}
