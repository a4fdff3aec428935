/// Where a joint of SMPL is, as a blend of another skeleton's joints: `Σ weight · position`, the weights sum to 1.
public struct JointBlend: Sendable, Hashable {
    /// One joint of the blend.
    public struct Term: Sendable, Hashable {
        /// The joint's index in its skeleton.
        public let joint: Int
        /// Its share; may be negative where the blend lies outside.
        public let weight: Double

        /// Creates a term.
        public init(_ joint: Int, _ weight: Double) {
            self.joint = joint
            self.weight = weight
        }
    }
    /// The joints and their shares; empty where the skeleton says nothing of the joint.
    public let terms: [Term]

    /// Creates a blend.
    public init(_ terms: [Term]) { self.terms = terms }

    /// Whether it is one joint as it stands.
    public var isPlain: Bool { terms.count == 1 }

    /// The blend's position, or nil where one of its joints was not seen.
    ///
    /// - Parameter position: of a joint of the skeleton; nil for one that was not seen.
    @inline(__always)
    package func position(_ position: (Int) -> SIMD3<Double>?) -> SIMD3<Double>? {
        guard !terms.isEmpty else { return nil }
        var sum = SIMD3<Double>.zero
        for term in terms {
            guard let part = position(term.joint) else { return nil }
            sum += part * term.weight
        }
        return sum
    }

    /// The standard deviation of the blend, its joints' errors being independent.
    @inline(__always)
    package func sigma(_ sigma: (Int) -> Float) -> Float {
        if isPlain { return sigma(terms[0].joint) }
        var sum = 0.0
        for term in terms {
            let part = term.weight * Double(sigma(term.joint))
            sum += part * part
        }
        return Float(sum.squareRoot())
    }

    /// How SMPL's joints follow from keypoints, told by the keypoints' names.
    ///
    /// Hips, knees, ankles, shoulders, elbows, wrists and big toes are what they say. Pelvis: the middle of the hips. Neck: what detectors
    /// call so lies between the shoulders, SMPL's neck a fifth of the trunk above that (measured on the bundled bodies: 0.19, 0.21 and 0.22
    /// of the way from the middle of the hips to that of the shoulders). Head: the middle of the ears. Hand: the knuckle of the middle
    /// finger. Nothing is said of spine, collars and the balls of the feet.
    static func keypoints(_ names: [String]) -> [JointBlend] {
        func blend(_ parts: [(String, Double)]) -> JointBlend? {
            var terms: [Term] = []
            for (name, weight) in parts {
                guard let joint = names.firstIndex(of: name) else { return nil }
                terms.append(Term(joint, weight))
            }
            return JointBlend(terms)
        }
        let hips = [("left_hip", 0.5), ("right_hip", 0.5)]
        return Skeleton.smpl29.jointNames.map { name -> JointBlend in
            switch name {
            case "pelvis": blend(hips) ?? blend([("pelvis", 1)]) ?? JointBlend([])
            case "neck":
                blend([("left_shoulder", 0.6), ("right_shoulder", 0.6), ("left_hip", -0.1), ("right_hip", -0.1)])
                    ?? JointBlend([])
            case "head": blend([("left_ear", 0.5), ("right_ear", 0.5)]) ?? JointBlend([])
            case "left_hand", "right_hand": blend([(name + "_middle1", 1)]) ?? JointBlend([])
            case "left_middle", "right_middle":
                blend([(String(name.dropLast(6)) + "hand_middle4", 1)]) ?? JointBlend([])
            case "left_bigtoe", "right_bigtoe": blend([(String(name.dropLast(6)) + "big_toe", 1)]) ?? JointBlend([])
            case "spine1", "spine2", "spine3", "left_collar", "right_collar", "left_foot", "right_foot":
                JointBlend([])
            default: blend([(name, 1)]) ?? JointBlend([])
            }
        }
    }
}

extension [JointBlend] {
    /// The first joints of SMPL's 29, each as it stands, the others not at all.
    static func prefix(_ count: Int) -> [JointBlend] {
        (0..<Skeleton.positionCount).map { JointBlend($0 < count ? [.init($0, 1)] : []) }
    }
}
