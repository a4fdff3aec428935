// Persons per second of a model through its public interface: conditioning, network, pose finishing.
//
//     python3 make_random_model.py --out /tmp/models
//     swift run -c release PoseBenchmark --models /tmp/models --model niki-official
//
// Prints one JSON object. Every figure is the best of several rounds of about a second. `mode` is `own`, each thread solves batches
// of its own, or `split`, the threads share the work on one batch after the other (`--modes own,split`).
// `persons_per_cpu_second` divides by the processor time of the process, so it hardly suffers from what else the machine does.
//
// What bounds a core is measured in the same run, and beside each figure stands how much of it a core used: of the multiply-add peak, and of the
// read bandwidth of memory. For the first, `--flop-per-person` says what one person costs; without it two operations for each
// weight count, where every weight is used once a person (NIKI, MLP), and elsewhere nothing is said. For the second, all weights
// are read once a batch; the bandwidth is that of a plain read of ordinary pages, so caches, huge pages and fetching ahead can give more.

internal import CPeak
internal import Dispatch
internal import Glibc
internal import SinewBody
internal import SinewKernels
internal import SinewModels

func argument(_ name: String, _ fallback: String) -> String {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: "--\(name)"), index + 1 < arguments.count else { return fallback }
    return arguments[index + 1]
}

func rounded(_ value: Double, _ digits: Double) -> Double { (value * digits).rounded() / digits }

/// A number of JSON, or its null.
func text(_ value: Double?, _ digits: Double) -> String { value.map { "\(rounded($0, digits))" } ?? "null" }

func integers(_ text: String) -> [Int] { text.split(separator: ",").compactMap { Int($0) } }

/// People in the rest pose with noise of a few centimetres: the speed does not depend on the values.
func people(_ count: Int) throws -> PoseObservations {
    let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
    var state: UInt64 = 1
    func noise() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int(state >> 40) - (1 << 23)) / Float(1 << 23)
    }
    return PoseObservations(
        count: count, joints: (0..<(count * 87)).map { rest[$0 % 87] + 0.03 * noise() },
        sigma: (0..<(count * 29)).map { _ in 0.05 }, observed: Array(repeating: 0x1FFF_FFFF, count: count),
        twists: (0..<(count * 23)).map { _ in noise() }, hasTwists: Array(repeating: true, count: count),
        betas: (0..<(count * 10)).map { _ in noise() }, genders: Array(repeating: .neutral, count: count))
}

/// What a round took: seconds on the wall, and of all processors together.
struct Cost {
    var wall: Double
    var processor: Double
}

/// The cost of `batches` batches on each of `callers` threads, every one with a team to help it.
func cost(
    _ model: any PoseModel, _ batch: PoseObservations, batches: Int, callers: Int, team: ComputeTeam
) -> Cost {
    let before = clock()
    let duration = ContinuousClock().measure {
        DispatchQueue.concurrentPerform(iterations: callers) { _ in
            for _ in 0..<batches {
                guard (try? model.solve(batch, on: team, isCancelled: { false })) != nil else {
                    fatalError("the model refused its input")
                }
            }
        }
    }
    return Cost(
        wall: Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18,
        processor: Double(clock() - before) / Double(CLOCKS_PER_SEC))
}

let repository = argument("models", "")
let precisionName = argument("precision", "")
let precision = ModelDescription.Precision(rawValue: precisionName)
guard precision != nil || precisionName.isEmpty else {
    fatalError("--precision is float32, bfloat16 or int8; without it model.json decides")
}
let model = try ModelRepository(path: repository.isEmpty ? nil : repository)
    .load(argument("model", "niki"), precision: precision)
let rounds = Int(argument("rounds", "5")) ?? 5
var rows: [String] = []
let peak = (0..<5).map { _ in sinew_fma_peak(200_000) }.max() ?? 0
let bandwidth = (0..<5).map { _ in sinew_read_bandwidth(256 << 20, 0.2) }.max() ?? 0
let weightBytes = WeightSource.bytesInUse
let weightSize: Double? =
    switch ModelDescription.Precision(rawValue: model.identity.precision) {
    case .float32: 4
    case .bfloat16: 2
    case .int8: 1
    case nil: nil
    }
/// Floating-point operations, or with int8 weights integer ones, for one person; nil where nothing is known.
let flopPerPerson: Double? =
    Double(argument("flop-per-person", ""))
    ?? (["niki-twist-and-swing", "mlp-ik"].contains(model.identity.architecture)
        ? weightSize.map { 2 * Double(weightBytes) / $0 } : nil)
let modes = argument("modes", "own").split(separator: ",")
guard modes.allSatisfy({ $0 == "own" || $0 == "split" }) else { fatalError("--modes is own, split or own,split") }
for (threads, mode) in integers(argument("threads", "1,2")).flatMap({ count in modes.map { (count, $0) } }) {
    let team = mode == "split" ? try ComputeTeam(count: threads) : .alone
    let callers = mode == "split" ? 1 : threads
    for size in integers(argument("batches", "1,16,128,256")) {
        let batch = try people(size)
        let once = cost(model, batch, batches: 2, callers: callers, team: team).wall / 2
        let batches = max(1, Int(1 / once))
        let costs = (0..<rounds).map { _ in cost(model, batch, batches: batches, callers: callers, team: team) }
        let (wall, processor) = (costs.map(\.wall).min() ?? 0, costs.map(\.processor).min() ?? 0)
        let persons = Double(batches * size * callers)
        // Per second of a core.
        let work = flopPerPerson.map { $0 * persons / processor }
        let read = Double(weightBytes * batches * callers) / processor
        rows.append(
            "{\"threads\": \(threads), \"mode\": \"\(mode)\", \"batch\": \(size), \"persons_per_second\": \(Int(persons / wall)), "
                + "\"persons_per_cpu_second\": \(Int(persons / processor)), "
                + "\"milliseconds_per_batch\": \(rounded(wall / Double(batches) * 1e3, 100)), "
                + "\"gflops_per_core\": \(text(work.map { $0 / 1e9 }, 10)), \"peak_share\": \(text(work.map { $0 / peak }, 1000)), "
                + "\"weight_gbytes_per_core_second\": \(rounded(read / 1e9, 10)), "
                + "\"memory_share\": \(rounded(read / bandwidth, 1000))}")
    }
}
print(
    "{\"model\": \"\(model.identity)\", \"precision\": \"\(precision?.rawValue ?? "as in model.json")\", "
        + "\"fma_peak_gflops_per_core\": \(rounded(peak / 1e9, 10)), "
        + "\"memory_gbytes_per_second_per_core\": \(rounded(bandwidth / 1e9, 10)), "
        + "\"weight_bytes\": \(weightBytes), \"flop_per_person\": \(text(flopPerPerson, 1)), \"rounds\": \(rounds), "
        + "\"results\": [\n  \(rows.joined(separator: ",\n  "))\n]}")
