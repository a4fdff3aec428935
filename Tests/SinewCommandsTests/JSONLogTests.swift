import Foundation
import Logging
import SinewCommands
import Synchronization
import Testing

/// What the handler writes, read by another implementation of JSON and of dates.
struct JSONLogTests {
    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        func add(_ line: String) { kept.withLock { $0.append(line) } }
    }

    private func logger(at microseconds: Int64 = 0, _ lines: Lines) -> Logger {
        Logger(label: "sinew.test") { label in
            JSONLogHandler(label: label, now: { microseconds }, write: { lines.add($0) })
        }
    }

    private func object(_ line: String?) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(try #require(line).utf8))
        return try #require(parsed as? [String: Any])
    }

    @Test func `a line has time, level, label, message and metadata`() throws {
        let lines = Lines()
        logger(at: 1_769_850_307_000_250, lines).info("worker joined", metadata: ["worker": "a", "credits": "64"])
        #expect(
            lines.all == [
                #"{"time":"2026-01-31T09:05:07.000250Z","level":"info","label":"sinew.test","message":"worker joined","#
                    + #""metadata":{"credits":"64","worker":"a"}}"#
            ])
    }

    @Test func `whatever a peer puts into a text, it is one line and reads back the same`() throws {
        let lines = Lines()
        let hostile = "a\"b\\c\nd\re\tf\u{0}\u{1B}[31m\u{7F}\u{2028}é🙂"
        logger(lines).warning("\(hostile)", metadata: ["\(hostile)": "\(hostile)"])
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1 && !line.contains("\n") && !line.contains("\r"))
        let read = try object(line)
        #expect(read["message"] as? String == hostile)
        #expect((read["metadata"] as? [String: String]) == [hostile: hostile])
    }

    @Test func `metadata of the logger, of the message and of an error come together`() throws {
        let lines = Lines()
        var logger = logger(lines)
        logger[metadataKey: "worker"] = "a"
        logger[metadataKey: "model"] = "niki"
        logger.info("nested", metadata: ["model": "hybrik", "list": ["1", ["key": "value"]]])
        logger.info("plain")
        let metadata = try #require(try object(lines.all.first)["metadata"] as? [String: Any])
        #expect(metadata["worker"] as? String == "a" && metadata["model"] as? String == "hybrik")
        let list = try #require(metadata["list"] as? [Any])
        #expect(list[0] as? String == "1" && list[1] as? [String: String] == ["key": "value"])
        #expect(try object(lines.all.last)["metadata"] as? [String: String] == ["worker": "a", "model": "niki"])
    }

    @Test func `what is less important than the level is not written`() {
        let lines = Lines()
        var logger = logger(lines)
        logger.logLevel = .warning
        logger.info("no")
        logger.error("yes")
        #expect(lines.all.count == 1 && lines.all[0].contains(#""level":"error""#))
    }

    @Test(arguments: [
        0, 1, 951_782_399_999_999, 951_782_400_000_000, 951_868_800_000_000, 1_709_164_800_123_456,
        4_107_542_399_000_000, 253_402_300_799_999_999,
    ])
    func `times are those of Foundation's calendar in UTC`(microseconds: Int64) throws {
        let lines = Lines()
        logger(at: microseconds, lines).info("x")
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss"
        let second = formatter.string(from: Date(timeIntervalSince1970: Double(microseconds / 1_000_000)))
        let fraction = String(1_000_000 + microseconds % 1_000_000).dropFirst()
        #expect(try object(lines.all.first)["time"] as? String == "\(second).\(fraction)Z")
    }
}
