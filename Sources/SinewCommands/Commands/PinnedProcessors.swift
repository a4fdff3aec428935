internal import ArgumentParser
internal import SinewKernels

/// The processors of `--processors`.
enum PinnedProcessors {
    /// Reads a list such as `0,2-3`.
    ///
    /// - Parameters:
    ///   - text: nil stands for all that are allowed.
    ///   - allowed: the processors that the process may run on.
    /// - Throws: `ValidationError` when it is no list or names a processor that is not allowed.
    static func list(_ text: String?, allowed: [Int]) throws -> [Int] {
        guard let text else { return allowed }
        guard let processors = ProcessorPinning.processors(list: text) else {
            throw ValidationError("--processors '\(text)' is no list of processors; write for example 0,2-3")
        }
        if let forbidden = processors.first(where: { !allowed.contains($0) }) {
            throw ValidationError(
                "--processors: this process may not run on processor \(forbidden), only on \(Self.text(of: allowed))")
        }
        return processors
    }

    /// The list as it is typed.
    static func text(of processors: [Int]) -> String { processors.map { "\($0)" }.joined(separator: ",") }
}
