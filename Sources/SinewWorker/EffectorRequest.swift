internal import SinewBody
package import SinewCore
package import SinewModels
package import SinewWire

/// The people of one request with effectors that can be solved, and why the others cannot.
///
/// As ``ValidatedRequest``: what is wrong with the request as a whole fails the call, what is wrong with one person costs only that
/// person, and nothing that could harm a neighbour gets into a batch.
package struct ValidatedEffectorRequest: BatchedRequest {
    /// People in the request.
    package let itemCount: Int
    /// The rows that can be solved, in ascending order.
    package let rows: [Int]
    /// The people of ``rows``.
    package let effectors: EffectorObservations
    /// The people that cannot, in ascending order.
    package let errors: [ItemError]
    /// Gauss-Newton steps that each person gets after the model.
    package let refineSteps: Int

    /// Checks a request.
    ///
    /// - Parameter declaredItems: what the head of the call said; credits were counted by it.
    /// - Throws: ``CallFailure`` when the request is wrong as a whole.
    package init(
        _ request: SolveEffectorsRequest, declaredItems: Int, limits: Limits
    ) throws(CallFailure) {
        let fields = try EffectorFields(request, declaredItems: declaredItems)
        var rows: [Int] = []
        var errors: [ItemError] = []
        var effectors = EffectorObservations()
        for person in 0..<fields.count {
            if let problem = fields.append(person, to: &effectors, rows: &rows, countMax: limits.effectorsPerPersonMax)
            {
                errors.append(problem)
            }
        }
        itemCount = fields.count
        refineSteps = try RequestFields.checkedSteps(request.refine ?? 0, limits: limits)
        self.rows = rows
        self.errors = errors
        self.effectors = effectors
    }
}

/// The fields of a request with effectors after their shapes have been checked.
private struct EffectorFields {
    let count: Int
    /// Where each person's effectors begin, and the end.
    private let offsets: [Int]
    private let kinds: [UInt8]
    private let joints: [UInt8]
    private let values: [Float]
    private let tolerances: [Float]?
    private let weights: [Float]?
    /// One row for all, or one per person; nil for the mean shape.
    private let betas: [Float]?
    private let isOneBetaForAll: Bool
    private let genders: [String]

    init(_ request: SolveEffectorsRequest, declaredItems: Int) throws(CallFailure) {
        guard case .int32(let counts) = request.counts.elements, request.counts.shape.count == 1 else {
            throw .wrongShape("counts", request.counts, expected: "int32 [n]")
        }
        guard !counts.isEmpty else {
            throw CallFailure(.invalidArgument, .wrongShape, field: "counts", "counts has no people; send at least one")
        }
        guard counts.count == declaredItems else {
            throw CallFailure(
                .invalidArgument, .malformedRequest, field: "counts",
                "counts has \(counts.count) people and the head of the call says \(declaredItems)")
        }
        guard counts.allSatisfy({ $0 >= 0 }) else {
            throw CallFailure(
                .invalidArgument, .outOfRange, field: "counts",
                "counts has a negative number; it counts each person's effectors")
        }
        var offsets = [0]
        for count in counts { offsets.append(offsets[offsets.count - 1] + Int(count)) }
        self.offsets = offsets
        count = counts.count
        let total = offsets[count]
        kinds = try Self.bytes("kinds", request.kinds, count: total)
        joints = try Self.bytes("joints", request.joints, count: total)
        guard let values = try RequestFields.floats("values", request.values, shape: [total, 6]) else {
            throw .wrongShape("values", request.values, expected: "float32 [\(total), 6]")
        }
        self.values = values
        tolerances = try RequestFields.floats("tolerances", request.tolerances, shape: [total])
        weights = try RequestFields.floats("weights", request.weights, shape: [total])
        isOneBetaForAll = request.betas.map { $0.shape.count == 1 } ?? false
        betas = try RequestFields.floats("betas", request.betas, shape: isOneBetaForAll ? [10] : [count, 10])
        genders = try RequestFields.checkedGenders(request.genders, count: count)
    }

    private static func bytes(_ field: String, _ tensor: Tensor, count: Int) throws(CallFailure) -> [UInt8] {
        guard let bytes = tensor.bytes, tensor.shape == [count] else {
            throw .wrongShape(field, tensor, expected: "uint8 [\(count)], the sum of counts")
        }
        return bytes
    }

    /// Adds a person to a batch, or says why it cannot be solved.
    func append(
        _ person: Int, to batch: inout EffectorObservations, rows: inout [Int], countMax: Int
    ) -> ItemError? {
        var effectors: [Effector] = []
        for index in offsets[person]..<offsets[person + 1] {
            let place = index - offsets[person]
            guard let kind = EffectorObservations.Kind(rawValue: kinds[index]) else {
                return error(
                    person, .outOfRange, "kinds",
                    "effector \(place): its kind is \(kinds[index]); use 0 position, 1 rotation, 2 look-at")
            }
            guard joints[index] < Skeleton.rotationCount else {
                return error(
                    person, .outOfRange, "joints",
                    "effector \(place): its joint is \(joints[index]); SMPL's are 0…\(Skeleton.rotationCount - 1)")
            }
            var six = SIMD8<Float>.zero
            for column in 0..<6 { six[column] = values[index * 6 + column] }
            effectors.append(
                Effector(
                    kind: kind, joint: joints[index], values: six, tolerance: tolerances?[index] ?? 0,
                    weight: weights?[index] ?? 1))
        }
        let name = genders.isEmpty ? Gender.neutral.rawValue : genders[genders.count == 1 ? 0 : person]
        guard let gender = Gender(rawValue: name) else {
            return error(person, .unknownGender, "genders", RequestFields.unknownGender(name))
        }
        let row = isOneBetaForAll ? 0 : person * 10
        let shape = betas.map { Array($0[row..<(row + 10)]) } ?? [Float](repeating: 0, count: 10)
        var alone = EffectorObservations()
        alone.append(effectors, betas: shape, gender: gender)
        if let problem = alone.problem(of: 0, countMax: countMax) {
            return error(person, code(of: problem.reason), problem.field, problem.message)
        }
        batch.append([0], of: alone)
        rows.append(person)
        return nil
    }

    private func code(of reason: EffectorProblem.Reason) -> ServiceErrorCode {
        switch reason {
        case .notFinite: .notFinite
        case .outOfRange, .tooMany: .outOfRange
        case .noPosition: .nothingObserved
        }
    }

    private func error(_ person: Int, _ code: ServiceErrorCode, _ field: String, _ message: String) -> ItemError {
        ItemError(
            item: UInt32(person), status: UInt32(StatusCode.invalidArgument.rawValue), code: UInt32(code.rawValue),
            field: field, message: "person \(person): \(message)")
    }
}
