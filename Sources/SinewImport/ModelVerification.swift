internal import SinewArrayFiles
package import SinewModels

/// Compares a model with what its authors' own code computed from the same inputs.
///
/// The recording is an `.npz` of arrays, n rows each, as the network itself sees them. ``RecordedInputs`` lists them for each architecture.
package struct ModelVerification: Sendable, Equatable {
    /// Rows compared.
    package var rows: Int
    /// Largest absolute difference of the rotation values.
    package var rotationDifference: Double
    /// Largest absolute difference of NIKI's error code; nil when it was not recorded.
    package var latentDifference: Double?
    /// Largest absolute difference of SMPL-IK's positions; nil when they were not recorded.
    package var positionDifference: Double?

    /// The largest of the differences.
    package var largestDifference: Double { max(rotationDifference, latentDifference ?? 0, positionDifference ?? 0) }

    /// Runs the model on a recording.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when the recording lacks an array or has another shape, or the model is none whose
    ///   network can be recorded.
    package init(of model: any PoseModel, against path: String) throws(ModelError) {
        let inputs: RecordedInputs
        do throws(ArrayFileError) { inputs = try RecordedInputs(of: model, path: path) } catch {
            throw ModelError(.unusableFile, error.message)
        }
        let answers = try inputs.answers()
        do throws(ArrayFileError) {
            rows = inputs.file.rows
            rotationDifference = Self.largest(
                answers.rotation6d, try inputs.file.floats("rotation6d", width: answers.rotation6d.count / rows))
            (latentDifference, positionDifference) = (nil, nil)
            if let latent = answers.latent {
                latentDifference = try inputs.file.optionalFloats("latent", width: latent.count / rows).map {
                    Self.largest(latent, $0)
                }
            }
            if let positions = answers.positions {
                positionDifference = try inputs.file.optionalFloats("positions", width: positions.count / rows).map {
                    Self.largest(positions, $0)
                }
            }
        } catch {
            throw ModelError(.unusableFile, error.message)
        }
    }

    /// What is not a number differs infinitely.
    private static func largest(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { worst, pair in
            let difference = abs(Double(pair.0) - Double(pair.1))
            return difference.isNaN ? .infinity : max(worst, difference)
        }
    }
}

/// The inputs of a recording, ready for the network that they belong to.
///
/// - NIKI, in the camera frame: `input` `[n, 116]` (87 root-relative joint coordinates in metres, 29 sigmas), `padding` `[n, 60]` (the noise
///   that was drawn; zeros when left out), `phi` `[n, 46]` (normalised cosines and sines; twist-and-swing only), `betas` `[n, 10]` (zeros when
///   left out); answers `rotation6d` `[n, 144]` and, if recorded, `latent`.
/// - SMPL-IK, after the reference was subtracted: `shape` `[n, 11]` (betas, gender code), `counts` `[n]` effectors of each row, and for all
///   of them one after the other `data` `[m, 7]`, `kind` `[m]`, `joint` `[m]`, `weight` `[m]` (ones when left out); answers `rotation6d`
///   `[n, 144]` and, if recorded, `positions` `[n, 72]`.
/// - Learnable SMPLify: `graph` `[n, V, 2, C]` (keypoint, start and target, x y z in the human-centric frame), `body` `[n, 79]`; answer
///   `rotation6d` `[n, 6 · joints]`.
private struct RecordedInputs {
    struct Answers {
        var rotation6d: [Float]
        var latent: [Float]?
        var positions: [Float]?
    }

    private enum Network {
        case niki(NIKIModel, input: [Float], phi: [Float], betas: [Float], padding: [Float]?)
        case smplIK(SMPLIKModel, EffectorRows)
        case graph(LearnableSMPLifyModel, graph: [Float], body: [Float])
    }

    let file: Recording
    private let network: Network

    init(of model: any PoseModel, path: String) throws(ArrayFileError) {
        switch model {
        case let model as NIKIModel:
            file = try Recording(path: path, first: "input")
            network = try Self.niki(model, file)
        case let model as SMPLIKModel:
            file = try Recording(path: path, first: "counts")
            network = .smplIK(model, try Self.effectors(file))
        case let model as LearnableSMPLifyModel:
            file = try Recording(path: path, first: "graph")
            let layout = model.network.layout
            network = .graph(
                model, graph: try file.floats("graph", shape: [layout.keypoints.count, 2, layout.features.width]),
                body: try file.floats("body", width: GraphLayout.bodyWidth))
        default:
            throw ArrayFileError(
                .unsupported,
                "\(model.identity) (\(model.identity.architecture)) cannot be verified; the networks of NIKI, SMPL-IK and "
                    + "Learnable SMPLify can")
        }
    }

