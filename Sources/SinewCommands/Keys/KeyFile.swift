internal import SinewArrayFiles
internal import SinewZeroMQ

/// Files with keys: `NAME` holds both halves and is for its owner alone, `NAME.pub` holds the public half and is to be handed out.
///
/// What stands in them is ``CurveKeyFile``'s.
enum KeyFile {
    /// A key file has two lines and a comment.
    private static let bytesMax = 4_096

    /// Where the public half of the key at `path` lies.
    static func publicPath(_ path: String) -> String { path + ".pub" }

    /// Makes a key and writes both of its files.
    ///
    /// - Parameter replacing: whether a key that is there may be lost.
    static func generate(at path: String, replacing: Bool) throws -> CurvePublicKey {
        let pair = try makePair()
        let secret = """
            # A key of Sinew. Keep this file to yourself and hand out \(publicPath(path)).
            public \(pair.publicKey)
            secret \(pair.secretZ85)

            """
        let open = "# A public key of Sinew.\npublic \(pair.publicKey)\n"
        if replacing {
            try AtomicFile.write(parts: [Array(secret.utf8)], to: path, for: .owner)
        } else {
            // The public half is looked for first, so that nothing is left behind when it is there.
            guard !exists(publicPath(path)), try AtomicFile.create(Array(secret.utf8), at: path, for: .owner) else {
                throw CommandFailure(
                    .refused,
                    "\(path) or \(publicPath(path)) is there already, and whoever knows that key would not know the new one: "
                        + "choose another name, or add --force to replace it")
            }
        }
        try AtomicFile.write(Array(open.utf8), to: publicPath(path))
        return pair.publicKey
    }

    /// A pair whose public key can be typed as an argument: many characters of Z85 mean something at the beginning of a word.
    private static func makePair() throws -> CurveKeyPair {
        while true {
            let pair = try CurveKeyPair.generate()
            if pair.publicKey.z85.first.map({ $0.isLetter || $0.isNumber }) ?? false { return pair }
        }
    }

    private static func exists(_ path: String) -> Bool { (try? FileVersion(of: path)) != nil }

    /// The pair in a file that nobody else may read.
    ///
    /// - Parameter option: what named the file, for messages.
    static func pair(at path: String, option: String) throws -> CurveKeyPair {
        let file = try content(of: path, option: option)
        guard file.secretZ85 != nil else {
            throw CommandFailure(
                .badData,
                "\(option) '\(path)' has no line “secret KEY”: it wants the file of the key itself, and not what is handed out"
            )
        }
        guard try !FileVersion(of: path).isOpenToOthers else {
            throw CommandFailure(
                .refused, "\(option) '\(path)' can be read by others on this machine: chmod 600 '\(path)'")
        }
        guard let pair = file.pair else {
            throw CommandFailure(
                .badData,
                "\(option) '\(path)': the secret key is no Z85, or not the other half of the public one; "
                    + "make a new key with sinew keys generate")
        }
        return pair
    }

    /// A public key that is written out or lies in a file (either of the two).
    static func publicKey(_ text: String, option: String) throws -> CurvePublicKey {
        if let key = CurvePublicKey(z85: text) { return key }
        guard exists(text) else {
            throw CommandFailure(
                .usage, "\(option) '\(text)' is neither a public key (40 characters of Z85) nor a file with one")
        }
        guard let key = try content(of: text, option: option).publicKey else {
            throw CommandFailure(.badData, "\(option) '\(text)' has no line “public KEY”")
        }
        return key
    }

    private static func content(of path: String, option: String) throws -> CurveKeyFile {
        let bytes = try AtomicFile.read(path, bytesMax: bytesMax)
        guard let text = String(validating: bytes, as: UTF8.self), let file = CurveKeyFile(text) else {
            throw CommandFailure(
                .badData, "\(option) '\(path)' is no key file: each line is “public KEY” or “secret KEY”")
        }
        return file
    }
}
