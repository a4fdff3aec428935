internal import ArgumentParser
internal import Logging
internal import SinewKernels
internal import SinewModels

/// Options that the long-running commands share.
struct ServiceOptions: ParsableArguments {
    @Flag(name: .long, help: "Allow addresses outside this machine without keys; the traffic is not encrypted.")
    var insecure = false

    @Flag(name: .long, help: ArgumentHelp("Stop when standard input ends.", visibility: .private))
    var stopWithParent = false

    @OptionGroup var logs: LogOptions

    /// A logger that writes to standard error.
    func logger(label: String) -> Logger { logs.logger(label: label, level: .info) }
}

/// ``ISA`` as an option's value.
enum ISAOption: String, CaseIterable, ExpressibleByArgument {
    case portable, neon, avx2, avx512

    var isa: ISA {
        switch self {
        case .portable: .portable
        case .neon: .neon
        case .avx2: .avx2
        case .avx512: .avx512
        }
    }
}

/// ``ModelDescription/Precision`` as an option's value.
enum PrecisionOption: String, CaseIterable, ExpressibleByArgument {
    case float32, bfloat16, int8

    var precision: ModelDescription.Precision {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
    }
}
