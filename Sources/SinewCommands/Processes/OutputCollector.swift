internal import Glibc
internal import Synchronization

/// Collects what a child process writes to a pipe, on a thread of its own, until the pipe ends.
package final class OutputCollector: Sendable {
    /// More than this is read and forgotten, so that a talkative child neither blocks nor fills our memory.
    static let bytesMax = 64 << 20

    private let bytes = Mutex<[UInt8]>([])
    private let firstLineLatch = Latch<String?>()
    private let end = Latch<Void>()

    /// Takes over `descriptor`.
    init(descriptor: Int32, name: String) {
        startThread(named: name) { [self] in
            read(from: descriptor)
            close(descriptor)
        }
    }

    /// The first line, `nil` when there is none within the limit or at all.
    package func firstLine(atMost limit: Duration) async -> String? {
        await firstLineLatch.wait(atMost: limit) ?? nil
    }

    /// All of it, once the child and everything that shares its pipe has ended.
    package func text() async -> String {
        _ = await end.wait()
        return collected
    }

    /// What came so far.
    package var collected: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    private func read(from descriptor: Int32) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            let line = bytes.withLock { bytes -> String? in
                if bytes.count < Self.bytesMax { bytes.append(contentsOf: chunk[..<count]) }
                guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            if let line { firstLineLatch.set(line) }
        }
        firstLineLatch.set(nil)
        end.set(())
    }
}
