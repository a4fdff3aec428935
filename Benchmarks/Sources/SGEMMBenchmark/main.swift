// The matrix product of the networks beside OpenBLAS, at the shapes of the published models, on one thread.
//
//     apt-get install libopenblas-dev
//     swift run -c release SGEMMBenchmark > sgemm.json            (--rounds 7; --shapes 58x512,512x512; --rows 1,2,4; --weights warm)
//
// Ours computes `LeakyReLU(a · Wᵀ + bias)` from weights packed at load. OpenBLAS computes the bare product `a · Wᵀ`, with the weights as
// they lie in a file and transposed, and for one row with `sgemv` too; the fastest of these counts for `ratio`. `ratio_product` holds ours
// without LeakyReLU against the same. Contenders take turns, round by
// round, and time is processor time of the thread, so that other work on the machine falls on both alike.
//
// `warm`: one matrix, again and again. `streamed`: so many matrices in turn that they come from memory, as in a network of 91 MB.
// Prints JSON.

internal import COpenBLAS
internal import CPeak
internal import Glibc
internal import SinewKernels

/// A linear layer of a published network.
struct Shape: Sendable {
    let name: String
    let inputs: Int
    let outputs: Int
}

let shapes = [
    Shape(name: "niki A first", inputs: 58, outputs: 512), Shape(name: "niki A in", inputs: 88, outputs: 512),
    Shape(name: "niki B in", inputs: 95, outputs: 512), Shape(name: "niki hidden", inputs: 512, outputs: 512),
    Shape(name: "niki A out", inputs: 512, outputs: 88), Shape(name: "niki B out", inputs: 512, outputs: 95),
    Shape(name: "mlp in", inputs: 162, outputs: 1024), Shape(name: "mlp hidden", inputs: 1024, outputs: 1024),
    Shape(name: "mlp out", inputs: 1024, outputs: 144),
]
let allRowCounts = [1, 2, 4, 8, 14, 16, 32, 64, 128, 256, 512, 1024]
/// Rows of the product that is compared before any is timed.
let checkedRows = 33
/// Twice the last cache of the machines we know.
let streamedBytes = 64 << 20

typealias Floats = UnsafeMutableBufferPointer<Float>

/// Zeros on huge pages, freed by who asked for them. Our packed weights lie on such pages: the products are compared and not
/// the page tables.
func allocate(_ count: Int) -> Floats {
    let hugePage = 2 << 20
    let bytes = (count * MemoryLayout<Float>.stride + hugePage - 1) / hugePage * hugePage
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: hugePage)
    madvise(memory.baseAddress, bytes, Int32(MADV_HUGEPAGE))
    let block = memory.bindMemory(to: Float.self)
    block.initialize(repeating: 0)
    return UnsafeMutableBufferPointer(rebasing: block[..<count])
}

/// Matrices and rows for one shape; both contenders read the same rows and write the same output.
final class Operands {
    let shape: Shape
    let copies: Int
    let aStride: Int
    let cStride: Int
    private let a: Floats
    private let c: Floats
    private let packed: [PackedMatrix]
    /// `[copies, outputs, inputs]`, and the same transposed.
    private let rowMajor: Floats
    private let transposed: Floats

