internal import FoundationEssentials
internal import NIOCore
internal import SinewArrayFiles

/// The files of the dashboard, read into memory once: nothing that a request names reaches the file system.
struct DashboardAssets: Sendable {
    struct Asset: Sendable {
        let contentType: String
        /// Changes with the content.
        let entityTag: String
        let body: ByteBuffer
    }

    private var assets: [String: Asset] = [:]

    static let none = DashboardAssets()

    private init() {}

    /// Reads a folder; files whose type is not known are left out.
    init(folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            guard let type = Self.contentType(of: name), let bytes = try? FileContents.read("\(folder)/\(name)") else {
                continue
            }
            assets[name] = Asset(
                contentType: type, entityTag: "\"\(SHA256.hexDigest(of: bytes).prefix(32))\"",
                body: ByteBuffer(bytes: bytes))
        }
    }

    /// What ships with this program; nothing when it is not beside it.
    static func shipped() -> DashboardAssets {
        let folder = BundledResource.places(of: "dashboard", target: "SinewStatus").first {
            FileManager.default.fileExists(atPath: "\($0)/index.html")
        }
        return folder.map { DashboardAssets(folder: $0) } ?? .none
    }

    /// The file of a name; the page itself is `index.html`.
    subscript(name: String) -> Asset? { assets[name] }

    private static func contentType(of name: String) -> String? {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "txt": "text/plain; charset=utf-8"
        case "json": "application/json"
        default: nil
        }
    }
}
