import CLibFuzzer
import FuzzTargets

/// `SinewFuzz TARGET [libFuzzer options and folders]`.
@main
struct SinewFuzz {
    static func main() {
        guard CommandLine.argc >= 2, let name = CommandLine.unsafeArgv[1].map({ String(cString: $0) }),
            let target = FuzzTarget(rawValue: name)
        else { fatalError("name a target: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))") }
        chosen = target
        // libFuzzer starts itself anew for some options with the arguments it was given, so ours must not be among them.
        var count = CommandLine.argc - 1
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
        _ = LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            chosen.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }
}

/// Set once, before the first run; libFuzzer has one thread.
nonisolated(unsafe) private var chosen = FuzzTarget.wire
