import Foundation
import SinewArrayFiles
import SinewBody
import SinewFormats
import SinewPictures
import TestSupport
import Testing

struct ViewerPageTests {
    /// What a browser makes of the text between two marks.
    private func between(_ start: String, _ end: String, in page: String) throws -> String {
        let from = try #require(page.range(of: start)).upperBound
        let to = try #require(page.range(of: end, range: from..<page.endIndex)).lowerBound
        return String(page[from..<to])
    }

    private func description(in page: String) throws -> JSONValue {
        let text = try between("<script type=\"application/json\" id=\"scene\">", "</script>", in: page)
        return try JSONValue.parse(Array(text.utf8)[...], name: "scene")
    }

    @Test func `two people for ten seconds in three layers stay below three megabytes`() throws {
        var random = SplitMix64(seed: 7)
        let tracks = ["left", "right"].map { solvedTrack(named: $0, count: 300, using: &random) }
        let poses = tracks.map { PoseTrack($0) }
        let observed = tracks.map {
            ObservedTrack(
                name: $0.name, frames: $0.frames, joints: $0.theta + $0.theta[..<(300 * 15)],
                observed: [UInt32](repeating: (1 << 29) - 1, count: 300))
        }
        let scene = PictureScene(
            title: "clip", framesPerSecond: 30,
            sources: [.observed(name: "input", observed), .poses(name: "a", poses), .poses(name: "b", poses)])
        let bytes = try ViewerPage.bytes(of: scene)
        #expect(bytes.count < 3_000_000, "\(bytes.count) bytes")
        #expect(try description(in: String(decoding: bytes, as: UTF8.self))["frameNumbers"]?.array?.count == 300)
    }

    @Test func `a long clip is thinned and says so`() throws {
        var random = SplitMix64(seed: 8)
        let page = try ViewerPage.bytes(of: scene([solvedTrack(named: "walk", count: 30_000, using: &random)]))
        #expect(page.count < 9_000_000, "\(page.count) bytes")
        let described = try description(in: String(decoding: page, as: UTF8.self))
        #expect(described["frameNumbers"]?.array?.prefix(3).compactMap(\.int) == [0, 3, 6])
        #expect(described["framesPerSecond"]?.double == 10)
        let notes = described["notes"]?.array?.compactMap(\.string) ?? []
        #expect(notes == ["The clip is long: of 30000 frames every third is here; the file of poses has them all"])
    }

    @Test func `hostile names end no block and start no element`() throws {
        var random = SplitMix64(seed: 9)
        let name = "</script><script>alert(1)</script><!-- &amp; \"'"
        let page = String(
            decoding: try ViewerPage.bytes(
                of: scene([solvedTrack(named: name, count: 2, using: &random)], title: name)),
            as: UTF8.self)
        #expect(!page.contains("alert(1)</script>"))
        #expect(page.contains("<title>&lt;/script&gt;&lt;script&gt;alert(1)"))
        #expect(try description(in: page)["people"]?.array?.first?.string == name)
    }

    @Test func `the page may run its own scripts and load nothing`() throws {
        var random = SplitMix64(seed: 10)
        let page = String(
            decoding: try ViewerPage.bytes(of: scene([solvedTrack(named: "a", count: 1, using: &random)])),
            as: UTF8.self)
        let policy = try between("Content-Security-Policy\" content=\"", "\"", in: page)
        #expect(policy.hasPrefix("default-src 'none'; script-src 'sha256-"))
        #expect(!policy.contains("unsafe") && !policy.contains("http"))
        var rest = page[...]
        var count = 0
        while let start = rest.range(of: "<script>") {
            let end = try #require(rest.range(of: "</script>", range: start.upperBound..<rest.endIndex))
            let digest = SHA256.digest(of: Array(rest[start.upperBound..<end.lowerBound].utf8))
            #expect(policy.contains("'sha256-\(Data(digest).base64EncodedString())'"))
            count += 1
            rest = rest[end.upperBound...]
        }
        #expect(count == 10)
        for loading in ["<link rel=\"stylesheet", "<script src", "@import", "url("] { #expect(!page.contains(loading)) }
    }

    @Test func `an empty scene is refused`() {
        #expect(throws: FormatError.self) { try ViewerPage.bytes(of: scene([])) }
    }
}
