/// A client as the broker knows it: the driver gives a number to each routing id it meets.
///
/// A peer chooses its routing id, so this is an address and never a proof of who speaks.
package struct ClientID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A worker connection as the broker knows it: the driver gives a number to each routing id it meets.
package struct WorkerID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// The number a client gives to one of its calls; unique among the calls of one connection, equal over its attempts.
package struct CallID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A call admitted by the broker. The low 24 bits name the slot it lies in, the rest is a sequence number that is
/// never reused, so a number from the past finds its slot and is seen to be stale without any table.
package struct TaskID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(slot: Int, sequence: UInt64) { rawValue = SlotNumber.join(slot: slot, sequence: sequence) }
    /// Where a driver may keep the task's payload: `0 ..< Limits.queuedCallsMax + leased calls`, reused after release.
    package var slot: Int { SlotNumber.slot(of: rawValue) }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// The right to answer a task, given to one worker for one attempt. At most one is valid per task; a result that
/// carries another one changes nothing. Built as `TaskID` is: slot and a sequence number that is never reused.
package struct LeaseToken: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(slot: Int, sequence: UInt64) { rawValue = SlotNumber.join(slot: slot, sequence: sequence) }
    package var slot: Int { SlotNumber.slot(of: rawValue) }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A set of tasks that a worker runs through a model together.
package struct BatchID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// The model a call asks for, as written on the wire: `name` (any version) or `name/version`.
package struct ModelKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Whom a call is accounted to when capacity is shared.
package struct TenantID: Hashable, Comparable, Sendable {
    package let rawValue: String
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Slot in the low 24 bits, sequence above: 16 million slots, and 10^12 numbers before the sequence ends.
enum SlotNumber {
    static let slotBits: UInt64 = 24
    static let slotsMax = 1 << 24

    static func join(slot: Int, sequence: UInt64) -> UInt64 {
        precondition(slot >= 0 && slot < slotsMax, "slot \(slot) does not fit in 24 bits")
        return sequence << slotBits | UInt64(slot)
    }

    static func slot(of rawValue: UInt64) -> Int { Int(rawValue & (UInt64(slotsMax) - 1)) }
}
