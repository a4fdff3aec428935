internal import ArgumentParser
internal import SinewImport
internal import SinewModels

extension ModelCommand {
    /// `sinew model import`.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Make a model of a checkpoint that its authors released.",
            discussion: """
                Read are NIKI's .pth files (twist-and-swing and one-stage), SMPL-IK's .ckpt of PyTorch Lightning and Learnable \
                SMPLify's best_ckpt.pth.tar; the file itself tells which. It is read as data: nothing in it is run. Settings and \
                optimiser states beside the weights are skipped, and a file that names any other class or function is refused. Every \
                tensor must have the name and shape of the release. Arrays of SMPL inside it are left out, since they may not be \
                passed on. The weights stay under their authors' terms.
                A checkpoint of SMPL-IK expects people who stand along z; effectors are turned there and the answer back. BODY-25 \
                keypoints of Learnable SMPLify that are not among the 29 joints (nose, eyes, ears, small toes, heels) ride on head \
                and ankles.
                """)

        @Argument(help: "The checkpoint, for example niki-ts.pth, smpl-ik.ckpt or best_ckpt.pth.tar.")
        var file: String

        @Option(name: .long, help: "The folder of models to add it to; made when it is not there.")
        var models: String

        @Option(name: .long, help: "The name of the model.")
        var name: String

        @Option(name: .long, help: "Its version.")
        var version = "1"

        @OptionGroup var output: OutputOptions

        func validate() throws {
            for (option, value) in [("--name", name), ("--version", version)] where !ModelRepository.isName(value) {
                throw ValidationError(
                    "\(option) '\(value)' is no name: use letters, digits, dot, dash and underscore, no dot first, at most 64."
                )
            }
        }

        func run() async throws {
            let report = try CheckpointImport(path: file).write(name: name, version: version, repository: models)
            if output.json { return try JSONOutput.print(ImportSummary(report)) }
            StandardStreams.talk("\(report.folder): \(report.title), \(report.parameterCount) parameters")
            if !report.licensedTensors.isEmpty {
                StandardStreams.talk(
                    "left out, because SMPL's arrays may not be passed on: "
                        + report.licensedTensors.joined(separator: ", "))
            }
            if !report.unusedTensors.isEmpty {
                StandardStreams.talk(
                    "left out, because no solver uses them: " + report.unusedTensors.joined(separator: ", "))
            }
            let input = report.architecture == "smpl-ik" ? "--effector pelvis=0,1,0" : "joints.npz"
            StandardStreams.talk(
                "try it: sinew solve \(input) --local --models \(models) --model \(name)/\(version) -o pose.npz")
        }
    }

    /// `sinew model verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Compare a model with a recording of its authors' own code.",
            discussion: """
                The recording is an .npz of arrays with n rows, as the network sees them.
                NIKI: input [n,116] (87 root-relative joint coordinates in metres, then 29 sigmas), padding [n,60] (the noise that \
                was drawn), phi [n,46] (twist-and-swing only); answers rotation6d [n,144] and, if you like, latent.
                SMPL-IK: counts [n] (effectors of each row) and for all of them data [m,7] (six values less the reference, \
                tolerance), kind [m] (0 position, 1 rotation, 2 look-at), joint [m], weight [m] (ones when left out); shape [n,11] \
                (betas, then 0 male, 1 female, 2 neutral); answers rotation6d [n,144] and, if you like, positions [n,72].
                Learnable SMPLify: graph [n,25,2,3] (keypoint; start, target; x y z after the normalisation), body [n,79]; answer \
                rotation6d [n,132].
                README.md shows the lines that record it.
                """)

        @Argument(help: "The model: name or name/version.")
        var model: String

        @Option(name: .long, help: "The recording.")
        var against: String

        @Option(name: .long, help: "The folder of models (default: those that ship with sinew).")
        var models: String?

        @Option(name: .long, help: "The largest absolute difference that is accepted.")
        var tolerance = 1e-4

        @OptionGroup var output: OutputOptions

        func run() async throws {
            let loaded = try ModelRepository(path: models).load(model)
            let found = try ModelVerification(of: loaded, against: against)
            if output.json {
                try JSONOutput.print(VerificationSummary(found, model: "\(loaded.identity)", tolerance: tolerance))
            } else {
                let others = [("latent", found.latentDifference), ("positions", found.positionDifference)]
                    .compactMap { name, value in value.map { ", \(name) \($0)" } }.joined()
                StandardStreams.talk(
                    "\(loaded.identity): \(found.rows) rows, largest difference: rotations \(found.rotationDifference)\(others)"
                )
            }
            guard found.largestDifference <= tolerance else {
                throw CommandFailure(
                    .badData,
                    "\(loaded.identity) differs from \(against) by \(found.largestDifference), more than \(tolerance). Check that the "
                        + "recording is of this checkpoint (NIKI: with the padding that was drawn), or accept more with --tolerance."
                )
            }
        }
    }
}

/// What `model import` made, as it is printed.
private struct ImportSummary: Encodable {
    let folder, title, architecture, weightsSha256: String
    let parameters: Int
    let leftOutLicensed, leftOutUnused: [String]

    init(_ report: CheckpointImport.Report) {
        folder = report.folder
        title = report.title
        architecture = report.architecture
        weightsSha256 = report.weightsSHA256
        parameters = report.parameterCount
        leftOutLicensed = report.licensedTensors
        leftOutUnused = report.unusedTensors
    }
}

/// What `model verify` found, as it is printed.
private struct VerificationSummary: Encodable {
    let model: String
    let rows: Int
    let rotationDifference: Double
    let latentDifference, positionDifference: Double?
    let tolerance: Double
    let passed: Bool

    init(_ found: ModelVerification, model: String, tolerance: Double) {
        self.model = model
        rows = found.rows
        rotationDifference = found.rotationDifference
        latentDifference = found.latentDifference
        positionDifference = found.positionDifference
        self.tolerance = tolerance
        passed = found.largestDifference <= tolerance
    }
}
