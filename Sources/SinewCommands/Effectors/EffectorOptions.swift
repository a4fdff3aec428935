internal import ArgumentParser
internal import SinewBody
internal import SinewModels

/// The options of `sinew solve` that give effectors instead of a file of joints.
struct EffectorOptions: ParsableArguments {
    @Option(
        name: .long,
        help: """
            A joint is to be at a place: JOINT=X,Y,Z in metres, y up. Any of the effector options may be given several times, \
            and may end in :tolerance=T (metres or radians, 0 is exact) and :weight=W (1 is usual, 0 is none). At least one \
            --effector is needed. JOINT is one of SMPL's 24, by name or number.
            """)
    var effector: [String] = []

    @Option(
        name: .long,
        help: """
            A joint is to be turned so in the world, where the rest pose has no rotation: JOINT=RX,RY,RZ (rotation vector, radians), \
            JOINT=W,X,Y,Z (quaternion), or 6 or 9 numbers of the matrix, row by row.
            """)
    var rotate: [String] = []

    @Option(
        name: .long,
        help: "A joint is to look at a place: JOINT=X,Y,Z, with :direction=X,Y,Z where not its own +z points there.")
    var lookAt: [String] = []

    @Option(
        name: .long,
        help: """
            A file of effectors instead, one pose per line: {"effectors": [{"joint": "head", "position": [0, 1.6, 0]}, …], \
            "gender": "female", "betas": […], "track": "anna", "frame": 0}; an effector has one of position, look_at (and \
            direction), axis_angle, quaternion, rotation_6d, matrix, and where wanted tolerance and weight.
            """)
    var effectors: String?

    @Option(name: .long, help: "With effector options: neutral, female or male (default: neutral).")
    var gender: String?

    @Option(name: .long, parsing: .unconditional, help: "With effector options: up to ten shape coefficients, B0,B1,…")
    var betas: String?

    /// Whether the pose is given by effectors.
    var isGiven: Bool { effectors != nil || !(effector.isEmpty && rotate.isEmpty && lookAt.isEmpty) }

    func validate() throws {
        let hasFlags = !(effector.isEmpty && rotate.isEmpty && lookAt.isEmpty)
        if effectors != nil, hasFlags || gender != nil || betas != nil {
            throw ValidationError("--effectors names a file that says everything; leave the other effector options out")
        }
        if !isGiven, let option = gender.map({ _ in "--gender" }) ?? betas.map({ _ in "--betas" }) {
            throw ValidationError("\(option) is for effector options; a file of joints says its own")
        }
        if hasFlags { _ = try pose() }
    }

    /// What the options ask for.
    func input() throws -> EffectorInput {
        if let effectors { return try EffectorLines.read(path: effectors) }
        var input = EffectorInput(path: "the command line")
        if gender == nil { input.note("no gender is given; assumed neutral") }
        if betas == nil { input.note("no betas are given; assumed the mean shape") }
        let (effectors, shape, chosen) = try pose()
        input.append(effectors, betas: shape, gender: chosen, track: "pose", frame: nil, place: "the pose")
        return input
    }

    private func pose() throws -> (effectors: [Effector], betas: [Float], gender: Gender) {
        var pose: [Effector] = []
        do throws(EffectorText.Mistake) {
            for text in effector { pose.append(try EffectorText.position(text)) }
        } catch { throw ValidationError("--effector \(error)") }
        do throws(EffectorText.Mistake) {
            for text in rotate { pose.append(try EffectorText.rotation(text)) }
        } catch { throw ValidationError("--rotate \(error)") }
        do throws(EffectorText.Mistake) {
            for text in lookAt { pose.append(try EffectorText.lookAt(text)) }
        } catch { throw ValidationError("--look-at \(error)") }
        let name = self.gender ?? Gender.neutral.rawValue
        guard let known = Gender(rawValue: name) else {
            let all = Gender.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--gender “\(name)” is not one of \(all)")
        }
        guard let numbers = betas.map({ EffectorText.numbers(Substring($0)) }) ?? [], numbers.count <= 10 else {
            throw ValidationError("--betas “\(betas ?? "")” is not up to ten numbers with commas between them")
        }
        return (pose, numbers.map(Float.init) + [Float](repeating: 0, count: 10 - numbers.count), known)
    }
}
