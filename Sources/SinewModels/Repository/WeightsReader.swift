internal import SinewArrayFiles

/// Takes tensors out of a weights file one by one and insists that file and architecture agree completely.
///
/// Loaders of the published code drop what does not fit without a word; here a missing tensor, a wrong shape, a value that
/// is not finite and a tensor that nobody asked for are each an error.
internal struct WeightsReader {
    private let file: SafetensorsFile
    /// `name/version`, for messages.
    private let model: String
    private var unread: Set<String>

    init(_ file: SafetensorsFile, model: String) {
        self.file = file
        self.model = model
        unread = Set(file.names)
    }

    /// The values of a tensor.
    ///
    /// - Throws: ``ModelError/Reason/unusableFile`` when it is missing, is neither F32 nor BF16, has another shape, or holds NaN or
    ///   infinity.
    mutating func values(_ name: String, shape: [Int]) throws(ModelError) -> [Float] {
        guard file.contains(name) else {
            throw unusable("has no tensor \"\(name)\", which the architecture needs")
        }
        let values: [Float]
        do throws(ArrayFileError) {
            let tensor = try file.tensor(name).expecting(shape: shape, name: "tensor \"\(name)\"")
            guard tensor.elementType == .float32 || tensor.elementType == .bfloat16 else {
                throw ArrayFileError(
                    .unsupported,
                    "tensor \"\(name)\" holds \(tensor.elementType.name), weights are float32 or bfloat16")
            }
            values = try tensor.floats()
        } catch {
            throw unusable("cannot be used: \(error.message)")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw unusable("holds a value in tensor \"\(name)\" that is not finite")
        }
        unread.remove(name)
        return values
    }

    /// A linear layer from `prefix.weight` `[outputs, inputs]` and `prefix.bias` `[outputs]`.
    mutating func linear(_ prefix: String, inputs: Int, outputs: Int) throws(ModelError) -> Linear {
        Linear(
            weight: try values("\(prefix).weight", shape: [outputs, inputs]),
            bias: try values("\(prefix).bias", shape: [outputs]), inputs: inputs)
    }

    /// Checks that the masks of a flow alternate as models.md §3.2 says, which the packed form relies on.
    mutating func checkMasks(_ name: String, couplings: Int, dimension: Int) throws(ModelError) {
        let masks = try values(name, shape: [couplings, dimension])
        for coupling in 0..<couplings {
            for index in 0..<dimension {
                let expected: Float = (index + coupling) % 2 == 0 ? 0 : 1
                guard masks[coupling * dimension + index] == expected else {
                    throw unusable(
                        "has a mask \"\(name)\" that does not alternate (coupling \(coupling), dimension \(index))")
                }
            }
        }
    }

    /// Checks that every tensor was used.
    func finish() throws(ModelError) {
        guard let first = unread.sorted().first else { return }
        throw unusable(
            "has \(unread.count) tensors that the architecture does not know, the first is \"\(first)\"")
    }

    private func unusable(_ what: String) -> ModelError {
        ModelError(
            .unusableFile,
            "\(file.path) of model \(model) \(what). Check \"architecture\" and \"dims\" in its model.json, "
                + "or export or download the model again.")
    }
}
