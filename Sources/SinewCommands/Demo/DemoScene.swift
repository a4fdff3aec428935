internal import Foundation
internal import SinewArrayFiles
internal import SinewBody
internal import SinewClient
internal import SinewFormats
internal import SinewModels

/// The bundled scene: true poses of two people, row `frame · people + person`.
struct DemoScene: Sendable {
    let frames: Int
    let people: Int
    let framesPerSecond: Double
    let clips: [String]
    /// `[rows, 24, 3]` axis-angle.
    let theta: [Float]
    /// `[rows, 10]`.
    let betas: [Float]
    let genders: [Gender]
    /// `[rows, 29, 3]` of each row's body.
    let restJoints: [Float]
    /// `[rows, 29, 3]`, metres, y up, where the people stand in the scene.
    let joints: [Float]
    /// `[rows, 23]`, radians.
    let twists: [Float]

    var rows: Int { frames * people }

    /// Reads the scene that ships with the command.
    static func bundled() throws -> DemoScene { try DemoScene(file: NPZFile(path: bundledPath)) }

    init(file: NPZFile) throws {
        let poses = try file.array("poses")
        guard poses.shape.count == 3, poses.shape[2] == 72 else {
            throw CommandFailure(
                .badData, "\(file.path): poses has the shape \(poses.shape), [frames, people, 72] was expected")
        }
        (frames, people) = (poses.shape[0], poses.shape[1])
        let rows = frames * people
        let names = try file.array("gender").strings()
        let shapes = try file.array("betas").floats()
        let translation = try file.array("trans").floats()
        guard names.count == people, shapes.count == people * 10, translation.count == rows * 3 else {
            throw CommandFailure(
                .badData, "\(file.path): gender, betas and trans do not fit \(people) people and \(frames) frames")
        }
        framesPerSecond = try file.array("mocap_framerate").doubles().first ?? 30
        clips = try file.array("clip").strings()
        theta = try poses.floats()
        let everyRow = 0..<rows
        betas = everyRow.flatMap { [people] row in shapes[(row % people * 10)..<(row % people * 10 + 10)] }
        genders = everyRow.map { [people] row in Gender(rawValue: names[row % people]) ?? .neutral }
        restJoints = try BodyLibrary.shared().restJoints(betas: betas, genders: genders)
        let rotations = PoseRows.matrices(ofTheta: theta)
        var joints = PoseRows.joints(rotations: rotations, restJoints: restJoints)
        for index in joints.indices { joints[index] += translation[index / 87 * 3 + index % 3] }
        self.joints = joints
        twists = everyRow.flatMap { [restJoints] row in
            TwistAngles.angles(rotations: rotations, restJoints: restJoints, person: row)
        }
    }

    /// The noisy joints as a file that `sinew solve` reads: the same rows, with their sigma, twists and shapes.
    func input(_ observations: DemoObservations) -> NPZWriter {
        var file = NPZWriter()
        let rows = [frames, people]
        file.add("joints3d", .float32(observations.request.joints, shape: rows + [29, 3]))
        if let sigma = observations.request.sigma { file.add("sigma", .float32(sigma, shape: rows + [29])) }
        if let twists = observations.request.twists { file.add("twist", .float32(twists, shape: rows + [23])) }
        file.add("betas", .float32(Array(betas.prefix(people * 10)), shape: [people, 10]))
        file.add("gender", .strings(genders.prefix(people).map(\.rawValue), shape: [people]))
        file.add("track", .strings(clips, shape: [people]))
        file.add("skeleton", .strings(["smpl-29"], shape: []))
        file.add("unit", .strings(["m"], shape: []))
        file.add("up_axis", .strings(["y"], shape: []))
        file.add("fps", .float64([framesPerSecond], shape: []))
        return file
    }

    /// The solved scene as files, one per person.
    ///
    /// - Parameter places: for each row of the scene, the row of the reply that holds it.
    func output(_ reply: PoseReply, places: [Int]) -> PoseOutput {
        let tracks = (0..<people).map { person in
            let own = Array(stride(from: person, to: self.rows, by: people))
            let rows = own.map { places[$0] }
            func pick(_ values: [Float], _ columns: Int, of rows: [Int]) -> [Float] {
                rows.flatMap { values[($0 * columns)..<($0 * columns + columns)] }
            }
            var track = PoseOutput.Track(name: clips[person], gender: genders[person])
            track.frames = Array(0..<frames)
            track.theta = pick(reply.theta, 72, of: rows)
            track.translation = pick(reply.translation, 3, of: rows)
            track.joints = pick(reply.joints, 87, of: rows)
            track.betas = pick(betas, 10, of: own)
            track.latentNorm = pick(reply.latentNorm, 1, of: rows)
            track.jointResidualMillimetres = pick(reply.jointResidualMillimetres, 1, of: rows)
            track.orientationResidualRadians = pick(reply.orientationResidualRadians, 1, of: rows)
            track.boneLengthChange = pick(reply.boneLengthChange, 1, of: rows)
            track.unobservedJoints = rows.map { reply.unobservedJoints[$0] }
            track.outcome = rows.map { reply.outcome[$0] }
            track.isSolved = rows.map { _ in true }
            return track
        }
        let version = reply.parts.first?.modelVersion ?? ""
        return PoseOutput(tracks: tracks, framesPerSecond: framesPerSecond, model: "\(reply.model)/\(version)")
    }

    /// The scene that ships with the command.
    private static var bundledPath: String {
        let places = BundledResource.places(of: "demo/scene.npz", target: "SinewCommands")
        return places.first { FileManager.default.fileExists(atPath: $0) } ?? places[0]
    }
}