    init(_ shape: Shape, copies: Int, rows: Int) {
        self.shape = shape
        self.copies = copies
        // Whole cache lines and no power of two, as the networks lay out their rows.
        aStride = (shape.inputs + 15) / 16 * 16 + 16
        cStride = (shape.outputs + 15) / 16 * 16 + 16
        a = allocate(rows * aStride)
        c = allocate(rows * cStride)
        let size = shape.inputs * shape.outputs
        rowMajor = allocate(copies * size)
        transposed = allocate(copies * size)
        var state: UInt64 = 7
        func noise() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int(state >> 40) - (1 << 23)) / Float(1 << 23)
        }
        let weights = (0..<size).map { _ in noise() / Float(shape.inputs).squareRoot() }
        for index in a.indices { a[index] = noise() }
        for copy in 0..<copies {
            for output in 0..<shape.outputs {
                for input in 0..<shape.inputs {
                    let weight = weights[output * shape.inputs + input]
                    rowMajor[copy * size + output * shape.inputs + input] = weight
                    transposed[copy * size + input * shape.outputs + output] = weight
                }
            }
        }
        packed = (0..<copies).map { _ in
            PackedMatrix(weights: weights, bias: Array(repeating: 0, count: shape.outputs), inputs: shape.inputs)
        }
    }

    deinit {
        for block in [a, c, rowMajor, transposed] { block.deallocate() }
    }

    func ours(rows: Int, copy: Int, activation: Activation = .leakyReLU) {
        var output = c.mutableSpan
        packed[copy].multiply(
            UnsafeBufferPointer(a).span, rows: rows, aStride: aStride, activation: activation, into: &output,
            cStride: cStride)
    }

    func openBLAS(rows: Int, copy: Int, weightsTransposed: Bool) {
        let (inputs, outputs) = (shape.inputs, shape.outputs)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, weightsTransposed ? CblasNoTrans : CblasTrans, Int32(rows), Int32(outputs),
            Int32(inputs), 1, a.baseAddress, Int32(aStride),
            (weightsTransposed ? transposed : rowMajor).baseAddress.map { $0 + copy * inputs * outputs },
            Int32(weightsTransposed ? outputs : inputs), 0, c.baseAddress, Int32(cStride))
    }

    func openBLASVector(copy: Int) {
        let (inputs, outputs) = (shape.inputs, shape.outputs)
        cblas_sgemv(
            CblasRowMajor, CblasNoTrans, Int32(outputs), Int32(inputs), 1,
            rowMajor.baseAddress.map { $0 + copy * inputs * outputs }, Int32(inputs), a.baseAddress, 1, 0,
            c.baseAddress, 1)
    }

    /// The largest difference between the two products, which must be rounding alone.
    func disagreement(rows: Int) -> Float {
        func product() -> [Float] {
            (0..<(rows * shape.outputs)).map { c[$0 / shape.outputs * cStride + $0 % shape.outputs] }
        }
        ours(rows: rows, copy: 0, activation: .identity)
        let first = product()
        openBLAS(rows: rows, copy: 0, weightsTransposed: false)
        return zip(first, product()).map { abs($0 - $1) }.max() ?? 0
    }
}

/// Who multiplies, and in which form.
enum Contender: CaseIterable {
    case ours
    case oursProduct
    case openBLAS
    case openBLASTransposed
    case openBLASVector
}

extension Operands {
    /// Seconds per call. No closure is called in the loop: its checks took a tenth of the shortest products.
    func perCall(_ contender: Contender, rows: Int, calls: Int, next: inout Int) -> Double {
        let start = sinew_thread_seconds()
        for _ in 0..<calls {
            switch contender {
            case .ours: ours(rows: rows, copy: next)
            case .oursProduct: ours(rows: rows, copy: next, activation: .identity)
            case .openBLAS: openBLAS(rows: rows, copy: next, weightsTransposed: false)
            case .openBLASTransposed: openBLAS(rows: rows, copy: next, weightsTransposed: true)
            case .openBLASVector: openBLASVector(copy: next)
            }
            next = next + 1 == copies ? 0 : next + 1
        }
        return (sinew_thread_seconds() - start) / Double(calls)
    }

    /// Seconds per call of each contender: the median of rounds in which they take turns.
    func medians(_ contenders: [Contender], rows: Int, rounds: Int, secondsPerRound: Double) -> [Double] {
        var next = 0
        let calls = contenders.map { contender in
            _ = perCall(contender, rows: rows, calls: 2, next: &next)
            return max(1, Int(secondsPerRound / perCall(contender, rows: rows, calls: 3, next: &next)))
        }
        var times = contenders.map { _ in [Double]() }
        for _ in 0..<rounds {
            for (index, contender) in contenders.enumerated() {
                times[index].append(perCall(contender, rows: rows, calls: calls[index], next: &next))
            }
        }
        return times.map { $0.sorted()[$0.count / 2] }
    }
}

