/// What `--model` names in an evaluation: a model, perhaps refined, perhaps followed by one that starts from its answer.
///
/// `niki`, `smpl-ik+refine10`, `niki+learnable-smplify`.
struct SolverChain: Equatable {
    /// A model and the Gauss-Newton steps after it.
    struct Stage: Equatable {
        let model: String
        var refine = 0
    }

    let stages: [Stage]

    /// - Throws: ``CommandFailure`` for a chain without a first model or with steps outside 0…64.
    init(_ text: String) throws(CommandFailure) {
        var stages: [Stage] = []
        for part in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard part.hasPrefix("refine"), let steps = Int(part.dropFirst(6)) else {
                stages.append(Stage(model: String(part)))
                continue
            }
            guard !stages.isEmpty, (1...64).contains(steps) else {
                throw CommandFailure(
                    .usage,
                    "--model \(text): refineN stands behind a model and N is 1…64, for example smpl-ik+refine10")
            }
            stages[stages.count - 1].refine = steps
        }
        self.stages = stages
    }
}
