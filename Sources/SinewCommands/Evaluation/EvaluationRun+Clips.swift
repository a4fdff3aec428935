internal import SinewModels

extension EvaluationRun {
    /// Every solver on the same stretches of the clips.
    func measureClips(into result: inout EvaluationResult, _ finishPart: () -> Void) async throws {
        let stretches = stretches
        guard !stretches.isEmpty else {
            throw CommandFailure(
                .badData,
                "no clip has \(plan.clipFrames) frames in a row; choose fewer by --clip-frames, at least 3")
        }
        for preset in plan.presets {
            var people = SeededGenerator(seed: plan.seed)
            var errors = SeededGenerator(seed: plan.seed &+ stream(of: preset))
            let truth = EvaluationPeople(stretches: stretches, bodies: bodies, using: &people)
            let seen = truth.observations(noise: preset.noise, using: &errors)
            result.clips.append(try await compare(truth, seen, preset, finishPart))
        }
        result.clipTracks = stretches.count
        result.clipFrames = stretches.count * plan.clipFrames
    }

    /// Stretches of equal length, the clips by turns, until there are as many frames as samples were asked for.
    private var stretches: [[Float]] {
        let width = plan.clipFrames * 72
        var found: [[Float]] = []
        for turn in 0..<(clips.map(\.count).max() ?? 0) / width {
            for clip in clips where clip.count >= (turn + 1) * width {
                guard found.isEmpty || (found.count + 1) * plan.clipFrames <= plan.samples else { return found }
                found.append(Array(clip[(turn * width)..<(turn * width + width)]))
            }
        }
        return found
    }
}
