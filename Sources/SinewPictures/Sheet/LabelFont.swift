internal import SinewArrayFiles
internal import SinewFormats

/// The letters of labels: DejaVu Sans Mono, ASCII, drawn once by `tools/viewer/label_font.py`.
struct LabelFont {
    let glyphWidth: Int
    let glyphHeight: Int
    /// `[95, glyphHeight, glyphWidth]` how much of a pixel is covered, from the blank on.
    private let coverage: [UInt8]

    /// Reads the font that ships with the package.
    init() throws(FormatError) {
        let bytes = try ViewerResource.bytes("labels.npz")
        do throws(ArrayFileError) {
            let glyphs = try NPZFile(bytes: bytes, path: "labels.npz").array("glyphs")
            try glyphs.expecting(shape: [95, -1, -1], name: "glyphs")
            (glyphHeight, glyphWidth) = (glyphs.shape[1], glyphs.shape[2])
            coverage = try glyphs.ints().map { UInt8(clamping: $0) }
        } catch {
            throw FormatError(.unreadableFile, "the labels' font cannot be read: \(error.message)")
        }
    }

    /// Draws a line of text; characters beyond ASCII are shown as `?`, and what is too long ends in two dots.
    func draw(
        _ text: String, on canvas: inout PixelCanvas, x: Int, y: Int, width: Int, colour: SIMD3<UInt8>
    ) {
        var characters = Array(text)
        let most = max(0, width / glyphWidth)
        if characters.count > most { characters = characters.prefix(max(0, most - 2)) + Array("..".prefix(most)) }
        for (place, character) in characters.enumerated() {
            let code = character.asciiValue.map(Int.init) ?? 63
            let glyph = (32...126).contains(code) ? code - 32 : 31
            for row in 0..<glyphHeight {
                for column in 0..<glyphWidth {
                    let share = coverage[(glyph * glyphHeight + row) * glyphWidth + column]
                    guard share > 0 else { continue }
                    canvas.blend(colour, share: share, x: x + place * glyphWidth + column, y: y + row)
                }
            }
        }
    }
}
