internal import ArgumentParser
internal import SinewCore

/// `sinew bench correct`: how long an annotator waits for a corrected frame.
struct BenchCorrectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correct", abstract: "Measure how soon a corrected frame comes back through a service.",
        discussion: """
            A broker and workers of its own are started. Each call moves a wrist of another frame of the demo's scene a third of the way to \
            its shoulder, and waits for the frame as sinew correct does.
            """)

    @Option(name: .long, help: "Corrections to make, after twenty that warm everything up.")
    var calls = 500

    @Option(name: .long, help: "The model, NAME or NAME/VERSION.")
    var model = "smpl-ik"

    @Option(name: .long, help: "Gauss-Newton steps after the model.")
    var refine = 20

    @Option(name: .long, help: "Workers to start.")
    var workers = 1

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(calls), (1...64).contains(workers) else {
            throw ValidationError("--calls must be 1…1000000, --workers 1…64")
        }
        let refineStepsMax = Limits().refineStepsMax
        guard (0...refineStepsMax).contains(refine) else {
            throw ValidationError("--refine must be 0…\(refineStepsMax) steps, not \(refine)")
        }
    }

    func run() async throws {
        var bench = CorrectionBench()
        (bench.model, bench.refine, bench.calls, bench.workers) = (model, refine, calls, workers)
        let report = try await bench.run()
        if output.json { return try JSONOutput.print(report) }
        StandardStreams.data(report.line)
    }
}
