import SinewArrayFiles
import SinewBody
import SinewModels

/// A fixture of `tools/train/sinew_train/smpl_ik_fixtures.py`: a small SMPL-IK with random weights, ragged effector sets, and every
/// vector of the dense float64 run in PyTorch.
struct EffectorGolden {
    static let names = ["smpl_ik_heading", "smpl_ik_small"]
    /// The order of the fixture's gender codes.
    private static let genders: [Gender] = [.male, .female, .neutral]

    let file: SafetensorsFile
    let name: String
    /// Every person with its effectors, as they stand in the file.
    let people: [(effectors: [Effector], betas: [Float], gender: Gender)]

    init(_ name: String) throws {
        self.name = name
        let file = try SafetensorsFile(path: "\(Golden.folder)/\(name).safetensors")
        func floats(_ tensor: String) throws -> [Float] { try file.tensor(tensor).floats() }
        let (kinds, joints) = (try file.tensor("kind").ints(), try file.tensor("joint").ints())
        let (values, tolerances) = (try floats("values"), try floats("tolerance"))
        let (weights, betas) = (try floats("weight"), try floats("betas"))
        let genders = try file.tensor("genders").ints()
        var people: [(effectors: [Effector], betas: [Float], gender: Gender)] = []
        var next = 0
        for (person, count) in try file.tensor("counts").ints().enumerated() {
            var effectors: [Effector] = []
            for index in next..<(next + count) {
                var six = SIMD8<Float>.zero
                for axis in 0..<6 { six[axis] = values[index * 6 + axis] }
                effectors.append(
                    Effector(
                        kind: EffectorObservations.Kind.allCases[kinds[index]], joint: UInt8(joints[index]),
                        values: six, tolerance: tolerances[index], weight: weights[index]))
            }
            next += count
            people.append(
                (effectors, Array(betas[(person * 10)..<(person * 10 + 10)]), Self.genders[genders[person]]))
        }
        self.file = file
        self.people = people
    }

    func floats(_ tensor: String) throws -> [Float] { try file.tensor(tensor).floats() }

    func model(precision: ModelDescription.Precision? = nil) throws -> any EffectorPoseModel {
        let folder = name.hasSuffix("_shipped") ? nil : Golden.folder
        let known = folder == nil ? "smpl-ik" : name
        guard let model = try ModelRepository(path: folder).load(known, precision: precision) as? any EffectorPoseModel
        else { throw ModelError(.unknownModel, "\(known) takes no effectors") }
        return model
    }

    /// The people as a batch; `change` may alter their effectors.
    func observations(
        of rows: [Int]? = nil, _ change: (Int, [Effector]) -> [Effector] = { $1 }
    ) -> EffectorObservations {
        var observations = EffectorObservations()
        for person in rows ?? Array(people.indices) {
            let (effectors, betas, gender) = people[person]
            observations.append(change(person, effectors), betas: betas, gender: gender)
        }
        return observations
    }

    /// Rest joints of the whole batch.
    func restJoints() throws -> [Float] {
        try BodyLibrary.shared().restJoints(betas: people.flatMap(\.betas), genders: people.map(\.gender))
    }
}
