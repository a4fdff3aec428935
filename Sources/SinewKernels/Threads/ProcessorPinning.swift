internal import CSinewKernels

/// Ties threads to processors, and says which ones the process may use.
package enum ProcessorPinning {
    /// The processors that the calling thread may run on, ascending: what `taskset`, a container or a batch system left.
    package static var allowed: [Int] {
        var numbers = [Int32](repeating: 0, count: 8192)
        let count = unsafe sinew_allowed_processors(&numbers, numbers.count)
        return numbers[..<count].map { Int($0) }
    }

    /// Lets the calling thread, and the threads it starts from now on, run on `processors` alone.
    ///
    /// - Returns: whether the kernel agreed; it refuses when none of them is ``allowed``.
    @discardableResult
    package static func restrictCallingThread(to processors: [Int]) -> Bool {
        let numbers = processors.compactMap { Int32(exactly: $0) }
        guard numbers.count == processors.count else { return false }
        return unsafe sinew_restrict_calling_thread(numbers, numbers.count) == 0
    }

    /// The numbers of a list as the kernel writes it, for example `0,2-3`; nil when it is none.
    package static func processors(list text: String) -> [Int]? {
        var found: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0,
                last >= first, last < 8192
            else { return nil }
            found += Array(first...last)
        }
        return found
    }
}
