/// What is fed with bytes nobody vouches for. `tools/fuzz` runs each under libFuzzer and AddressSanitizer; `HostileInputTests` runs each
/// over the seeds, over every input that once broke it, and over mutations of them.
///
/// A run must end by itself, refuse with an error or read something; and what was read must survive being written and read again. Anything
/// else traps, which both harnesses see.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case wire
    case pickle
    case torch
    case npz
    case safetensors
    case json
    case gltf
    case poses
    case broker

    /// Reads the bytes as the target's kind of input.
    package func run(_ bytes: [UInt8]) {
        switch self {
        case .wire: fuzzWire(bytes)
        case .pickle: fuzzPickle(bytes)
        case .torch: fuzzTorch(bytes)
        case .npz: fuzzNPZ(bytes)
        case .safetensors: fuzzSafetensors(bytes)
        case .json: fuzzJSON(bytes)
        case .gltf: fuzzGLTF(bytes)
        case .poses: fuzzPoses(bytes)
        case .broker: fuzzBroker(bytes)
        }
    }
}
