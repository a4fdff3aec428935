internal import Glibc

/// How much of the machine this process may use: the processors it may run on, and the time that its container grants.
///
/// A container with two processors' worth of time on a machine of 64 sees 64 processors; a thread for each would be stopped by
/// the kernel most of the time, in the middle of work that the others wait for.
package struct ProcessorAllowance: Sendable, Equatable {
    /// The processors that the process may run on, ascending.
    package let processors: [Int]
    /// Processors' worth of time in each period, the tightest limit of the cgroup and those above it; nil without a limit.
    package let quota: Double?

    package init(processors: [Int], quota: Double?) {
        self.processors = processors
        self.quota = quota
    }

    /// What the calling thread may use now.
    package static var current: ProcessorAllowance {
        let allowed = ProcessorPinning.allowed
        let cgroups = text(ofFile: "/proc/self/cgroup") ?? ""
        return ProcessorAllowance(
            processors: allowed.isEmpty ? Array(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) : allowed,
            quota: CgroupQuota.processors(cgroups: cgroups, read: text(ofFile:)))
    }

    /// Threads that can all run at the same time: a quota counts in whole processors, one at least.
    package var threadCount: Int {
        let most = max(1, processors.count)
        guard let quota, quota < Double(most) else { return most }
        return max(1, Int(quota))
    }

    /// Threads for each of `parts` that share the allowance, one at least.
    package func threadCount(sharedBy parts: Int) -> Int { max(1, threadCount / max(1, parts)) }

    /// A small file of the kernel's; nil when it cannot be read.
    internal static func text(ofFile path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var count = 0
        while count < bytes.count {
            let read = unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(file, $0.baseAddress! + count, $0.count - count)
            }
            guard read >= 0 else { return nil }
            if read == 0 { break }
            count += read
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