func rounded(_ value: Double, _ digits: Double) -> Double { (value * digits).rounded() / digits }

openblas_set_num_threads(1)
/// What follows `--name`, or nothing.
func argument(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: "--\(name)"), index + 1 < arguments.count else { return nil }
    return arguments[index + 1]
}
func list(_ name: String) -> [Substring]? { argument(name)?.split(separator: ",") }
let rounds = argument("rounds").flatMap { Int($0) } ?? 7
let rowCounts = list("rows")?.compactMap { Int($0) } ?? allRowCounts
let modes = list("weights") ?? ["warm", "streamed"]
precondition(modes.allSatisfy { $0 == "warm" || $0 == "streamed" }, "--weights is warm, streamed or both with a comma")
let wanted = list("shapes")
var name = [CChar](repeating: 0, count: 128)
sinew_processor_name(&name, name.count)
let processor = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
func bestOf(_ measure: () -> Double) -> Double { (0..<5).map { _ in measure() }.max() ?? 0 }
func bandwidth(_ bytes: Int) -> Double { rounded(bestOf { sinew_read_bandwidth(bytes, 0.1) } / 1e9, 10) }
let (level2, level3, memory) = (bandwidth(512 << 10), bandwidth(8 << 20), bandwidth(256 << 20))

var results: [String] = []
for shape in shapes where wanted?.contains("\(shape.inputs)x\(shape.outputs)") ?? true {
    for mode in modes {
        let size = shape.inputs * shape.outputs
        let copies = mode == "warm" ? 1 : max(2, streamedBytes / (4 * size))
        let operands = Operands(shape, copies: copies, rows: max(checkedRows, rowCounts.max() ?? 1))
        let difference = operands.disagreement(rows: checkedRows)
        precondition(difference < 1e-4, "the products differ by \(difference) at \(shape)")
        for rows in rowCounts {
            let contenders = Contender.allCases.filter { rows == 1 || $0 != .openBLASVector }
            let peak = sinew_fma_peak(2000)
            let times = operands.medians(contenders, rows: rows, rounds: rounds, secondsPerRound: 0.008)
            let work = 2 * Double(rows * size)
            let best = times.dropFirst(2).min() ?? 1
            let bytes = 4 * Double(size + rows * (shape.inputs + shape.outputs))
            results.append(
                "{\"shape\": \"\(shape.name)\", \"inputs\": \(shape.inputs), \"outputs\": \(shape.outputs), "
                    + "\"weights\": \"\(mode)\", \"rows\": \(rows), \"ours_gflops\": \(rounded(work / times[0] / 1e9, 10)), "
                    + "\"openblas_gflops\": \(rounded(work / best / 1e9, 10)), \"ratio\": \(rounded(best / times[0], 100)), "
                    + "\"ratio_product\": \(rounded(best / times[1], 100)), "
                    + "\"flop_per_byte\": \(rounded(work / bytes, 100)), \"peak_gflops\": \(rounded(peak / 1e9, 10))}")
        }
    }
}
var now = time(nil)
var parts = tm()
gmtime_r(&now, &parts)
func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
print(
    """
    {"date": "\(day)", "processor": "\(processor)", "isa": "\(ISA.selected.rawValue)", "threads": 1, "rounds": \(rounds),
     "openblas": "\(String(cString: openblas_get_config()))", "openblas_core": "\(String(cString: openblas_get_corename()))",
     "fma_peak_gflops": \(rounded(bestOf { sinew_fma_peak(50_000) } / 1e9, 10)),
     "read_gbytes_per_second": {"level2": \(level2), "level3": \(level3), "memory": \(memory)},
     "results": [
      \(results.joined(separator: ",\n  "))
    ]}
    """)
