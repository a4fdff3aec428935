internal import CSinewKernels
internal import Synchronization

/// An instruction set that has kernels, weakest first.
package enum ISA: String, CaseIterable, Sendable, Comparable {
    /// Plain C; runs everywhere and is what the others are tested against.
    case portable
    /// 128-bit vectors of every 64-bit ARM.
    case neon
    /// 256-bit vectors with fused multiply-add.
    case avx2
    /// 512-bit vectors.
    case avx512

    /// The strongest set that ``limit(to:)`` allows; everything is until it is called.
    private static let ceiling = Atomic<UInt32>(UInt32.max)

    /// The sets that this machine and its operating system can run, weakest first; never empty.
    package static let available: [ISA] = allCases.filter { unsafe sinew_kernels($0.kernelCode) != nil }

    /// The set that newly packed weights are made for: the strongest available one under the limit.
    package static var selected: ISA {
        let limit = ceiling.load(ordering: .relaxed)
        return available.last { $0.kernelCode.rawValue <= limit } ?? .portable
    }

    /// Forces the selection down to `isa` or weaker, for comparisons and for finding faults; weights packed before
    /// keep the set that they were packed for.
    package static func limit(to isa: ISA) { ceiling.store(isa.kernelCode.rawValue, ordering: .relaxed) }

    package static func < (left: ISA, right: ISA) -> Bool { left.kernelCode.rawValue < right.kernelCode.rawValue }

    /// The number of the set in the C header.
    internal var kernelCode: sinew_isa {
        switch self {
        case .portable: SINEW_ISA_PORTABLE
        case .neon: SINEW_ISA_NEON
        case .avx2: SINEW_ISA_AVX2
        case .avx512: SINEW_ISA_AVX512
        }
    }
}
