internal import SinewArrayFiles

/// What an operator shows to change something: `Authorization: Bearer TOKEN`.
package struct OperatorToken: Sendable {
    /// 128 random bits take 22 characters of base64.
    package static let charactersMin = 16
    package static let charactersMax = 512

    /// Of the token, so that comparing takes the same time whatever is shown.
    private let digest: [UInt8]

    /// A token of visible ASCII characters; nil when it is too short, too long, or holds others.
    package init?(_ text: String) {
        guard (Self.charactersMin...Self.charactersMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        digest = SHA256.digest(of: Array(text.utf8))
    }

    /// The first line of a file that nobody else may read.
    package init(file path: String) throws(StatusError) {
        let bytes: [UInt8]
        do throws(ArrayFileError) {
            bytes = try FileContents.read(path)
            guard try !FileVersion(of: path).isOpenToOthers else {
                throw ArrayFileError(.io, "\(path) can be read by others on this machine: chmod 600 '\(path)'")
            }
        } catch { throw StatusError(.unusableToken, "the operator's token: \(error.message)") }
        let line = String(
            decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        guard let token = Self(line) else {
            throw StatusError(
                .unusableToken,
                "the first line of \(path) is no operator's token: it has \(Self.charactersMin)…\(Self.charactersMax) visible "
                    + "ASCII characters; make one with: (umask 077; head -c 24 /dev/urandom | base64 > '\(path)')")
        }
        self = token
    }

    /// Whether the value of a header `Authorization` shows this token. The time does not depend on how much of it is right.
    func isShown(in authorization: String?) -> Bool {
        guard let authorization, authorization.utf8.count <= Self.charactersMax + 16 else { return false }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        let shown = SHA256.digest(of: Array(parts[1].utf8))
        var difference: UInt8 = 0
        for (left, right) in zip(digest, shown) { difference |= left ^ right }
        return difference == 0
    }
}
