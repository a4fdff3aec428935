import SinewBody
import SinewModels
import SinewWire
import SinewWorker
import TestSupport

/// People somewhere in a room, with every field given.
func people(_ count: Int, seed: UInt64, skeleton: String = "smpl-29") -> SolvePosesRequest {
    var random = SplitMix64(seed: seed)
    let jointCount = Skeleton.named(skeleton)?.jointCount ?? 29
    func values(_ width: Int, in range: ClosedRange<Float>) -> [Float] {
        (0..<count * width).map { _ in Float.random(in: range, using: &random) }
    }
    return SolvePosesRequest(
        joints: Tensor(values(jointCount * 3, in: -1...1), shape: [count, jointCount, 3]), skeleton: skeleton,
        sigma: Tensor(values(jointCount, in: 0...0.4), shape: [count, jointCount]),
        observed: Tensor(
            .uint8((0..<count * jointCount).map { $0 % 7 == 3 ? 0 : 1 }), shape: [count, jointCount]),
        twists: Tensor(values(23, in: -3...3), shape: [count, 23]),
        betas: Tensor(values(10, in: -3...3), shape: [count, 10]),
        genders: (0..<count).map { ["neutral", "female", "male"][$0 % 3] })
}

extension SolvePosesRequest {
    /// The same request with one float changed.
    func changing(_ field: WritableKeyPath<SolvePosesRequest, Tensor?>, at index: Int, to value: Float)
        -> SolvePosesRequest
    {
        var changed = self
        guard let tensor = self[keyPath: field], var floats = tensor.floats else { return self }
        floats[index] = value
        changed[keyPath: field] = Tensor(floats, shape: tensor.shape)
        return changed
    }

    func changingJoint(at index: Int, to value: Float) -> SolvePosesRequest {
        var changed = self
        guard var floats = joints.floats else { return self }
        floats[index] = value
        changed.joints = Tensor(floats, shape: joints.shape)
        return changed
    }

    /// Makes the model misbehave at a person.
    func tricking(_ person: Int, with trick: Float) -> SolvePosesRequest {
        changing(\.betas, at: person * 10 + 9, to: trick)
    }

    /// What the recomputable model answers when it solves this request alone.
    var solvedAlone: PoseSolutions {
        get throws {
            let valid = try ValidatedRequest(self, declaredItems: joints.shape[0])
            return try RecomputableModel().solve(valid.observations, isCancelled: { false })
        }
    }
}
