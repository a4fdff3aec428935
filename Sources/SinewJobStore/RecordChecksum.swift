internal import SinewArrayFiles
internal import SinewCore

/// The checksum of a record: the first 8 bytes of the SHA-256 over its kind, its place and everything it holds, so that neither a
/// flipped bit nor a record that lies in another one's place goes unseen.
struct RecordChecksum: ~Copyable {
    enum Kind: UInt8 {
        case job = 1
        case task = 2
        case end = 3
        case payload = 4
        case label = 5
        case result = 6
        case setting = 7
        case tries = 8
    }

    private let digest = MessageDigest()
    /// Fields of one record; kept for its capacity.
    private var fields: [UInt8] = []

    mutating func begin(_ kind: Kind) {
        fields.removeAll(keepingCapacity: true)
        fields.append(kind.rawValue)
    }

    mutating func add(_ value: Int64) {
        let bits = UInt64(bitPattern: value)
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            fields.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
    }

    mutating func add(_ value: Int) { add(Int64(value)) }

    /// Nil differs from every number.
    mutating func add(_ value: Int64?) {
        fields.append(value == nil ? 0 : 1)
        add(value ?? 0)
    }

    mutating func add(_ bytes: [UInt8]) {
        add(bytes.count)
        fields.append(contentsOf: bytes)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ hash: ContentHash) { fields.append(contentsOf: hash.bytes) }

    /// The checksum of the fields added since `begin`, and of bytes that are not copied for it.
    mutating func finish(over bytes: [UInt8] = []) -> Int64 {
        digest.update(fields)
        if !bytes.isEmpty { digest.update(bytes) }
        let words = digest.finish()
        return words[..<8].reduce(0) { $0 << 8 | Int64($1) }
    }

    /// The SHA-256 of a payload.
    func hash(of bytes: [UInt8]) -> ContentHash {
        digest.update(bytes)
        guard let hash = ContentHash(bytes: digest.finish()) else { preconditionFailure("a SHA-256 of another length") }
        return hash
    }
}
