/// Where the weights of a product are expected to come from. It decides how a kernel fetches them (templates/sgemm.h) and never
/// what comes out, bit for bit.
package enum WeightSource: Sendable, CaseIterable {
    /// They lie in a cache since they were last used.
    case cache
    /// They have to be read from memory, as in every pass through a network that is larger than the last cache.
    case memory

    /// Bytes of weights that the process holds; those of a dropped model count until the last of its neighbours is dropped.
    package static var bytesInUse: Int { WeightMemory.bytesInUse }

    /// What decides for the whole process: a server goes through all its weights as batches come, so they stay in cache when
    /// all of them fit and hardly any stays when they do not.
    ///
    /// - Cost: reads two numbers.
    package static var expected: WeightSource { bytesInUse > cacheBytes ? .memory : .cache }

    /// Bytes of weights that stay in cache: three quarters of the last cache, for activations pass through it too.
    package static let cacheBytes = lastCacheBytes(read: ProcessorAllowance.text(ofFile:)) / 4 * 3

    /// Bytes of the largest cache of the first processor, as Linux tells under `/sys`; 8 MiB where it does not.
    ///
    /// `sysconf` is not asked: it multiplies by what it takes for the number of cores, and where 32 MiB were it said 320.
    ///
    /// - Parameter read: gives the text of a file, nil when there is none.
    package static func lastCacheBytes(read: (String) -> String?) -> Int {
        let cache = "/sys/devices/system/cpu/cpu0/cache"
        let sizes = (0..<8).compactMap { read("\(cache)/index\($0)/size").flatMap(bytes(size:)) }
        return sizes.max() ?? 8 << 20
    }

    /// `32768K` or `32M`, and a line's end.
    private static func bytes(size: String) -> Int? {
        let digits = size.prefix { $0.isNumber }
        let units = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "": 1]
        guard let number = Int(digits), number > 0,
            let unit = units[size.dropFirst(digits.count).filter { $0.isLetter }]
        else { return nil }
        return number * unit
    }
}
