internal import SinewArrayFiles

/// How usual a pose is: a mixture of Gaussians over the 69 axis-angle numbers of joints 1…23, fitted on motion capture.
///
/// The error of a pose is that of its best component, `min_k ½ ‖L_kᵀ (x − μ_k)‖² − log weight_k`, as SMPLify takes it instead of the
/// logarithm of the sum.
///
/// - Source: Bogo et al., "Keep it SMPL", 2016; models.md §8. Fitted by `tools/train/sinew_train/pose_prior.py`.
package struct PosePrior: Sendable {
    /// Joints 1…23, three numbers each.
    static let dimension = 69

    /// What it was fitted on; `body_pose_mixture.json` beside the file has the whole record.
    static let trainingData =
        "pose prior: CMU Graphics Lab Motion Capture Database, 71 clips (splits/cmu24.json) and their mirror images"
    static let licence = "Apache-2.0"
    static let acknowledgement =
        "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF "
        + "EIA-0196217."

    let componentCount: Int
    /// SHA-256 of the file.
    let sha256: String
    private let means: [Double]
    /// Lower triangular `L` with `L Lᵀ` the precision, row-major.
    private let factors: [Double]
    /// `L Lᵀ`.
    private let precisions: [Double]
    private let logWeights: [Double]

    /// The prior that ships with the package, loaded once.
    package static func shared() throws(ModelError) -> PosePrior { try loaded.get() }

    private static let loaded: Result<PosePrior, ModelError> = {
        let places = BundledResource.places(of: "priors/body_pose_mixture.safetensors", target: "SinewModels")
        var firstError: ModelError?
        for path in places {
            do throws(ModelError) { return .success(try PosePrior(path: path)) } catch {
                firstError = firstError ?? error
            }
        }
        return .failure(firstError ?? ModelError(.unusableFile, "no place is known where the pose prior may lie"))
    }()

    /// Reads a prior.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when the file is missing or does not hold means, factors and log weights that fit.
    init(path: String) throws(ModelError) {
        do throws(ArrayFileError) {
            let bytes = try FileContents.read(path)
            let file = try SafetensorsFile(bytes: bytes, path: path)
            let logWeights = try file.tensor("log_weights").floats()
            let count = logWeights.count
            let n = Self.dimension
            means = try file.tensor("means").expecting(shape: [count, n], name: "means").floats().map(Double.init)
            factors = try file.tensor("factors").expecting(shape: [count, n, n], name: "factors").floats()
                .map(Double.init)
            precisions = Self.precisions(factors, count: count)
            self.logWeights = logWeights.map(Double.init)
            componentCount = count
            sha256 = SHA256.hexDigest(of: bytes)
        } catch {
            throw ModelError(.unusableFile, "the pose prior cannot be used: \(error.message)")
        }
        guard componentCount > 0, (means + factors + logWeights).allSatisfy(\.isFinite) else {
            throw ModelError(.unusableFile, "the pose prior \(path) is empty or holds a value that is not finite")
        }
    }

    /// The mean of the heaviest component: the pose a fit starts from when it knows nothing.
    package var start: [Double] { Array(means[..<Self.dimension]) }

    /// The error of a pose and the component that it belongs to.
    ///
    /// - Cost: 2 415 multiply-adds per component.
    func error(of x: some RandomAccessCollection<Double>) -> (value: Double, component: Int) {
        var best = (value: Double.infinity, component: 0)
        var white = [Double](repeating: 0, count: Self.dimension)
        for component in 0..<componentCount {
            whiten(x, component, into: &white)
            var sum = 0.0
            for value in white { sum += value * value }
            let error = 0.5 * sum - logWeights[component]
            if error < best.value { best = (error, component) }
        }
        return best
    }

    /// The slope of a component's error: `L Lᵀ (x − μ)`.
    func slope(at x: some RandomAccessCollection<Double>, component: Int) -> [Double] {
        let n = Self.dimension
        var white = [Double](repeating: 0, count: n)
        whiten(x, component, into: &white)
        return (0..<n).map { row in
            var sum = 0.0
            let base = component * n * n + row * n
            for column in 0...row { sum += factors[base + column] * white[column] }
            return sum
        }
    }

    /// An entry of a component's precision `L Lᵀ`.
    func precision(_ component: Int, _ row: Int, _ column: Int) -> Double {
        precisions[(component * Self.dimension + row) * Self.dimension + column]
    }

    private static func precisions(_ factors: [Double], count: Int) -> [Double] {
        let n = dimension
        var precisions = [Double](repeating: 0, count: count * n * n)
        for component in 0..<count {
            let base = component * n * n
            for row in 0..<n {
                for column in 0...row {
                    var sum = 0.0
                    for k in 0...column { sum += factors[base + row * n + k] * factors[base + column * n + k] }
                    precisions[base + row * n + column] = sum
                    precisions[base + column * n + row] = sum
                }
            }
        }
        return precisions
    }

    /// `Lᵀ (x − μ)`.
    private func whiten(_ x: some RandomAccessCollection<Double>, _ component: Int, into white: inout [Double]) {
        let n = Self.dimension
        for index in 0..<n { white[index] = 0 }
        var row = 0
        for value in x {
            let away = value - means[component * n + row]
            let base = component * n * n + row * n
            for column in 0...row { white[column] += factors[base + column] * away }
            row += 1
        }
    }
}
