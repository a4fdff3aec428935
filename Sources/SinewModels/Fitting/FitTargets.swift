package import SinewBody

/// Where the joints of `count` people should be, how they should be turned, and what they should look at.
///
/// Every target has a weight, one over its variance; a target of weight 0 is not there, and its value is ignored. A target that
/// nobody has may be left out as an empty array.
///
/// - Units: metres and radians; the frame of the solution.
package struct FitTargets: Sendable {
    /// The number of people.
    package var count: Int
    /// `[count, 29, 3]`, or empty.
    package var positions: [Float] = []
    /// 1/m², `[count, 29]`, or empty.
    package var positionWeights: [Float] = []
    /// Orientations of the joints in the world, `[count, 24, 3, 3]` row-major, or empty.
    package var orientations: [Float] = []
    /// 1/rad², `[count, 24]`, or empty.
    package var orientationWeights: [Float] = []
    /// Unit directions in the joints' own frames that should point at ``lookAtPoints``, `[count, 24, 3]`, or empty.
    package var lookAtDirections: [Float] = []
    /// `[count, 24, 3]`, or empty.
    package var lookAtPoints: [Float] = []
    /// 1/rad², `[count, 24]`, or empty.
    package var lookAtWeights: [Float] = []

    /// Starts without targets.
    package init(count: Int) { self.count = count }

    /// A smaller deviation is read as this one, metres: nobody places a joint more finely, and weights stay finite.
    package static let deviationMin: Float = 0.001
    /// A larger deviation is read as this one, metres, as the models do.
    package static let deviationMax: Float = 0.4

    /// The observed joints, weighted by one over their variance.
    package init(_ observations: PoseObservations) {
        self.init(count: observations.count)
        positions = observations.joints
        positionWeights = observations.sigma
        for person in 0..<count {
            for joint in 0..<Skeleton.positionCount {
                let index = person * Skeleton.positionCount + joint
                let deviation = min(max(observations.sigma[index], Self.deviationMin), Self.deviationMax)
                let isSeen = observations.observed[person] & (1 << UInt32(joint)) != 0
                positionWeights[index] = isSeen ? 1 / (deviation * deviation) : 0
            }
        }
    }
}

/// The targets of up to four people, lane = person.
package struct LaneTargets {
    private(set) var positions = [LaneVector](repeating: .zero, count: Skeleton.positionCount)
    private(set) var positionWeights = [Lanes](repeating: .zero, count: Skeleton.positionCount)
    private(set) var orientations = [LaneMatrix](repeating: .identity, count: Skeleton.rotationCount)
    private(set) var orientationWeights = [Lanes](repeating: .zero, count: Skeleton.rotationCount)
    private(set) var lookAtDirections = [LaneVector](repeating: .zero, count: Skeleton.rotationCount)
    private(set) var lookAtPoints = [LaneVector](repeating: .zero, count: Skeleton.rotationCount)
    private(set) var lookAtWeights = [Lanes](repeating: .zero, count: Skeleton.rotationCount)
    /// Whether the batch has such targets at all; a person without one has zeros then, which add nothing.
    private(set) var hasOrientations = false
    private(set) var hasLookAts = false

    package init() {}

    /// Reads the targets, moved by minus `origin` so that people far out keep their digits.
    package mutating func read(_ people: LanePeople, _ targets: FitTargets, origin: LaneVector) {
        for joint in 0..<(targets.positions.isEmpty ? 0 : Skeleton.positionCount) {
            let weight = people.number(targets.positionWeights, width: 29, at: joint)
            let position = people.vector(targets.positions, width: 87, at: joint * 3) - origin
            positions[joint] = position.selected(weight .> .zero, else: .zero)
            positionWeights[joint] = weight
        }
        hasOrientations = !targets.orientations.isEmpty
        hasLookAts = !targets.lookAtPoints.isEmpty
        for joint in 0..<Skeleton.rotationCount {
            if hasOrientations {
                let weight = people.number(targets.orientationWeights, width: 24, at: joint)
                orientations[joint] = people.matrix(targets.orientations, width: 216, at: joint * 9)
                    .selected(weight .> .zero, else: .identity)
                orientationWeights[joint] = weight
            }
            if hasLookAts {
                let weight = people.number(targets.lookAtWeights, width: 24, at: joint)
                let point = people.vector(targets.lookAtPoints, width: 72, at: joint * 3) - origin
                lookAtPoints[joint] = point.selected(weight .> .zero, else: .zero)
                lookAtDirections[joint] = people.vector(targets.lookAtDirections, width: 72, at: joint * 3)
                    .selected(weight .> .zero, else: .zero)
                lookAtWeights[joint] = weight
            }
        }
    }

    /// The weights of all position targets together, which say how stiff a person is held.
    var totalWeight: Lanes {
        (positionWeights + orientationWeights + lookAtWeights).reduce(.zero, +)
    }
}
