internal import CZeroMQ

/// A CURVE public key: who a peer is.
public struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The key as 40 characters of Z85 (ZeroMQ RFC 32).
    public let z85: String

    /// The number of characters of a key in Z85.
    public static let characterCount = 40

    /// Reads a key; nil when the text is not 40 characters of Z85.
    public init?(z85: String) {
        guard CurveKeyText.bytes(of: z85) != nil else { return nil }
        self.z85 = z85
    }

    /// The 32 bytes, as a ZAP request carries them; nil when there are more or fewer.
    init?(bytes: [UInt8]) {
        guard let text = CurveKeyText.text(of: bytes) else { return nil }
        z85 = text
    }

    /// The key as Z85.
    public var description: String { z85 }
}

/// A CURVE key pair: what a peer proves with that it is who its public key says.
///
/// Printing one shows its public half only.
public struct CurveKeyPair: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The half to hand out.
    public let publicKey: CurvePublicKey
    /// The half to keep, as 40 characters of Z85.
    public let secretZ85: String

    /// Makes a new pair from the system's random numbers.
    ///
    /// - Throws: ``ZeroMQError`` when this libzmq was built without CURVE.
    public static func generate() throws(ZeroMQError) -> CurveKeyPair {
        // libzmq ends each text with a zero byte.
        var publicText = [CChar](repeating: 0, count: CurvePublicKey.characterCount + 1)
        var secretText = publicText
        guard unsafe zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .last("make a key pair") }
        guard let publicKey = CurvePublicKey(z85: CurveKeyText.string(publicText)) else {
            preconditionFailure("libzmq made a key that is no Z85")
        }
        return CurveKeyPair(publicKey: publicKey, secretZ85: CurveKeyText.string(secretText))
    }

    /// The pair of a secret key; nil when the text is not 40 characters of Z85, or this libzmq was built without CURVE.
    public init?(secretZ85: String) {
        guard CurveKeyText.bytes(of: secretZ85) != nil else { return nil }
        var publicText = [CChar](repeating: 0, count: CurvePublicKey.characterCount + 1)
        guard unsafe zmq_curve_public(&publicText, secretZ85) == 0,
            let publicKey = CurvePublicKey(z85: CurveKeyText.string(publicText))
        else { return nil }
        self.init(publicKey: publicKey, secretZ85: secretZ85)
    }

    private init(publicKey: CurvePublicKey, secretZ85: String) {
        self.publicKey = publicKey
        self.secretZ85 = secretZ85
    }

    /// The public half; the secret one is never printed.
    public var description: String { publicKey.z85 }
    /// The public half; the secret one is never printed.
    public var debugDescription: String { description }
    /// The public half; the secret one is never printed.
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// The keys of a connection, at the side that connects.
public struct CurveClientKeys: Sendable, Equatable {
    /// What this side proves itself with.
    public var own: CurveKeyPair
    /// The public key of the other side; whoever cannot prove to hold it is not talked to.
    public var server: CurvePublicKey

    /// Creates the keys of a connection.
    public init(own: CurveKeyPair, server: CurvePublicKey) {
        self.own = own
        self.server = server
    }
}

/// Z85 texts of 32 bytes.
private enum CurveKeyText {
    static func bytes(of text: String) -> [UInt8]? {
        guard text.utf8.count == CurvePublicKey.characterCount else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        return unsafe zmq_z85_decode(&bytes, text) == nil ? nil : bytes
    }

    static func text(of bytes: [UInt8]) -> String? {
        guard bytes.count == 32 else { return nil }
        var text = [CChar](repeating: 0, count: CurvePublicKey.characterCount + 1)
        return unsafe zmq_z85_encode(&text, bytes, bytes.count) == nil ? nil : string(text)
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