    func answers() throws(ModelError) -> Answers {
        switch network {
        case .niki(let model, let input, let phi, let betas, let padding):
            let found = try model.network.inverse(
                count: file.rows, input: input, phi: phi, betas: betas, padding: padding, isCancelled: { false })
            return Answers(rotation6d: found.rotation6d, latent: found.latent)
        case .smplIK(let model, let rows):
            let found = try model.network.solve(rows, isCancelled: { false })
            return Answers(rotation6d: found.rotation6d, positions: found.positions)
        case .graph(let model, let graph, let body):
            return Answers(
                rotation6d: try model.network.residuals(
                    count: file.rows, graph: graph, body: body, isCancelled: { false }))
        }
    }

    private static func niki(_ model: NIKIModel, _ file: Recording) throws(ArrayFileError) -> Network {
        let needsPhi = model.identity.architecture == "niki-twist-and-swing"
        let zeros = { (width: Int) in [Float](repeating: 0, count: file.rows * width) }
        return .niki(
            model, input: try file.floats("input", width: NIKINetwork.observationCount),
            phi: needsPhi ? try file.floats("phi", width: NIKINetwork.phiCount) : zeros(NIKINetwork.phiCount),
            betas: try file.optionalFloats("betas", width: 10) ?? zeros(10),
            padding: try file.optionalFloats("padding", width: NIKINetwork.paddingCount))
    }

    private static func effectors(_ file: Recording) throws(ArrayFileError) -> EffectorRows {
        let counts = try file.ints("counts", in: 1...EffectorObservations.perPersonMax, count: file.rows)
        let total = counts.reduce(0, +)
        let weights = try file.optionalFloats("weight", shape: [total]) ?? [Float](repeating: 1, count: total)
        guard weights.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw ArrayFileError(
                .wrongShape, "\"weight\" in \(file.path) has an entry that is not above 0; leave those effectors out")
        }
        return EffectorRows(
            features: try file.floats("data", shape: [total, EffectorRows.featureCount], isPerRow: false),
            kinds: try file.ints("kind", in: 0...2, count: total),
            joints: try file.ints("joint", in: 0...23, count: total), weights: weights, counts: counts,
            shape: try file.floats("shape", width: EffectorRows.shapeCount))
    }
}

/// The arrays of a recording.
private struct Recording {
    private let file: NPZFile
    let rows: Int
    var path: String { file.path }

    /// - Parameter first: the array whose first extent is the number of rows.
    init(path: String, first: String) throws(ArrayFileError) {
        file = try NPZFile(path: path)
        rows = try file.array(first).shape.first ?? 0
        guard rows > 0 else { throw ArrayFileError(.wrongShape, "\"\(first)\" in \(path) has no rows") }
    }

    func floats(_ name: String, width: Int) throws(ArrayFileError) -> [Float] { try floats(name, shape: [width]) }

    /// - Parameter isPerRow: whether the number of rows stands before `shape`.
    func floats(_ name: String, shape: [Int], isPerRow: Bool = true) throws(ArrayFileError) -> [Float] {
        let whole = isPerRow ? [rows] + shape : shape
        return try file.array(name).expecting(shape: whole, name: "\"\(name)\" in \(path)").floats()
    }

    func optionalFloats(_ name: String, width: Int) throws(ArrayFileError) -> [Float]? {
        file.contains(name) ? try floats(name, width: width) : nil
    }

    func optionalFloats(_ name: String, shape: [Int]) throws(ArrayFileError) -> [Float]? {
        file.contains(name) ? try floats(name, shape: shape, isPerRow: false) : nil
    }

    func ints(_ name: String, in range: ClosedRange<Int>, count: Int) throws(ArrayFileError) -> [Int] {
        let values = try file.array(name).expecting(shape: [count], name: "\"\(name)\" in \(path)").ints()
        guard values.allSatisfy(range.contains) else {
            throw ArrayFileError(
                .wrongShape,
                "\"\(name)\" in \(path) has an entry outside \(range.lowerBound)…\(range.upperBound)")
        }
        return values
    }
}
