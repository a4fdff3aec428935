// Microseconds per person of everything around a network: rest joints, conditioning, 6D decoding, forward kinematics, pose finishing,
// analytic IK, and the mesh.
//
//     swift run -c release GeometryBenchmark
//
// Prints one JSON object. Every figure is the least processor time of several rounds on one thread, divided by the people.

internal import Glibc
internal import SinewBody
internal import SinewModels

struct Numbers {
    var state: UInt64 = 1

    /// Uniform in −1…1.
    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int(state >> 40) - (1 << 23)) / Float(1 << 23)
    }

    mutating func array(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// The least processor microseconds per person of `rounds` rounds of about ten milliseconds.
func cost(people: Int, rounds: Int = 25, _ body: () throws -> Void) rethrows -> Double {
    try body()
    var repetitions = 1
    var least = Double.infinity
    for round in 0..<rounds {
        let start = clock()
        for _ in 0..<repetitions { try body() }
        let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
        if round == 0 {
            repetitions = max(1, Int(Double(repetitions) * 0.01 / max(seconds, 1e-6)))
        } else if round == 1, seconds < 0.005 {
            repetitions = max(1, Int(Double(repetitions) * 0.01 / max(seconds, 1e-5)))
        } else {
            least = min(least, seconds / Double(repetitions))
        }
    }
    return least / Double(people) * 1e6
}

let bodies = try BodyLibrary.shared()
let analytic = HybrIKModel(bodies: bodies)
let conditioning = InputConditioning(.headingBones)
let skinning = LinearBlendSkinning(bodies[.neutral])
var rows: [String] = []

for count in [1, 2, 3, 4, 16, 128] {
    var numbers = Numbers()
    let theta = numbers.array(count * 72).map { $0 * 1.2 }
    let rotations = PoseRows.matrices(ofTheta: theta)
    let rotation6d = (0..<(count * 144)).map { rotations[$0 / 6 * 9 + $0 % 6] + 0.1 * numbers.next() }
    let betas = numbers.array(count * 10)
    let genders = (0..<count).map { Gender.allCases[$0 % 3] }
    let rest = bodies.restJoints(betas: betas, genders: genders)
    let joints = PoseRows.joints(rotations: rotations, restJoints: rest).map { $0 + 0.01 * numbers.next() }
    let seen = PoseObservations(
        count: count, joints: joints, sigma: Array(repeating: 0.05, count: count * 29),
        observed: (0..<count).map { $0 % 4 == 3 ? 0x1FFF_FF7F : 0x1FFF_FFFF }, twists: numbers.array(count * 23),
        hasTwists: Array(repeating: true, count: count), betas: betas, genders: genders)
    var posed = joints
    var globals = rotations
    var decoded = rotations

    var figures: [(String, Double)] = []
    figures.append(("rest_joints", cost(people: count) { _ = bodies.restJoints(betas: betas, genders: genders) }))
    figures.append(
        ("conditioning", try cost(people: count) { _ = try conditioning.condition(seen, restJoints: rest) }))
    figures.append(
        ("decode_6d", cost(people: count) { Rotation6DRows.decode(rotation6d, count: count * 24, into: &decoded) }))
    figures.append(("theta_to_matrices", cost(people: count) { _ = PoseRows.matrices(ofTheta: theta) }))
    figures.append(
        (
            "forward_kinematics",
            cost(people: count) {
                ForwardKinematics.pose(
                    count: count, rotations: rotations, restJoints: rest, joints: &posed, globalRotations: &globals)
            }
        ))
    figures.append(
        (
            "finishing",
            cost(people: count) {
                _ = PoseFinishing.finish(rotations: rotations, observations: seen, restJoints: rest)
            }
        ))
    figures.append(("hybrik", try cost(people: count) { _ = try analytic.solve(seen) { false } }))
    if count <= 4 {
        let first = Array(rotations[..<216])
        let shape = Array(betas[..<10])
        figures.append(("mesh", cost(people: 1) { _ = skinning.vertices(rotations: first, betas: shape) }))
        figures.append(("skinned_joints", cost(people: 1) { _ = skinning.joints(rotations: first, betas: shape) }))
    }
    let texts = figures.map { "\"\($0.0)\": \(Double(Int($0.1 * 1000)) / 1000)" }
    rows.append("{\"people\": \(count), \(texts.joined(separator: ", "))}")
}
print("{\"unit\": \"microseconds per person, one thread\", \"results\": [\n  \(rows.joined(separator: ",\n  "))\n]}")
