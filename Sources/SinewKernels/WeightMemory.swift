internal import Glibc
internal import Synchronization

/// A stretch of address space on huge pages that weights are laid into one after the other.
///
/// A network reads all its weights once per batch. On pages of 4 KiB a core waits at every page for the page table, and the
/// fetching ahead by the hardware ends there too: a plain read of 92 MiB gave 15 GB/s on such pages and 25 GB/s on pages of 2 MiB (Zen 4
/// under KVM). Where the system gives no huge pages the memory is the same, with small ones.
@safe
internal final class WeightMemory {
    /// Bytes of a huge page.
    private static let page = 2 << 20
    /// Bytes asked for at a time; pages that are never touched cost nothing.
    private static let size = 32 << 20

    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    /// Bytes given out; changes only under the lock of ``current``.
    private var used = 0

    /// Bytes given out by all stretches that live.
    private static let given = Atomic(0)

    /// See ``WeightSource/bytesInUse``.
    internal static var bytesInUse: Int { given.load(ordering: .relaxed) }

    private struct Current: Sendable {
        weak var memory: WeightMemory?
    }

    /// The stretch that still has room; it goes when the last of its weights goes, so that models can be loaded and dropped for ever.
    private static let current = Mutex(Current())

    private init(bytes: Int) {
        capacity = max(Self.size, (bytes + Self.page - 1) / Self.page * Self.page)
        mappedBytes = capacity + Self.page
        let mapping = unsafe mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            let problem = "the system gave no \(mappedBytes) bytes for weights (errno \(errno))"
            fatalError("\(problem); free memory or load fewer models")
        }
        unsafe self.mapping = mapping
        let skipped = -Int(bitPattern: mapping) & (Self.page - 1)
        unsafe base = unsafe mapping + skipped
        // Advice: a system without huge pages refuses, and the memory works as it is.
        _ = unsafe madvise(base, capacity, MADV_HUGEPAGE)
    }

    deinit {
        unsafe munmap(mapping, mappedBytes)
        Self.given.subtract(used, ordering: .relaxed)
    }

    /// Zeroed bytes at a cache line that nobody else gets: what keeps them alive, and where in it they begin.
    internal static func allocate(bytes: Int) -> (owner: WeightMemory, offset: Int) {
        let needed = (max(bytes, 1) + 63) / 64 * 64
        return current.withLock { current in
            if let memory = current.memory, memory.capacity - memory.used >= needed {
                return (memory, memory.take(needed))
            }
            let memory = WeightMemory(bytes: needed)
            current.memory = memory
            return (memory, memory.take(needed))
        }
    }

    private func take(_ bytes: Int) -> Int {
        defer { used += bytes }
        Self.given.add(bytes, ordering: .relaxed)
        return used
    }

    /// The address of what ``allocate(bytes:)`` gave; good for as long as its owner.
    internal func start(at offset: Int) -> UnsafeMutableRawPointer { unsafe base + offset }
}

/// Its own state changes only under the lock of `current`; the bytes it gives out each have one owner, who answers for them.
extension WeightMemory: @unchecked Sendable {}
