internal import Glibc
internal import SinewWire

/// The id of a durable job: a UUID of version 7, so that ids sort by the time at which they were made.
///
/// Whoever submits a job chooses its id; submitting twice under one id makes one job.
public struct JobID: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The 16 bytes that go over the wire.
    public let bytes: [UInt8]

    /// A new id: milliseconds since 1970, 12 bits of the fraction of the millisecond, 62 random bits.
    ///
    /// - Source: RFC 9562, section 5.7, with method 3 of section 6.2.
    public init() {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        var random = SystemRandomNumberGenerator()
        self.init(
            nanosecondsSince1970: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec), random: random.next())
    }

    /// The id made at a time, with the low 62 bits of `random`.
    package init(nanosecondsSince1970 nanoseconds: UInt64, random: UInt64) {
        let (milliseconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let fraction = rest * 4096 / 1_000_000
        let high = milliseconds << 16 | 0x7000 | fraction
        let low = 0x8000_0000_0000_0000 | random & 0x3FFF_FFFF_FFFF_FFFF
        bytes = [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }

    /// The id in 16 bytes; nil when they are not 16, or no UUID of version 7.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16, bytes[6] >> 4 == 7, bytes[8] >> 6 == 2 else { return nil }
        self.bytes = bytes
    }

    /// The id in the usual text form, 8-4-4-4-12 hexadecimal digits; nil for anything else.
    public init?(_ description: String) {
        guard let bytes = UUIDText.bytes(of: description) else { return nil }
        self.init(bytes: bytes)
    }

    /// 8-4-4-4-12 hexadecimal digits, lowercase.
    public var description: String { UUIDText.text(of: bytes) }

    /// By the time at which they were made.
    public static func < (lhs: JobID, rhs: JobID) -> Bool { lhs.bytes.lexicographicallyPrecedes(rhs.bytes) }
}
