internal import SinewMessagePack

/// A message of `proto/`: a msgpack map from field names to values.
///
/// Written: every field, except optional ones that are nil. Read: a missing or nil field keeps its default, an unknown field is
/// skipped, of a repeated key the last one counts.
package protocol WireMessage: WireValue, Sendable, Equatable {
    /// The full name in `proto/`, for example `sinew.v1.SolvePosesRequest`.
    static var messageName: String { get }
}

extension WireMessage {
    /// The message as msgpack.
    package func encode() -> [UInt8] {
        var packer = Packer()
        pack(into: &packer)
        return packer.finish()
    }

    /// Reads a message out of a frame.
    ///
    /// - Throws: ``WireError`` that names the message and the field.
    /// - Cost: one copy of each tensor's data, into the array that is kept.
    package init(decoding bytes: RawSpan) throws(WireError) {
        do {
            self = try Unpacker.read(bytes) { (unpacker) throws(MessagePackError) in try Self.unpack(from: &unpacker) }
        } catch { throw WireError(error, reading: Self.messageName) }
    }

    /// Reads a message where libzmq received it.
    package init(decoding bytes: Span<UInt8>) throws(WireError) { try unsafe self.init(decoding: bytes.bytes) }

    /// Reads a message out of an array.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(decoding: bytes.span) }
}

/// A method of a service: its name on the wire and its two messages. The generator makes one per `rpc`.
package protocol WireMethod {
    /// What the caller sends.
    associatedtype Request: WireMessage
    /// What comes back when the status is OK.
    associatedtype Reply: WireMessage
    /// For example `sinew.v1.PoseSolver/SolvePoses`.
    static var name: String { get }
}
