/// Reads the processor time that Linux control groups grant, version 2 (`cpu.max`) and version 1 (`cpu.cfs_quota_us`).
///
/// - Source: the kernel's `admin-guide/cgroup-v2.rst` and `scheduler/sched-bwc.rst`, cgroups(7). The hierarchies are looked for
///   below `/sys/fs/cgroup`, where every current system and container runtime mounts them.
package enum CgroupQuota {
    private static let mount = "/sys/fs/cgroup"

    /// Processors' worth of time of the process, the least of its group and those above it.
    ///
    /// - Parameters:
    ///   - cgroups: the text of `/proc/self/cgroup`.
    ///   - read: gives the text of a file, nil when there is none.
    /// - Returns: nil when nothing limits the process.
    package static func processors(cgroups: String, read: (String) -> String?) -> Double? {
        var least: Double?
        for line in cgroups.split(separator: "\n") {
            // hierarchy:controllers:path; version 2 has no controllers, and a path may contain colons.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            for group in groupAndAncestors(parts[2]) {
                var found: Double?
                if parts[1].isEmpty {
                    found = read("\(mount)\(group)/cpu.max").flatMap(processors(cpuMax:))
                } else if controllers.contains("cpu") {
                    // The folder carries the names of all controllers mounted together, with a link for each.
                    let folder = "\(mount)/cpu\(group)"
                    found = processors(
                        quota: read("\(folder)/cpu.cfs_quota_us") ?? "",
                        period: read("\(folder)/cpu.cfs_period_us") ?? "")
                }
                if let found { least = min(least ?? found, found) }
            }
        }
        return least
    }

    /// The content of `cpu.max`: `max 100000` or `150000 100000`, microseconds.
    package static func processors(cpuMax text: String) -> Double? {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2 else { return nil }
        return processors(quota: String(words[0]), period: String(words[1]))
    }

    /// A quota of −1 or `max` means no limit.
    package static func processors(quota: String, period: String) -> Double? {
        func number(_ text: String) -> Double? {
            text.split(separator: "\n").first.flatMap { Int($0) }.map { Double($0) }
        }
        guard let quota = number(quota), let period = number(period), quota > 0, period > 0 else { return nil }
        return quota / period
    }

    /// `/a/b` gives `/a/b`, `/a` and the root, as prefixes of file names.
    ///
    /// Inside a container the path may be the host's, of which only the root can be seen; what is not there is not read.
    private static func groupAndAncestors(_ path: Substring) -> [String] {
        let parts = path.split(separator: "/")
        return (0...parts.count).reversed().map { count in parts[..<count].map { "/\($0)" }.joined() }
    }
}
