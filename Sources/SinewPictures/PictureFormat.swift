package import SinewFormats

/// The kinds of pictures, told apart by the ending of the file's name.
package enum PictureFormat: String, FileKind, Sendable {
    /// A page to turn and play, see ``ViewerPage``.
    case html = ".html"
    /// Skinned bodies and their motion for other programs, see ``BodyGLB``.
    case glb = ".glb"
    /// Frames side by side, see ``ContactSheet``.
    case png = ".png"

    /// Writes a scene; the file appears complete or not at all.
    ///
    /// - Parameter sheet: which frames a contact sheet shows; the other formats show all.
    /// - Throws: ``FormatError`` when the scene holds nothing that this format shows, or the file cannot be written.
    package func write(
        _ scene: PictureScene, to path: String, sheet: ContactSheet.Options = .init()
    ) throws(FormatError) {
        switch self {
        case .html: try ViewerPage.write(scene, to: path)
        case .glb: try BodyGLB.write(scene, to: path)
        case .png: try ContactSheet(scene, options: sheet).write(to: path)
        }
    }
}
