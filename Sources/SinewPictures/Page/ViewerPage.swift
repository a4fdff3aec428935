internal import FoundationEssentials
internal import SinewArrayFiles
internal import SinewBody
package import SinewFormats

/// Writes a scene as one HTML page that needs nothing else: no network, no server, no other file.
///
/// The page carries three.js (MIT licence, in the page too), the viewer's scripts, and the scene: the body once (faces and weights, a mesh per shape), and
/// per person and frame 72 angles and a place. Scripts and styles are allowed by their SHA-256 alone, and the page may load nothing. A clip of
/// 300 frames and two people with three layers takes about 2 MB; longer ones are thinned (``PageData/motionBytesMax``), and a note says so.
package enum ViewerPage {
    /// In the order in which they build on each other.
    private static let scripts = [
        "three.min.js", "scene.js", "kinematics.js", "measures.js", "orbit.js", "figures.js", "stage.js", "timeline.js",
        "panel.js",
        "viewer.js",
    ]

    /// The page as UTF-8.
    ///
    /// - Throws: ``FormatError`` when the scene has no frame, or a file of the package is missing.
    package static func bytes(of scene: PictureScene) throws(FormatError) -> [UInt8] {
        guard !scene.frameNumbers.isEmpty else {
            throw FormatError(.invalidData, "\(scene.title): there is no frame to show")
        }
        let data: PageData
        do throws(BodyError) { data = try PageData(scene) } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .unreadableFile, error.message)
        }
        let style = try ViewerResource.text("viewer.css")
        var sources: [String] = []
        for name in scripts { sources.append(try ViewerResource.text(name)) }
        let policy = [
            "default-src 'none'", "script-src \(sources.map(hash).joined(separator: " "))", "style-src \(hash(style))",
            "img-src data:",
            "base-uri 'none'", "form-action 'none'",
        ].joined(separator: "; ")
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="generator" content="sinew">
            <link rel="icon" href="data:,">
            <title>\(escaped(scene.title)) – Sinew</title>
            <style>\(style)</style>
            </head>
            <body>

            """
        page += try ViewerResource.text("viewer.html")
        // A script block ends at the first "</", whoever wrote it; in JSON "<" can be written otherwise.
        page += "<script type=\"application/json\" id=\"scene\">"
        page += data.json.replacing("<", with: "\\u003c") + "</script>\n"
        page += "<script type=\"text/plain\" id=\"numbers\">\(data.numbers.encoded)</script>\n"
        page += "<!--\n\(try ViewerResource.text("LICENSE.three.txt"))-->\n"
        for source in sources { page += "<script>\(source)</script>\n" }
        page += "</body>\n</html>\n"
        return Array(page.utf8)
    }

    /// Writes the page; it appears complete or not at all.
    package static func write(_ scene: PictureScene, to path: String) throws(FormatError) {
        let bytes = try bytes(of: scene)
        do throws(ArrayFileError) { try AtomicFile.write(bytes, to: path) } catch {
            throw FormatError(error.reason == .missingFile ? .missingFile : .io, error.message)
        }
    }

    private static func hash(_ text: String) -> String {
        "'sha256-\(Data(SHA256.digest(of: Array(text.utf8))).base64EncodedString())'"
    }

    /// Text as HTML shows it.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
