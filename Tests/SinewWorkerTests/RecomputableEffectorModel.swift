import SinewBody
import SinewCore
import SinewModels
import SinewWire
import SinewWorker
import Synchronization
import TestSupport

/// As ``RecomputableModel``, for effectors too: what it answers is plain arithmetic of a person's effectors.
final class RecomputableEffectorModel: EffectorPoseModel {
    let identity = ModelIdentity(name: "reach", version: "2", weightsSHA256: "def456", architecture: "arithmetic")
    private let joints = RecomputableModel(name: "reach", version: "2")
    private let batches = Mutex<[Int]>([])

    /// The sizes of the batches of effectors that were solved, in order.
    var effectorBatchSizes: [Int] { batches.withLock { $0 } }
    /// The sizes of the batches of joints.
    var jointBatchSizes: [Int] { joints.batchSizes }

    func solve(_ observations: PoseObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        try joints.solve(observations, isCancelled: isCancelled)
    }

    func solve(_ effectors: EffectorObservations, isCancelled: () -> Bool) throws(ModelError) -> PoseSolutions {
        var solutions = PoseSolutions(count: effectors.count)
        for person in 0..<effectors.count {
            if effectors.betas[person * 10 + 9] == RecomputableModel.Trick.refusesByNumber {
                throw ModelError(.degenerateInput, "person \(person): cannot be solved", person: person)
            }
            var sum: Float = 0
            for (place, index) in effectors.effectors(of: person).enumerated() {
                let effector = effectors[index]
                sum += effector.values.sum() * Float(place + 1) + effector.tolerance * 7 + effector.weight * 13
                sum += Float(effector.kind.rawValue) * 17 + Float(effector.joint) * 19
            }
            for column in 0..<72 { solutions.theta[person * 72 + column] = sum + Float(column) }
            solutions.translation[person * 3] = effectors.betas[person * 10]
            solutions.orientationResidualRadians[person] = Float(effectors.genders[person].rawValue.utf8.count)
        }
        batches.withLock { $0.append(effectors.count) }
        return solutions
    }
}

/// People with one to four effectors each, every field given.
func reaching(_ count: Int, seed: UInt64) -> SolveEffectorsRequest {
    var random = SplitMix64(seed: seed)
    let counts = (0..<count).map { Int32($0 % 4 + 1) }
    var (kinds, joints, values): ([UInt8], [UInt8], [Float]) = ([], [], [])
    for each in counts {
        for place in 0..<each {
            // The first one places the person.
            kinds.append(place == 0 ? 0 : UInt8(place % 3))
            joints.append(UInt8.random(in: 0..<24, using: &random))
            let place3 = (0..<3).map { _ in Float.random(in: -1...1, using: &random) }
            switch kinds[kinds.count - 1] {
            case 0: values += place3 + [0, 0, 0]
            case 1: values += [0, 0, 1, 1, 0, 0]
            default: values += place3 + [0, 1, 0]
            }
        }
    }
    let total = kinds.count
    return SolveEffectorsRequest(
        counts: Tensor(.int32(counts), shape: [count]), kinds: Tensor(.uint8(kinds), shape: [total]),
        joints: Tensor(.uint8(joints), shape: [total]), values: Tensor(values, shape: [total, 6]),
        tolerances: Tensor((0..<total).map { Float($0 % 5) * 0.01 }, shape: [total]),
        weights: Tensor((0..<total).map { Float($0 % 3 + 1) }, shape: [total]),
        betas: Tensor((0..<(count * 10)).map { Float($0 % 7) - 3 }, shape: [count, 10]),
        genders: (0..<count).map { ["neutral", "female", "male"][$0 % 3] })
}

extension SolveEffectorsRequest {
    /// What the recomputable model answers when it solves this request alone.
    var solvedAlone: PoseSolutions {
        get throws {
            let valid = try ValidatedEffectorRequest(
                self, declaredItems: counts.shape[0], limits: Limits())
            return try RecomputableEffectorModel().solve(valid.effectors, isCancelled: { false })
        }
    }

    /// The same request with one number of a tensor changed.
    func changing(_ field: WritableKeyPath<SolveEffectorsRequest, Tensor>, at index: Int, to value: Double) -> Self {
        var changed = self
        let tensor = self[keyPath: field]
        switch tensor.elements {
        case .float32(var values):
            values[index] = Float(value)
            changed[keyPath: field] = Tensor(values, shape: tensor.shape)
        case .uint8(var values):
            values[index] = UInt8(value)
            changed[keyPath: field] = Tensor(.uint8(values), shape: tensor.shape)
        case .int32(var values):
            values[index] = Int32(value)
            changed[keyPath: field] = Tensor(.int32(values), shape: tensor.shape)
        case .float64: break
        }
        return changed
    }

    /// The same for an optional tensor of floats.
    func changing(_ field: WritableKeyPath<SolveEffectorsRequest, Tensor?>, at index: Int, to value: Float) -> Self {
        var changed = self
        guard let tensor = self[keyPath: field], var values = tensor.floats else { return self }
        values[index] = value
        changed[keyPath: field] = Tensor(values, shape: tensor.shape)
        return changed
    }
}
