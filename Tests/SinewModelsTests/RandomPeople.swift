import SinewBody
import SinewModels
import TestSupport

/// Random poses and shapes, with everything that is derived from them exactly.
struct RandomPeople {
    let count: Int
    let betas: [Float]
    let genders: [Gender]
    let restJoints: [Float]
    let rotations: [Float]
    let theta: [Float]
    /// Posed joints, pelvis at its rest place.
    let joints: [Float]
    /// True twists.
    let twists: [Float]

    /// Draws people whose joints turn by up to `angleMax` about random axes.
    init(count: Int, angleMax: Double, bodies: BodyLibrary, using random: inout SplitMix64) {
        self.count = count
        betas = (0..<(count * 10)).map { _ in Float(random.normal()) }
        genders = (0..<count).map { Gender.allCases[$0 % 3] }
        restJoints = bodies.restJoints(betas: betas, genders: genders)
        var theta: [Float] = []
        for _ in 0..<(count * 24) {
            var axis = random.normalVector()
            axis /= length(axis)
            let vector = axis * random.uniform(0...angleMax)
            theta += [Float(vector.x), Float(vector.y), Float(vector.z)]
        }
        self.theta = theta
        let rotations = PoseRows.matrices(ofTheta: theta)
        self.rotations = rotations
        joints = PoseRows.joints(rotations: rotations, restJoints: restJoints)
        twists = (0..<count).flatMap { [restJoints] person in
            TwistAngles.angles(rotations: rotations, restJoints: restJoints, person: person)
        }
    }

    /// The people as a model sees them, exactly or with other joints and twists.
    func observations(
        joints: [Float]? = nil, twists: [Float]? = nil, observed: UInt32 = 0x1FFF_FFFF, hasTwists: Bool = true
    ) -> PoseObservations {
        PoseObservations(
            count: count, joints: joints ?? self.joints, sigma: [Float](repeating: 0.02, count: count * 29),
            observed: [UInt32](repeating: observed, count: count), twists: twists ?? self.twists,
            hasTwists: [Bool](repeating: hasTwists, count: count), betas: betas, genders: genders)
    }
}

/// The largest angle between rows of row-major matrices.
func largestAngle(_ a: [Float], _ b: [Float]) -> Double {
    stride(from: 0, to: a.count, by: 9).map {
        RotationMatrix(rowMajor: a, at: $0).angle(to: RotationMatrix(rowMajor: b, at: $0))
    }.max() ?? 0
}

/// One row of a batch.
func row(_ values: [Float], _ index: Int, _ width: Int) -> [Float] {
    Array(values[(index * width)..<((index + 1) * width)])
}
