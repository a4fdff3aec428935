/// Where the parts of a message stand among its frames (behind the routing id at a ROUTER).
///
/// `head`, or `head, payload`, or `head, metadata, payload`. The metadata of a call is a ``CallMetadata``, perhaps with further keys, and
/// everybody forwards it as it is; that of a reply is a ``ReplyMetadata``.
package enum Frames {
    /// The most frames a message has.
    package static let countMax = 3

    /// Which frame holds the payload, or nil when the message has none.
    ///
    /// - Throws: ``WireError`` with reason `wrongFrames` when there is no head, or more than three frames.
    package static func payloadIndex(frameCount: Int) throws(WireError) -> Int? {
        switch frameCount {
        case 1: return nil
        case 2, 3: return frameCount - 1
        default:
            throw WireError(
                .wrongFrames, "a message of \(frameCount) frames; it has a head, and may have metadata and a payload")
        }
    }
}
