internal import SinewBody

extension RawPeople {
    /// The same rows with SMPL's 29 joints in the place of the file's; what its skeleton says nothing of was not seen.
    ///
    /// A blend of joints is as sure as the least sure of them (confidence), or has the error that theirs give it (sigma).
    func inSMPLOrder() -> RawPeople {
        guard skeleton != .smpl29 else { return self }
        var mapped = self
        let (from, to) = (skeleton.jointCount, Skeleton.positionCount)
        mapped.skeleton = .smpl29
        mapped.joints = [Float](repeating: 0, count: count * to * 3)
        mapped.observed = [Bool](repeating: false, count: count * to)
        mapped.certaintyValues = [Float](repeating: 0, count: count * to)
        for row in 0..<count {
            for (joint, blend) in skeleton.smplSources.enumerated() {
                let place = blend.position { source in
                    observed[row * from + source] ? joints.vector(at: (row * from + source) * 3) : nil
                }
                guard let place else { continue }
                mapped.joints.store(place, at: (row * to + joint) * 3)
                mapped.observed[row * to + joint] = true
                switch certainty[row] {
                case .unknown: break
                case .sigma:
                    mapped.certaintyValues[row * to + joint] = blend.sigma { certaintyValues[row * from + $0] }
                case .confidence:
                    mapped.certaintyValues[row * to + joint] =
                        blend.terms.map { certaintyValues[row * from + $0.joint] }.min() ?? 0
                }
            }
        }
        return mapped
    }
}
