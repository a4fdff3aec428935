internal import SinewMessagePack

/// The first frame of every message (behind the routing id at a ROUTER): all that a broker reads.
///
/// A msgpack array of 13: `[version, kind, method, model, call_id, timeout_us | nil, lease, attempt, priority, tenant, items,
/// status, error]`. Elements after the 13th are skipped, so that a later version may add some.
package struct Head: Equatable, Sendable {
    /// The protocol version written, and the only one read.
    package static let version: UInt8 = 1
    /// Longest method name, bytes; the longest in use has 30.
    package static let methodBytesMax = 128
    /// Longest model name with version, bytes.
    package static let modelBytesMax = 128
    /// Longest tenant name, bytes.
    package static let tenantBytesMax = 64
    /// Longest head, bytes: three names and ten numbers fit. A longer frame is refused before it is read.
    package static let bytesMax = 1024

    /// What a message is. A client and a broker speak 1…7, a worker and a broker 10…24.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// Client → broker: a request; payload is the method's request message.
        case call = 1
        /// Client → broker: the result of `callID` is no longer wanted.
        case cancel = 2
        /// Client → broker: are you there? Answered by ``pong`` with the same `callID`.
        case ping = 3
        /// Broker → client: the answer of `callID`; payload is the reply message, or `ErrorDetail` when status is not 0.
        case reply = 5
        /// Broker → client: the answer to ``ping``. `lease` is a random number, another one each time a broker starts.
        case pong = 6
        /// Broker → client: no new calls please, the broker drains.
        case goingAway = 7
        /// Worker → broker: the first message; payload `WorkerHello`.
        case hello = 10
        /// Worker → broker: alive; payload `WorkerBeat`.
        case beat = 11
        /// Worker → broker: the answer of the task with `lease`; payload as in ``reply``.
        case result = 12
        /// Worker → broker: the task with `lease` was not begun and goes back; costs no attempt.
        case returned = 13
        /// Worker → broker: the last message.
        case goodbye = 14
        /// Broker → worker: the answer to ``hello``; payload `WorkerWelcome`.
        case welcome = 20
        /// Broker → worker: a call to work on, under `lease`; payload is the client's, untouched.
        case task = 21
        /// Broker → worker: the result of `lease` is no longer wanted.
        case cancelTask = 22
        /// Broker → worker: I do not know you (a broker that was started anew), say ``hello``.
        case helloAgain = 23
        /// Broker → worker: return what was not begun, finish the rest, say ``goodbye``.
        case drain = 24
    }

    /// What the message is.
    package var kind: Kind
    /// Full method name, for example `sinew.v1.PoseSolver/SolvePoses`; empty where the kind has none.
    package var method: String
    /// `name` or `name/version`; empty where the method needs no model.
    package var model: String
    /// Chosen by the client, unique among its connection's calls; echoed in everything about the call.
    package var callID: UInt64
    /// Time that is left, microseconds; nil is no deadline. Every hop writes its own remainder.
    package var timeoutMicroseconds: UInt64?
    /// Chosen by the broker for each dispatch of a task to a worker; a result under an old lease changes nothing.
    package var lease: UInt64
    /// 1 for the first try.
    package var attempt: UInt8
    /// Larger is sooner.
    package var priority: UInt8
    /// On whose account the work goes; empty is the default tenant.
    package var tenant: String
    /// How many people the payload holds: the unit of credits and batches.
    package var items: UInt32
    /// How a call ended; ok in everything but ``Kind/reply`` and ``Kind/result``.
    package var status: StatusCode
    /// The number of a `ServiceErrorCode`; 0 is none.
    package var errorCode: UInt16

    /// Creates a head.
    package init(
        kind: Kind, method: String = "", model: String = "", callID: UInt64 = 0, timeoutMicroseconds: UInt64? = nil,
        lease: UInt64 = 0, attempt: UInt8 = 1, priority: UInt8 = 0, tenant: String = "", items: UInt32 = 0,
        status: StatusCode = .ok, errorCode: UInt16 = 0
    ) {
        self.kind = kind
        self.method = method
        self.model = model
        self.callID = callID
        self.timeoutMicroseconds = timeoutMicroseconds
        self.lease = lease
        self.attempt = attempt
        self.priority = priority
        self.tenant = tenant
        self.items = items
        self.status = status
        self.errorCode = errorCode
    }

    /// The head as msgpack.
    package func encode() -> [UInt8] {
        var packer = Packer()
        pack(into: &packer)
        return packer.finish()
    }

    /// Writes the head behind what was packed before.
    func pack(into packer: inout Packer) {
        packer.packArrayHeader(count: 13)
        packer.pack(UInt64(Head.version))
        packer.pack(UInt64(kind.rawValue))
        packer.pack(method)
        packer.pack(model)
        packer.pack(callID)
        if let timeoutMicroseconds { packer.pack(timeoutMicroseconds) } else { packer.packNil() }
        packer.pack(lease)
        packer.pack(UInt64(attempt))
        packer.pack(UInt64(priority))
        packer.pack(tenant)
        packer.pack(UInt64(items))
        packer.pack(UInt64(status.rawValue))
        packer.pack(UInt64(errorCode))
    }

    /// Reads a head.
    ///
    /// - Parameter last: a head whose names this one probably has as well; those that are equal are shared with it.
    /// - Throws: ``WireError`` with reason `unsupportedVersion`, `unknownKind`, `limitExceeded` or `malformed`.
    package init(decoding bytes: RawSpan, like last: Head? = nil) throws(WireError) {
        guard bytes.byteCount <= Head.bytesMax else {
            throw WireError(
                .limitExceeded, "head: \(bytes.byteCount) bytes, at most \(Head.bytesMax) are accepted")
        }
        let fields: Result<Head, WireError>
        do {
            fields = try Unpacker.read(bytes, limits: UnpackingLimits(nestingMax: 4, countMax: 64)) {
                (unpacker) throws(MessagePackError) in
                try unpacker.readArray { (unpacker, count) throws(MessagePackError) in
                    try Head.decodeFields(&unpacker, count: count, like: last)
                }
            }
        } catch { throw WireError(error, reading: "head") }
        self = try fields.get()
    }

    /// Reads a head where libzmq received it.
    package init(decoding bytes: Span<UInt8>, like last: Head? = nil) throws(WireError) {
        try unsafe self.init(decoding: bytes.bytes, like: last)
    }

    /// Reads a head out of an array.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(decoding: bytes.span) }

    /// Reads the elements of the array. A failure that msgpack cannot name (version, kind, status) comes as a value, once all
    /// elements are read.
    private static func decodeFields(
        _ unpacker: inout Unpacker, count: Int, like last: Head?
    ) throws(MessagePackError) -> Result<Head, WireError> {
        var read = 0
        func skipRest(_ unpacker: inout Unpacker) throws(MessagePackError) {
            while read < count {
                try unpacker.skip()
                read += 1
            }
        }
        guard count >= 1 else { return .failure(WireError(.malformed, "head: an empty array")) }
        let version = try unpacker.readInteger(UInt64.self)
        read = 1
        guard version == UInt64(Head.version) else {
            try skipRest(&unpacker)
            return .failure(
                WireError(
                    .unsupportedVersion,
                    "head: protocol version \(version), this side speaks version \(Head.version); update the older side"
                ))
        }
        guard count >= 13 else {
            try skipRest(&unpacker)
            return .failure(WireError(.malformed, "head: \(count) elements, version 1 has 13"))
        }
        let kindNumber = try unpacker.readInteger(UInt8.self)
        let method = try unpacker.readString(bytesMax: methodBytesMax, reusing: last?.method)
        let model = try unpacker.readString(bytesMax: modelBytesMax, reusing: last?.model)
        let callID = try unpacker.readInteger(UInt64.self)
        let timeout = try unpacker.readNil() ? nil : try unpacker.readInteger(UInt64.self)
        let lease = try unpacker.readInteger(UInt64.self)
        let attempt = try unpacker.readInteger(UInt8.self)
        let priority = try unpacker.readInteger(UInt8.self)
        let tenant = try unpacker.readString(bytesMax: tenantBytesMax, reusing: last?.tenant)
        let items = try unpacker.readInteger(UInt32.self)
        let statusNumber = try unpacker.readInteger(UInt8.self)
        let errorCode = try unpacker.readInteger(UInt16.self)
        read = 13
        try skipRest(&unpacker)
        guard let kind = Kind(rawValue: kindNumber) else {
            return .failure(WireError(.unknownKind, "head: kind \(kindNumber) is not known in version 1"))
        }
        guard let status = StatusCode(rawValue: statusNumber) else {
            return .failure(WireError(.unknownKind, "head: status \(statusNumber) is not one of 0…16"))
        }
        return .success(
            Head(
                kind: kind, method: method, model: model, callID: callID, timeoutMicroseconds: timeout, lease: lease,
                attempt: attempt, priority: priority, tenant: tenant, items: items, status: status,
                errorCode: errorCode))
    }
}
