/// What `sinew demo` prints: errors, speed, and where the poses are.
struct DemoReport: Encodable {
    let frames: Int
    let people: Int
    let clips: [String]
    let seed: UInt64
    let accuracy: [DemoAccuracy]
    let speed: [DemoSpeed]
    /// The noisy joints that were solved, a file that `sinew solve` reads.
    let input: String
    let outputs: [String]
    /// What to look at.
    let pictures: [String]

    func lines(style: TextStyle) -> [String] {
        var errors = TextTable([
            "error, 24 joints", "MPJPE mm", "PA-MPJPE mm", "GE rad", "| arm lost: MPJPE mm", "PA-MPJPE mm", "GE rad",
        ])
        for row in accuracy {
            errors.add(
                [row.name]
                    + [row.standard, row.armLost].flatMap { group in
                        [fixed(group.mpjpeMm, 1), fixed(group.paMpjpeMm, 1), group.geRad.map { fixed($0, 3) } ?? "–"]
                    })
        }
        var speeds = TextTable(["speed", "worker", "person-frames/s", "batches", "mean batch", "batches by size"])
        for model in speed {
            for worker in model.workers {
                let sizes = worker.batchSizes.map { "≤\($0.size): \($0.count)" }.joined(separator: "  ")
                speeds.add([
                    model.name, worker.name, fixed(worker.itemsPerSecond, 0), "\(worker.batches)",
                    fixed(worker.meanBatch, 1),
                    sizes,
                ])
            }
        }
        return [
            "\(frames) frames of \(people) people (\(clips.joined(separator: ", "))), noise seed \(seed)", "",
        ] + errors.lines(style: style) + [""] + speeds.lines(style: style) + [""]
            + ["wrote \(input): the noisy joints, as sinew solve reads them"]
            + (outputs + pictures).map { "wrote \($0)" }
            + ["open \(pictures[0]) in a browser: drag to turn, space to play, w for the worst frames"]
    }
}
