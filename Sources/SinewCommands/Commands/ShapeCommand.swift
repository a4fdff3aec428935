internal import ArgumentParser
internal import SinewBody
internal import SinewFormats
internal import SinewModels

/// `sinew shape`: the body whose limbs have given lengths.
struct ShapeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shape", abstract: "Find the shape (betas) and scale of a body from six limb lengths.",
        discussion: """
            Input: skeletons at rest, arms out to the sides, in the form that sinew solve reads (.npz or .jsonl with \
            joints3d), or the six lengths themselves: \(LimbLengths.names.joined(separator: ", ")).
            The answer is a kernel mean over \(ShapeInversion.sampleCountDefault) random bodies, followed by Gauss-Newton \
            steps on the lengths; --refine 0 leaves those out and is the published SMPL-SI. Many shapes have the same \
            six lengths; the one found is near the sampled bodies that come closest.
            """)

    @Argument(help: "The file of skeletons at rest.")
    var input: String?

    @Option(
        name: .long,
        help: "Six lengths instead of a file, separated by commas, in the order above: 0.39,0.41,1.49,0.79,0.26,0.25.")
    var lengths: String?

    @Option(name: .long, help: "The body: neutral, female or male.")
    var gender = GenderOption.neutral

    @Option(name: .long, help: "A body of your own instead (.safetensors of sinew body import, or SMPL-layout .npz).")
    var body: String?

    @Option(name: .long, help: "Gauss-Newton steps at most (0: the published method).")
    var refine = ShapeInversion.refinementsDefault

    @Option(name: .long, help: "Random bodies to draw.")
    var samples = ShapeInversion.sampleCountDefault

    @Option(name: .long, help: "The seed that they are drawn from.")
    var seed = ShapeInversion.seedDefault

    @Option(name: .long, help: "The unit of the joints or lengths, m, cm or mm, when the file does not say.")
    var unit: String?

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (input == nil) != (lengths == nil) else {
            throw ValidationError("give a file of skeletons or --lengths, one of the two")
        }
        guard (0...1000).contains(refine) else { throw ValidationError("--refine must be 0…1000, not \(refine)") }
        guard (1...1_000_000).contains(samples) else {
            throw ValidationError("--samples must be 1…1000000, not \(samples)")
        }
    }

    func run() async throws {
        var known: LengthUnit?
        if let unit {
            known = LengthUnit(named: unit)
            guard known != nil else { throw ValidationError("--unit '\(unit)' is not known; use m, cm or mm") }
        }
        let body = try loadedBody()
        let asked =
            try lengths.map { [("--lengths", try Self.parse($0, unit: known ?? .metres))] }
            ?? measured(unit: known)
        let inversion = ShapeInversion(body: body, sampleCount: samples, seed: seed)
        let answers = asked.map { ShapeAnswer(place: $0.0, inversion.estimate($0.1, refinements: refine)) }
        if options.json {
            for answer in answers { try JSONOutput.print(answer) }
            return
        }
        var table = TextTable(["skeleton", "worst mm", "scale", "betas"])
        for answer in answers {
            table.add([
                answer.place, fixed(answer.worstErrorMm, 2), fixed(answer.scale, 4),
                answer.betas.map { fixed(Double($0), 3) }.joined(separator: ","),
            ])
        }
        for line in table.lines(style: .data) { StandardStreams.data(line) }
    }

    private func loadedBody() throws -> BodyModel {
        guard let body else { return try BodyModel.bundled(gender.gender) }
        if body.lowercased().hasSuffix(".npz") { return try BodyModel(smplLayoutNPZ: body, gender: gender.gender) }
        return try BodyModel(safetensors: body)
    }

    /// The six numbers of `--lengths`.
    private static func parse(_ text: String, unit: LengthUnit) throws -> LimbLengths {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let values = try words.map { word in
            let trimmed = word.drop { $0 == " " }
            guard let value = Double(trimmed) else {
                throw ValidationError("--lengths: '\(word)' is not a number; give six, separated by commas")
            }
            return value * unit.metres
        }
        return try LimbLengths(values)
    }

    /// The lengths of every row of the file.
    private func measured(unit: LengthUnit?) throws -> [(String, LimbLengths)] {
        let file = try PoseInput.read(path: input ?? "", options: PoseInput.Options(unit: unit))
        for note in file.notes { StandardStreams.talk("note: \(note)") }
        let needed = Set(LimbLengths.jointPairs.flatMap { [$0.from, $0.to] }).sorted()
        return try (0..<file.count).map { row in
            let place = file.places[row]
            for joint in needed where file.observed[row] & (1 << UInt32(joint)) == 0 {
                throw CommandFailure(
                    .badData,
                    "\(file.path), \(place): the joint \(Skeleton.smpl24.jointNames[joint]) is missing; the lengths need "
                        + needed.map { Skeleton.smpl24.jointNames[$0] }.joined(separator: ", "))
            }
            let offset = row * Skeleton.positionCount * 3
            do throws(ModelError) {
                return (place, try LimbLengths(restJoints: Array(file.joints[offset..<(offset + 72)])))
            } catch {
                throw CommandFailure(.badData, "\(file.path), \(place): \(error.message)")
            }
        }
    }
}

/// What `sinew shape` prints of a skeleton.
struct ShapeAnswer: Encodable {
    let place: String
    let betas: [Float]
    let scale: Double
    let lengthsM: [Double]
    let reachedM: [Double]
    let worstErrorMm: Double
    let refinements: Int

    init(place: String, _ estimate: ShapeEstimate) {
        self.place = place
        betas = estimate.betas
        scale = estimate.scale
        lengthsM = estimate.wanted.values
        reachedM = estimate.reached.values
        worstErrorMm = estimate.worstErrorMillimetres
        refinements = estimate.refinements
    }
}
