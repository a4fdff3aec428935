import Glibc
import SinewArrayFiles

/// NIKI's flows exactly as models.md §3.2 writes them: dense layers over masked vectors, in double precision, straight from
/// the file. Nothing here is shared with the packed form it checks.
struct DenseFlow {
    struct Layer {
        var weight: [Double]
        var bias: [Double]
    }

    var masks: [[Double]]
    var gates: [Double]
    var scale: [[Layer]]
    var translation: [[Layer]]
    var betaColumns: Int

    init(
        _ file: SafetensorsFile, masks: String, gates: String?, scale: (Int) -> String, translation: (Int) -> String,
        slots: [Int]
    ) throws {
        func net(_ prefix: String) throws -> [Layer] {
            try slots.map {
                Layer(
                    weight: try file.tensor("\(prefix).\($0).weight").doubles(),
                    bias: try file.tensor("\(prefix).\($0).bias").doubles())
            }
        }
        let table = try file.tensor(masks)
        let flat = try table.doubles()
        self.masks = (0..<table.shape[0]).map { Array(flat[($0 * table.shape[1])..<(($0 + 1) * table.shape[1])]) }
        self.gates = try gates.map { try file.tensor($0).doubles() } ?? []
        betaColumns = gates == nil ? 0 : 10
        self.scale = try (0..<self.masks.count).map { try net(scale($0)) }
        self.translation = try (0..<self.masks.count).map { try net(translation($0)) }
    }

    private func run(_ net: [Layer], _ input: [Double]) -> [Double] {
        var x = input
        for (index, layer) in net.enumerated() {
            x = layer.bias.indices.map { row in
                var sum = layer.bias[row]
                for column in x.indices { sum += layer.weight[row * x.count + column] * x[column] }
                return index < 2 && sum < 0 ? 0.01 * sum : sum
            }
        }
        return x
    }

    private func nets(_ layer: Int, _ kept: [Double], _ betas: [Double]) -> (s: [Double], t: [Double]) {
        let input = kept + (betaColumns == 0 ? [] : betas.map { $0 * gates[layer] })
        return (run(scale[layer], input).map { tanh($0) }, run(translation[layer], input))
    }

    func inverse(_ start: [Double], betas: [Double]) -> [Double] {
        var x = start
        for layer in masks.indices {
            let mask = masks[layer]
            let kept = zip(x, mask).map { $0 * $1 }
            let (s, t) = nets(layer, kept, betas)
            for index in x.indices {
                let free = 1 - mask[index]
                x[index] = kept[index] + free * (x[index] * exp(free * s[index]) + free * t[index])
            }
        }
        return x
    }

    func forward(_ start: [Double], betas: [Double]) -> [Double] {
        var z = start
        for layer in masks.indices.reversed() {
            let mask = masks[layer]
            let kept = zip(z, mask).map { $0 * $1 }
            let (s, t) = nets(layer, kept, betas)
            for index in z.indices {
                let free = 1 - mask[index]
                z[index] = kept[index] + free * (z[index] - free * t[index]) * exp(-free * s[index])
            }
        }
        return z
    }
}
