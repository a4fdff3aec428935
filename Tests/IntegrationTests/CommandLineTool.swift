import Glibc
import SinewCommands

/// The built `sinew` binary, run as a person would run it.
enum CommandLineTool {
    /// What a finished command left behind.
    struct Finished {
        let termination: ChildProcess.Termination
        let output: String
        let talk: String

        var status: Int32? {
            if case .exited(let status) = termination { return status }
            return nil
        }
    }

    /// Nothing here should take this long; it ends a test that would hang.
    static let patience = Duration.seconds(60)

    /// Beside the test bundle, where the build puts both.
    static var path: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/sinew"
    }

    /// Runs a command to its end.
    static func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

    /// Runs a command to its end.
    static func run(_ arguments: [String]) async throws -> Finished {
        try await withProcess(arguments) { try await finish($0) }
    }

    /// Waits for a started command to end by itself.
    static func finish(_ process: ChildProcess) async throws -> Finished {
        guard let termination = await process.wait(atMost: patience) else {
            throw Trouble("sinew still runs after \(patience); it said: \(process.talk?.collected ?? "")")
        }
        return Finished(
            termination: termination, output: await process.output.text(), talk: await process.talk?.text() ?? "")
    }

    /// Starts a command and ends it, whatever `body` does.
    static func withProcess<Result>(
        _ arguments: [String], _ body: (ChildProcess) async throws -> Result
    ) async throws -> Result {
        let process = try ChildProcess(path, arguments, capturesTalk: true)
        do {
            let result = try await body(process)
            await end(process)
            return result
        } catch {
            await end(process)
            throw error
        }
    }

    private static func end(_ process: ChildProcess) async {
        process.send(signal: SIGKILL)
        _ = await process.wait()
    }
}

/// Why a test cannot go on.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
