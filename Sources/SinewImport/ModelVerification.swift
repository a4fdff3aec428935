internal import SinewArrayFiles
package import SinewModels

/// Compares a model with what its authors' own code computed from the same inputs.
///
/// The recording is an `.npz` of float arrays, n rows each, as the network itself sees them (for an imported NIKI: the camera frame):
/// `input` `[n, 116]` (87 root-relative joint coordinates in metres, 29 sigmas), `padding` `[n, 60]` (the noise that was drawn; zeros
/// when left out), `phi` `[n, 46]` (normalised cosines and sines; twist-and-swing only), `betas` `[n, 10]` (zeros when left out), and the
/// answers `rotation6d` `[n, 144]` and, if recorded, `latent`.
package struct ModelVerification: Sendable, Equatable {
    /// Rows compared.
    package var rows: Int
    /// Largest absolute difference of the 144 rotation values.
    package var rotationDifference: Double
    /// Largest absolute difference of the error code; nil when it was not recorded.
    package var latentDifference: Double?

    /// The larger of the two differences.
    package var largestDifference: Double { max(rotationDifference, latentDifference ?? 0) }

    /// Runs the model on a recording.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when the recording lacks an array or has another shape, or the model is none whose
    ///   network can be recorded.
    package init(of model: any PoseModel, against path: String) throws(ModelError) {
        guard let model = model as? NIKIModel else {
            throw ModelError(
                .unusableFile,
                "\(model.identity) (\(model.identity.architecture)) cannot be verified; NIKI's networks can")
        }
        do throws(ArrayFileError) {
            let recording = try Recording(path: path)
            let rows = recording.rows
            let needsPhi = model.identity.architecture == "niki-twist-and-swing"
            let zeros = { (width: Int) in [Float](repeating: 0, count: rows * width) }
            let input = try recording.floats("input", width: NIKINetwork.observationCount)
            let phi =
                needsPhi ? try recording.floats("phi", width: NIKINetwork.phiCount) : zeros(NIKINetwork.phiCount)
            let padding = try recording.optionalFloats("padding", width: NIKINetwork.paddingCount)
            let betas = try recording.optionalFloats("betas", width: 10) ?? zeros(10)
            let found: NIKISolution
            do throws(ModelError) {
                found = try model.network.inverse(
                    count: rows, input: input, phi: phi, betas: betas, padding: padding, isCancelled: { false })
            } catch {
                throw ArrayFileError(.malformed, error.message)
            }
            self.rows = rows
            rotationDifference = Self.largest(
                found.rotation6d, try recording.floats("rotation6d", width: NIKINetwork.rotationCount))
            latentDifference = try recording.optionalFloats("latent", width: model.latentCount).map {
                Self.largest(found.latent, $0)
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

/// The arrays of a recording, each with one row per person.
private struct Recording {
    let file: NPZFile
    let rows: Int

    init(path: String) throws(ArrayFileError) {
        file = try NPZFile(path: path)
        rows = try file.array("input").shape.first ?? 0
        guard rows > 0 else { throw ArrayFileError(.wrongShape, "\"input\" in \(path) has no rows") }
    }

    func floats(_ name: String, width: Int) throws(ArrayFileError) -> [Float] {
        try file.array(name).expecting(shape: [rows, width], name: "\"\(name)\" in \(file.path)").floats()
    }

    func optionalFloats(_ name: String, width: Int) throws(ArrayFileError) -> [Float]? {
        file.contains(name) ? try floats(name, width: width) : nil
    }
}
