internal import Glibc

/// What this process has used.
package struct ProcessUsage: Sendable, Equatable {
    /// Processor time of all threads, user and system, microseconds.
    package let processorMicroseconds: UInt64
    /// Memory that is resident, bytes; 0 where `/proc` does not say.
    package let residentBytes: UInt64

    package init(processorMicroseconds: UInt64, residentBytes: UInt64) {
        self.processorMicroseconds = processorMicroseconds
        self.residentBytes = residentBytes
    }

    /// Now. Cost: three system calls.
    package static var now: ProcessUsage {
        var time = timespec()
        // Cannot fail: every process has this clock.
        _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return ProcessUsage(
            processorMicroseconds: UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000,
            residentBytes: residentBytes())
    }

    /// The second number of `/proc/self/statm`, which counts pages.
    private static func residentBytes() -> UInt64 {
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe read(file, &bytes, bytes.count)
        guard count > 0 else { return 0 }
        let numbers = bytes.prefix(count).split(separator: UInt8(ascii: " "))
        guard numbers.count > 1, let pages = UInt64(String(decoding: numbers[1], as: UTF8.self)) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
