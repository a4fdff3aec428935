// Times a NIKI network beside another program: obeys one command per line of standard input, answers one line each.
//
//     NetworkBenchmark --models /tmp/models --model niki-official --precision float32
//
// machine                              {"processor": …, "fma_peak_gflops_per_core": …, "memory_gbytes_per_second": …}
// solve COUNT IN OUT                   runs the network alone on raw floats: IN is [COUNT, 116], [COUNT, 46], [COUNT, 10];
//                                      OUT becomes [COUNT, 144] rotations and [COUNT, 78] error codes
// time PATH MODE THREADS BATCH TIMES   {"wall": seconds, "processor": seconds, "persons": solved}
//
// PATH is `network` (conditioned vectors in, rotations out) or `public` (conditioning, network, pose finishing).
// MODE is `own`: each thread solves TIMES batches of its own, which is throughput; or `split`: the threads share the work on each
// batch, one batch after the other, which is what one caller sees. tools/bench/compare_onnxruntime.py drives it.

internal import CPeak
internal import Dispatch
internal import Glibc
internal import SinewBody
internal import SinewKernels
internal import SinewModels

/// Prints a message on standard error and ends the process.
func refuse(_ message: String) -> Never {
    let line = "NetworkBenchmark: \(message)\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(64)
}

func argument(_ name: String, _ fallback: String) -> String {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: "--\(name)"), index + 1 < arguments.count else { return fallback }
    return arguments[index + 1]
}

func floats(_ path: String, count: Int) -> [Float] {
    guard let file = fopen(path, "rb") else { refuse("cannot read \(path)") }
    defer { fclose(file) }
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
        filled = fread(buffer.baseAddress, MemoryLayout<Float>.stride, count, file)
    }
    guard values.count == count else { refuse("\(path) has \(values.count) floats, expected \(count)") }
    return values
}

func append(_ values: [Float], to file: UnsafeMutablePointer<FILE>) {
    guard fwrite(values, MemoryLayout<Float>.stride, values.count, file) == values.count else { refuse("cannot write") }
}

/// Conditioned vectors and the observations of as many people; the speed does not depend on the values.
struct Input: Sendable {
    let count: Int
    let vectors: [Float]
    let phi: [Float]
    let betas: [Float]
    let observations: PoseObservations

    init(_ count: Int) throws {
        let rest = try BodyModel.bundled(.neutral).restJoints(betas: [])
        var state: UInt64 = 1
        func noise() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int(state >> 40) - (1 << 23)) / Float(1 << 23)
        }
        self.count = count
        vectors = (0..<(count * 116)).map { _ in noise() }
        phi = (0..<(count * 46)).map { _ in noise() }
        betas = (0..<(count * 10)).map { _ in noise() }
        observations = PoseObservations(
            count: count, joints: (0..<(count * 87)).map { rest[$0 % 87] + 0.03 * noise() },
            sigma: (0..<(count * 29)).map { _ in 0.05 }, observed: Array(repeating: 0x1FFF_FFFF, count: count),
            twists: (0..<(count * 23)).map { _ in noise() }, hasTwists: Array(repeating: true, count: count),
            betas: betas, genders: Array(repeating: .neutral, count: count))
    }
}

let repository = argument("models", "")
let name = argument("model", "niki")
let precision = ModelDescription.Precision(rawValue: argument("precision", "float32"))
guard let precision else { refuse("--precision is float32, bfloat16 or int8") }
let loaded = try ModelRepository(path: repository.isEmpty ? nil : repository).load(name, precision: precision)
guard let model = loaded as? NIKIModel else {
    refuse("\(name) is no NIKI network")
}

@Sendable func solve(_ path: String, _ input: Input, on team: ComputeTeam = .alone) {
    do {
        if path == "network" {
            _ = try model.network.inverse(
                count: input.count, input: input.vectors, phi: input.phi, betas: input.betas, on: team.threads,
                isCancelled: { false })
        } else {
            _ = try model.solve(input.observations, on: team, isCancelled: { false })
        }
    } catch { refuse("the model refused its input: \(error)") }
}

func answer(_ words: [String]) throws -> String {
    switch words.first {
    case "machine":
        var name = [CChar](repeating: 0, count: 128)
        sinew_processor_name(&name, name.count)
        let processor = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let peak = (0..<5).map { _ in sinew_fma_peak(100_000) }.max() ?? 0
        let memory = (0..<3).map { _ in sinew_read_bandwidth(256 << 20, 0.2) }.max() ?? 0
        return "{\"processor\": \"\(processor)\", \"cores\": \(sysconf(Int32(_SC_NPROCESSORS_ONLN))), "
            + "\"fma_peak_gflops_per_core\": \(peak / 1e9), \"memory_gbytes_per_second\": \(memory / 1e9)}"
    case "solve":
        guard words.count == 4, let count = Int(words[1]), count > 0 else { refuse("solve COUNT IN OUT") }
        let all = floats(words[2], count: count * (116 + 46 + 10))
        let (phi, betas) = (count * 116, count * (116 + 46))
        let found = try model.network.inverse(
            count: count, input: Array(all[..<phi]), phi: Array(all[phi..<betas]), betas: Array(all[betas...]),
            isCancelled: { false })
        guard let file = fopen(words[3], "wb") else { refuse("cannot write \(words[3])") }
        append(found.rotation6d, to: file)
        append(found.latent, to: file)
        guard fclose(file) == 0 else { refuse("cannot write \(words[3])") }
        return "{\"solved\": \(count)}"
    case "time":
        guard words.count == 6, ["network", "public"].contains(words[1]), ["own", "split"].contains(words[2]),
            let threads = Int(words[3]), let batch = Int(words[4]), let times = Int(words[5]), threads > 0, times > 0,
            batch > 0
        else { refuse("time network|public own|split THREADS BATCH TIMES") }
        let path = words[1]
        let split = words[2] == "split"
        let input = try Input(batch)
        let team = split ? try ComputeTeam(count: threads) : .alone
        let before = clock()
        let duration = ContinuousClock().measure {
            if split {
                for _ in 0..<times { solve(path, input, on: team) }
            } else {
                DispatchQueue.concurrentPerform(iterations: threads) { _ in
                    for _ in 0..<times { solve(path, input) }
                }
            }
        }
        let wall = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        let processor = Double(clock() - before) / Double(CLOCKS_PER_SEC)
        return "{\"wall\": \(wall), \"processor\": \(processor), \"persons\": \(batch * times * (split ? 1 : threads))}"
    default: refuse("unknown command \(words)")
    }
}

while let line = readLine() {
    print(try answer(line.split(separator: " ").map(String.init)))
    fflush(nil)
}
