import SinewKernels
import Testing

@Suite struct ProcessorAllowanceTests {
    /// The quota of a process whose kernel files are these.
    private func quota(_ cgroups: String, _ files: [String: String]) -> Double? {
        CgroupQuota.processors(cgroups: cgroups) { files[$0] }
    }

    @Test func `cpu max is a quota and a period, or no limit`() {
        #expect(CgroupQuota.processors(cpuMax: "150000 100000\n") == 1.5)
        #expect(CgroupQuota.processors(cpuMax: "400000 100000") == 4)
        #expect(CgroupQuota.processors(cpuMax: "max 100000\n") == nil)
        for damaged in ["", "\n", "100000", "x y", "100000 0", "-1 100000", "1 2 3"] {
            #expect(CgroupQuota.processors(cpuMax: damaged) == nil, "\(damaged)")
        }
    }

    @Test func `version 1 writes quota and period to files of their own`() {
        #expect(CgroupQuota.processors(quota: "200000\n", period: "100000\n") == 2)
        #expect(CgroupQuota.processors(quota: "-1\n", period: "100000\n") == nil)
        #expect(CgroupQuota.processors(quota: "", period: "") == nil)
    }

    @Test func `the tightest limit on the way to the root counts`() {
        let group = "0::/user.slice/a:b/app\n"
        #expect(quota(group, [:]) == nil)
        #expect(quota(group, ["/sys/fs/cgroup/user.slice/a:b/app/cpu.max": "300000 100000\n"]) == 3)
        #expect(
            quota(
                group,
                [
                    "/sys/fs/cgroup/user.slice/a:b/app/cpu.max": "max 100000\n",
                    "/sys/fs/cgroup/user.slice/a:b/cpu.max": "250000 100000\n",
                    "/sys/fs/cgroup/user.slice/cpu.max": "800000 100000\n",
                ]) == 2.5)
    }

    @Test func `a container that sees its own group as the root is limited by it`() {
        #expect(quota("0::/\n", ["/sys/fs/cgroup/cpu.max": "50000 100000\n"]) == 0.5)
        // The path is the host's, the files are the container's.
        #expect(quota("0::/kubepods/pod7/c1\n", ["/sys/fs/cgroup/cpu.max": "200000 100000\n"]) == 2)
    }

    @Test func `version 1 is found among the other hierarchies`() {
        let groups = "12:cpuset:/c\n5:cpu,cpuacct:/docker/77\n4:memory:/docker/77\n1:name=systemd:/docker/77\n"
        let folder = "/sys/fs/cgroup/cpu/docker/77"
        #expect(
            quota(groups, ["\(folder)/cpu.cfs_quota_us": "150000\n", "\(folder)/cpu.cfs_period_us": "50000\n"]) == 3)
        #expect(
            quota(
                groups,
                [
                    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                ]) == nil)
        // `cpuset` is another controller, whatever lies there.
        #expect(quota("12:cpuset:/c\n", ["/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us": "1"]) == nil)
    }

    @Test func `threads are whole processors of the quota, never more than may be used, one at least`() {
        func threads(_ processors: Int, _ quota: Double?) -> Int {
            ProcessorAllowance(processors: Array(0..<processors), quota: quota).threadCount
        }
        #expect(threads(8, nil) == 8)
        #expect(threads(8, 2.5) == 2)
        #expect(threads(8, 16) == 8)
        #expect(threads(8, 0.5) == 1)
        #expect(threads(0, nil) == 1)
        let eight = ProcessorAllowance(processors: Array(0..<8), quota: nil)
        #expect([1, 3, 8, 20, 0].map { eight.threadCount(sharedBy: $0) } == [8, 2, 1, 1, 8])
    }

    @Test func `this process may use a processor`() {
        let current = ProcessorAllowance.current
        #expect(!current.processors.isEmpty && current.processors == current.processors.sorted())
        #expect((1...current.processors.count).contains(current.threadCount))
    }

    @Test func `a list of processors is read as the kernel writes it`() {
        #expect(ProcessorPinning.processors(list: "0") == [0])
        #expect(ProcessorPinning.processors(list: "0,2-4,9") == [0, 2, 3, 4, 9])
        for wrong in ["", "a", "1,", "3-2", "-1", "1-2-3", "0-9000"] {
            #expect(ProcessorPinning.processors(list: wrong) == nil, "\(wrong)")
        }
    }

    @Test func `a processor that does not exist is refused`() {
        #expect(!ProcessorPinning.restrictCallingThread(to: [8191]))
        #expect(!ProcessorPinning.restrictCallingThread(to: [-1]))
        #expect(!ProcessorPinning.restrictCallingThread(to: [1 << 40]))
        #expect(!ProcessorPinning.restrictCallingThread(to: []))
    }
}
