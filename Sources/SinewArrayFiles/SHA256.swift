internal import CLibCrypto

/// SHA-256, to recognise weights, body files, and the tasks of jobs.
package enum SHA256 {
    /// The digest of bytes, 32 bytes.
    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        let digest = MessageDigest()
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest of a file in lowercase hexadecimal, read in pieces.
    package static func hexDigest(ofFile path: String) throws(ArrayFileError) -> String {
        let file = try SystemFile(reading: path)
        let digest = MessageDigest()
        while true {
            let piece = try file.read(upTo: 1 << 20)
            if piece.isEmpty { return hexadecimal(digest.finish()) }
            digest.update(piece)
        }
    }

    /// The digest of bytes in lowercase hexadecimal.
    package static func hexDigest(of bytes: [UInt8]) -> String { hexadecimal(digest(of: bytes)) }

    /// Bytes in lowercase hexadecimal.
    package static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

/// A SHA-256 that is fed in pieces and can be used again after each ``finish()``, which saves libcrypto's set-up.
@safe
package struct MessageDigest: ~Copyable {
    private let context: OpaquePointer

    package init() {
        // Both calls fail only when memory is exhausted or libcrypto was built without SHA-256.
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto cannot start a SHA-256 digest")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package func update(_ bytes: [UInt8]) {
        let result = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(result == 1, "libcrypto refused to digest")
    }

    /// The 32 bytes of the digest; what comes next belongs to a new one.
    package func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let result = unsafe digest.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil)
        }
        precondition(result == 1, "libcrypto refused to finish a digest")
        let restarted = unsafe EVP_DigestInit_ex(context, nil, nil)
        precondition(restarted == 1, "libcrypto refused to start a digest again")
        return digest
    }
}
