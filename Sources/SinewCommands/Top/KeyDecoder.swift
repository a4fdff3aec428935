/// Bytes of a terminal as keys. Arrow keys come as escape sequences, perhaps in pieces.
package struct KeyDecoder: Sendable {
    private var pending: [UInt8] = []

    package init() {}

    /// The keys in `bytes`; the beginning of an escape sequence waits for the rest of it.
    package mutating func keys(in bytes: [UInt8]) -> [TopModel.Key] {
        pending += bytes
        var keys: [TopModel.Key] = []
        while let (key, length) = first() {
            pending.removeFirst(length)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// What is left when nothing followed: a lone escape is the escape key.
    package mutating func flush() -> [TopModel.Key] {
        defer { pending = [] }
        return pending == [0x1B] ? [.escape] : []
    }

    /// The first key and how many bytes it takes; a nil key is one that means nothing here. Nil: more bytes are needed.
    private func first() -> (key: TopModel.Key?, length: Int)? {
        guard let byte = pending.first else { return nil }
        switch byte {
        case 0x03: return (.interrupt, 1)
        case 0x1A: return (.suspend, 1)
        case 0x0D, 0x0A: return (.enter, 1)
        case 0x1B: return sequence()
        case 0x20..<0x7F: return (.character(Character(Unicode.Scalar(byte))), 1)
        default: return (nil, 1)
        }
    }

    /// CSI and SS3 sequences (ECMA-48): ESC [ parameters final, ESC O final.
    private func sequence() -> (key: TopModel.Key?, length: Int)? {
        guard pending.count > 1 else { return nil }
        guard pending[1] == UInt8(ascii: "[") || pending[1] == UInt8(ascii: "O") else { return (.escape, 1) }
        guard let end = pending[2...].firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            // No sequence that a key sends is longer.
            return pending.count > 16 ? (nil, pending.count) : nil
        }
        let key: TopModel.Key? =
            switch pending[end] {
            case UInt8(ascii: "A"): .up
            case UInt8(ascii: "B"): .down
            case UInt8(ascii: "H"): .home
            case UInt8(ascii: "F"): .end
            case UInt8(ascii: "~"):
                switch pending[2..<end] {
                case [UInt8(ascii: "5")]: .pageUp
                case [UInt8(ascii: "6")]: .pageDown
                case [UInt8(ascii: "1")], [UInt8(ascii: "7")]: .home
                case [UInt8(ascii: "4")], [UInt8(ascii: "8")]: .end
                default: nil
                }
            default: nil
            }
        return (key, end + 1)
    }
}
