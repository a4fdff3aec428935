internal import SinewArrayFiles
internal import SinewFormats

/// The files that pictures are made of, which ship with the package.
enum ViewerResource {
    /// A file's text.
    static func text(_ name: String) throws(FormatError) -> String { String(decoding: try bytes(name), as: UTF8.self) }

    /// A file's bytes.
    static func bytes(_ name: String) throws(FormatError) -> [UInt8] {
        let places = BundledResource.places(of: "viewer/\(name)", target: "SinewPictures")
        for place in places {
            do throws(ArrayFileError) {
                return try AtomicFile.read(place, bytesMax: 16 << 20)
            } catch {
                // The next place may have it.
                guard error.reason == .missingFile else { throw FormatError(.io, error.message) }
            }
        }
        throw FormatError(
            .missingFile,
            "the viewer's \(name) is in none of \(places.joined(separator: ", ")); keep the folder "
                + "\(BundledResource.bundleName(of: "SinewPictures")) beside the executable")
    }
}
