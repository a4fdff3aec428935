import Foundation
import SinewArrayFiles
import SinewModels
import Testing

/// A fixture of `tools/train/sinew_train/make_fixtures.py`: a model of reduced width with random weights, and every vector
/// of its dense float64 run in PyTorch.
struct Golden {
    static let flows = [
        "niki_ts_none", "niki_ts_heading", "niki_one_stage_none", "niki_one_stage_heading", "inn_heading",
    ]
    static let all = flows + ["mlp_ik_heading"]
    static let graphs = ["learnable_smplify_ours", "learnable_smplify_published"]

    static var folder: String { Bundle.module.bundlePath + "/Fixtures" }

    let name: String
    let file: SafetensorsFile
    let count: Int

    init(_ name: String) throws {
        self.name = name
        file = try SafetensorsFile(path: "\(Self.folder)/\(name).safetensors")
        count = try file.tensor("joints").shape[0]
    }

    var modelFolder: String { "\(Self.folder)/\(name)/1" }

    func floats(_ tensor: String) throws -> [Float] { try file.tensor(tensor).floats() }

    /// The first 116 of 176 input values of each person, or all 116 there are before the twists.
    func observationInput() throws -> [Float] {
        let input = try floats("input")
        let width = input.count / count
        return (0..<count).flatMap { input[($0 * width)..<($0 * width + 116)] }
    }

    func network() throws -> NIKINetwork {
        let files = try ModelFiles(folder: modelFolder)
        let flow: ModelDescription.Architecture.Flow =
            name.hasPrefix("niki_ts") ? .twistAndSwing : name.hasPrefix("inn") ? .vanilla : .oneStage
        return try NIKINetwork(flow, files)
    }
}

/// The largest difference between two arrays; infinite where the lengths differ or a value is not a number.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { worst, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(worst, difference)
    }
}
