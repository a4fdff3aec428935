/// The content of a key file: lines `public KEY` and `secret KEY`, the keys in Z85; empty lines and those that begin with `#` say nothing.
package struct CurveKeyFile: Sendable {
    /// The public half; nil when the file does not state it.
    package var publicKey: CurvePublicKey?
    /// The secret half as it is written; nil in a file that is to be handed out.
    package var secretZ85: String?

    /// Reads a file's content; nil when a line is something else.
    package init?(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard !words.isEmpty else { continue }
            guard words.count == 2 else { return nil }
            switch words[0] {
            case "public":
                guard let key = CurvePublicKey(z85: String(words[1])) else { return nil }
                publicKey = key
            case "secret": secretZ85 = String(words[1])
            default: return nil
            }
        }
    }

    /// The pair; nil when there is no secret half, or when it is not the other half of the public one.
    package var pair: CurveKeyPair? {
        guard let secretZ85, let pair = CurveKeyPair(secretZ85: secretZ85) else { return nil }
        guard let publicKey, publicKey != pair.publicKey else { return pair }
        return nil
    }
}

extension CurveClientKeys {
    /// Reads the contents of files that `sinew keys generate` made.
    ///
    /// - Parameters:
    ///   - own: the content of this side's key file, the one that is not handed out.
    ///   - server: the content of the other side's `.pub` file.
    /// - Returns: nil when either is not the content of such a file.
    public init?(ownKeyFile own: String, serverKeyFile server: String) {
        guard let pair = CurveKeyFile(own)?.pair, let key = CurveKeyFile(server)?.publicKey else { return nil }
        self.init(own: pair, server: key)
    }
}
