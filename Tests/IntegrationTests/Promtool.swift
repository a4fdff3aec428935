import Foundation
import SinewCommands

/// Prometheus's own tool, from Debian's package `prometheus`.
enum Promtool {
    /// What `promtool check metrics` says about a scrape; nothing when it is in order.
    static func checkMetrics(_ text: [UInt8]) async throws -> String {
        let path = NSTemporaryDirectory() + "sinew-scrape-\(UUID().uuidString).txt"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text).write(to: URL(fileURLWithPath: path))
        // It reads standard input, which a child here does not choose.
        let process = try ChildProcess(
            "/bin/sh", ["-c", "exec promtool check metrics < \"$0\"", path], capturesTalk: true)
        guard let ended = await process.wait(atMost: .seconds(60)) else {
            process.send(signal: SIGKILL)
            _ = await process.wait()
            throw Trouble("promtool does not end")
        }
        let said = await process.output.text() + (await process.talk?.text() ?? "")
        return ended == .exited(0) && said.isEmpty ? "" : "\(ended) \(said)"
    }
}
