internal import SinewModels
internal import SinewWire

/// The poses of a batch and the people the model could not solve.
struct SolvedRows {
    private(set) var solutions: PoseSolutions
    /// Why a row was not solved; nil where it was.
    private(set) var failures: [CallFailure?]

    init(count: Int) {
        solutions = PoseSolutions(count: count)
        failures = Array(repeating: nil, count: count)
    }

    /// Solves all rows; a person that the model refuses is left out and the others are solved without it.
    ///
    /// - Parameter solve: the model's answer for some of the rows, refined where that was asked for.
    /// - Throws: ``ModelError`` when the model failed for a reason that is no person's.
    /// - Cost: one call of the model, and two more for each person it refuses by number; if it does not say which, the
    ///   range is halved until the person stands alone.
    mutating func fill(solve: (Range<Int>) throws(ModelError) -> PoseSolutions) throws(ModelError) {
        var pending = [0..<failures.count]
        while let next = pending.popLast() {
            guard !next.isEmpty else { continue }
            do throws(ModelError) {
                let solved = try solve(next)
                precondition(solved.count == next.count, "the model returned \(solved.count) of \(next.count) rows")
                store(solved, at: next)
            } catch {
                switch error.reason {
                case .cancelled, .unknownModel, .unusableFile: throw error
                case .degenerateInput: break
                }
                if let person = refusedPerson(error, in: next) {
                    failures[person] = CallFailure(
                        .invalidArgument, .nothingObserved, field: "joints",
                        SolvedRows.withoutRow(error.message, row: person - next.lowerBound))
                    pending.append(person + 1..<next.upperBound)
                    pending.append(next.lowerBound..<person)
                } else {
                    let middle = next.lowerBound + next.count / 2
                    pending.append(middle..<next.upperBound)
                    pending.append(next.lowerBound..<middle)
                }
            }
        }
    }

    /// A model counts in rows of the batch; to the caller, who is told its own number, that one would mean somebody else.
    private static func withoutRow(_ message: String, row: Int) -> String {
        let prefix = "person \(row): "
        return message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
    }

    private func refusedPerson(_ error: ModelError, in range: Range<Int>) -> Int? {
        if range.count == 1 { return range.lowerBound }
        guard let person = error.person, person >= 0, person < range.count else { return nil }
        return range.lowerBound + person
    }

    private mutating func store(_ solved: PoseSolutions, at range: Range<Int>) {
        for (source, row) in range.enumerated() {
            guard solved.isFinite(row: source) else {
                failures[row] = CallFailure(
                    .internal, .solutionNotFinite, field: "theta",
                    "the solver made a NaN or an infinity of an input that was in range; please report the input")
                continue
            }
            solutions.put(source, of: solved, at: row)
        }
    }

    /// The rows of one request, in its order, zeros where a person was not solved.
    func reply(to request: some BatchedRequest, firstRow: Int) -> SolvePosesReply {
        var own = PoseSolutions(count: request.itemCount)
        var errors = request.errors
        for (offset, person) in request.rows.enumerated() {
            guard let failure = failures[firstRow + offset] else {
                own.put(firstRow + offset, of: solutions, at: person)
                continue
            }
            errors.append(
                ItemError(
                    item: UInt32(person), status: UInt32(failure.status.rawValue), code: UInt32(failure.code.rawValue),
                    field: failure.field, message: "person \(person): \(failure.message)"))
        }
        errors.sort { $0.item < $1.item }
        let count = request.itemCount
        return SolvePosesReply(
            theta: Tensor(own.theta, shape: [count, 24, 3]), translation: Tensor(own.translation, shape: [count, 3]),
            joints: Tensor(own.joints, shape: [count, 29, 3]),
            quality: SolveQuality(
                latentNorm: own.latentNorm, jointResidualMillimetres: own.jointResidualMillimetres,
                boneLengthChange: own.boneLengthChange, unobservedJoints: own.unobservedJoints,
                outcome: own.outcome.map(\.rawValue), orientationResidualRad: own.orientationResidualRadians),
            itemErrors: errors)
    }
}
