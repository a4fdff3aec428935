internal import SinewBody
internal import SinewClient
internal import SinewFormats

/// How long an annotator waits for a corrected frame: a real broker and real workers, one frame a call, one call at a time.
struct CorrectionBench {
    struct Report: Encodable {
        let model: String
        let refine, calls: Int
        /// From the moved joint to the solved frame, milliseconds.
        let p50Ms, p99Ms, maxMs: Double
        /// How far the joint was moved at the median, how far it ends from its place at most, and how far a joint went at most that nobody
        /// moved.
        let movedP50Mm, missMaxMm, disturbanceP99Mm, disturbanceMaxMm: Double

        var line: String {
            "\(model), refine \(refine): \(calls) corrections, p50 \(fixed(p50Ms, 2)) ms, p99 \(fixed(p99Ms, 2)) ms, max "
                + "\(fixed(maxMs, 2)) ms; a wrist moved by \(fixed(movedP50Mm, 0)) mm ends at most \(fixed(missMaxMm, 2)) mm from its "
                + "place, joints that nobody moved went \(fixed(disturbanceP99Mm, 2)) mm at p99, \(fixed(disturbanceMaxMm, 2)) mm at most"
        }
    }

    var model = "smpl-ik"
    var refine = 20
    var calls = 500
    var workers = 1
    private let warmUpCalls = 20
    private let deadline = Duration.seconds(10)

    func run() async throws -> Report {
        var plan = LocalFleet.Plan()
        plan.workers = workers
        plan.workerOptions = ["--model", model]
        let fleet = try await LocalFleet.start(plan)
        do {
            let report = try await withClient(ClientConfiguration(endpoint: fleet.broker.clientEndpoint)) {
                try await measure($0)
            }
            await fleet.stop()
            return report
        } catch {
            await fleet.stop()
            throw error
        }
    }

    private func measure(_ client: Client) async throws -> Report {
        let poses = try Self.poses()
        let takesEffectors = try await CorrectionRun.takesEffectors(model, client, deadline: deadline)
        let solver = ServiceSolver(client: client, model: model, refine: refine, deadline: deadline)
        let clock = ContinuousClock()
        var (times, moved, misses, disturbances): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        for call in 0..<(warmUpCalls + calls) {
            let (move, distance) = Self.move(of: call, poses)
            let start = clock.now
            let run = try CorrectionRun([move], of: poses, path: "the demo's scene")
            let solved = try await run.solve(with: solver, takesEffectors: takesEffectors)
            let corrected = run.corrected(solved)
            let time = (clock.now - start) / .milliseconds(1)
            guard solved.failures.isEmpty, corrected.tracks.contains(where: { !$0.corrections.isEmpty }) else {
                throw BenchRefusal("call \(call): \(solved.failures.first?.message ?? "nothing was corrected")")
            }
            guard call >= warmUpCalls else { continue }
            times.append(time)
            moved.append(1000 * distance)
            misses.append(1000 * run.corrections[0].miss(solved.solutions, 0))
            disturbances.append(1000 * run.corrections[0].disturbance(solved.solutions, 0))
        }
        return Report(
            model: model, refine: refine, calls: calls, p50Ms: Self.part(0.5, of: times),
            p99Ms: Self.part(0.99, of: times), maxMs: times.max() ?? 0, movedP50Mm: Self.part(0.5, of: moved),
            missMaxMm: misses.max() ?? 0, disturbanceP99Mm: Self.part(0.99, of: disturbances),
            disturbanceMaxMm: disturbances.max() ?? 0)
    }

    private static func part(_ part: Double, of unordered: [Double]) -> Double {
        let sorted = unordered.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }

    /// The true poses of the demo's scene.
    private static func poses() throws -> PoseOutput {
        let scene = try DemoScene.bundled()
        let tracks = (0..<scene.people).map { person in
            var track = PoseOutput.Track(name: scene.clips[person], gender: scene.genders[person])
            for row in stride(from: person, to: scene.rows, by: scene.people) {
                track.frames.append(track.frames.count)
                track.theta += scene.theta[(row * 72)..<(row * 72 + 72)]
                track.joints += scene.joints[(row * 87)..<(row * 87 + 87)]
                track.betas += scene.betas[(row * 10)..<(row * 10 + 10)]
                track.translation += (0..<3).map { scene.joints[row * 87 + $0] - scene.restJoints[row * 87 + $0] }
            }
            return track
        }
        return PoseOutput(tracks: tracks, framesPerSecond: scene.framesPerSecond, model: "")
    }

    /// Another frame and side with every call; a wrist goes a third of the way to its shoulder, which an arm can always do.
    private static func move(of call: Int, _ poses: PoseOutput) -> (MovedJoints, distance: Double) {
        let track = poses.tracks[call % poses.tracks.count]
        let row = call * 7 % track.frames.count
        let (shoulder, wrist) = call / 2 % 2 == 0 ? (16, 20) : (17, 21)
        let from = track.joints.vector(at: row * 87 + wrist * 3)
        let way = (track.joints.vector(at: row * 87 + shoulder * 3) - from) / 3
        return (
            MovedJoints(
                track: track.name, frame: track.frames[row], places: [wrist: from + way], place: "call \(call)"),
            length(way)
        )
    }
}
