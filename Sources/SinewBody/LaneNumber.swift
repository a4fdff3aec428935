/// The numbers of the people that are computed together: `Double` for one person, ``Lanes`` for four.
///
/// The geometry of this package is written once over this protocol. Both conformers do the same operations in the same order and
/// precision (IEEE additions, products, quotients and square roots, none of them fused), so a person's bits are the same in a lane and alone;
/// and everything in a lane depends on that lane only. The operations are inlinable: as calls from another module they would cost more
/// than what they do.
@usableFromInline package protocol LaneNumber: Sendable {
    /// A choice for every lane.
    associatedtype Mask: LaneChoice

    /// How many people there are.
    static var laneCount: Int { get }
    /// Zero in every lane.
    static var zero: Self { get }
    /// The same number in every lane.
    init(repeating value: Double)
    /// A number for each lane, asked for by the lane's index.
    init(lane number: (Int) -> Double)
    /// The number of one lane.
    subscript(lane lane: Int) -> Double { get set }

    // Disfavoured: outside generic code the standard library has the same operators for SIMD types, and both would fit.
    @_disfavoredOverload static func + (a: Self, b: Self) -> Self
    @_disfavoredOverload static func - (a: Self, b: Self) -> Self
    @_disfavoredOverload static func * (a: Self, b: Self) -> Self
    @_disfavoredOverload static func / (a: Self, b: Self) -> Self
    @_disfavoredOverload static prefix func - (a: Self) -> Self
    /// The square roots.
    func squareRoot() -> Self

    @_disfavoredOverload static func .< (a: Self, b: Self) -> Mask
    @_disfavoredOverload static func .<= (a: Self, b: Self) -> Mask
    @_disfavoredOverload static func .> (a: Self, b: Self) -> Mask
    @_disfavoredOverload static func .>= (a: Self, b: Self) -> Mask

    /// This where `mask` is set, `other` elsewhere.
    func selected(_ mask: Mask, else other: Self) -> Self
}

/// A yes or no for every lane: `Bool` for one person, ``LaneMask`` for four.
@usableFromInline package protocol LaneChoice: Sendable {
    /// The same answer in every lane.
    init(repeating value: Bool)
    /// The answer of one lane.
    subscript(lane lane: Int) -> Bool { get set }
    /// Whether any lane says yes.
    var isAny: Bool { get }
    /// Whether every lane says yes.
    var isAll: Bool { get }

    @_disfavoredOverload static func .& (a: Self, b: Self) -> Self
    @_disfavoredOverload static func .| (a: Self, b: Self) -> Self
    @_disfavoredOverload static prefix func .! (a: Self) -> Self
}

extension LaneNumber {
    // Named and not operators between lanes and numbers: SIMD types have those, and a second set makes expressions ambiguous.

    /// Each lane plus a number.
    @inlinable @inline(__always)
    package func plus(_ number: Double) -> Self { self + Self(repeating: number) }

    /// Each lane times a number.
    @inlinable @inline(__always)
    package func times(_ number: Double) -> Self { self * Self(repeating: number) }

    /// A number minus each lane.
    @inlinable @inline(__always)
    package func subtracted(from number: Double) -> Self { Self(repeating: number) - self }

    /// One over each lane.
    @inlinable @inline(__always)
    package var reciprocal: Self { Self(repeating: 1) / self }

    /// The magnitudes.
    @inlinable @inline(__always)
    package var magnitudes: Self { selected(self .>= .zero, else: -self) }
}

extension SIMD4: LaneNumber where Scalar == Double {
    @usableFromInline package typealias Mask = LaneMask

    @inlinable @inline(__always)
    package static var laneCount: Int { 4 }

    @inlinable @inline(__always)
    package init(lane number: (Int) -> Double) { self.init(number(0), number(1), number(2), number(3)) }

    @inlinable package subscript(lane lane: Int) -> Double {
        @inline(__always) get { self[lane] }
        @inline(__always) set { self[lane] = newValue }
    }

    @inlinable @inline(__always)
    package func selected(_ mask: SIMDMask<SIMD4<Int64>>, else other: Self) -> Self {
        other.replacing(with: self, where: mask)
    }
}

extension SIMDMask: LaneChoice where Storage == SIMD4<Int64> {
    @inlinable package subscript(lane lane: Int) -> Bool {
        @inline(__always) get { self[lane] }
        @inline(__always) set { self[lane] = newValue }
    }

    @inlinable @inline(__always)
    package var isAny: Bool { any(self) }

    @inlinable @inline(__always)
    package var isAll: Bool { all(self) }
}

/// One person.
extension Double: LaneNumber {
    @usableFromInline package typealias Mask = Bool

    @inlinable @inline(__always)
    package static var laneCount: Int { 1 }

    @inlinable @inline(__always)
    package init(repeating value: Double) { self = value }

    @inlinable @inline(__always)
    package init(lane number: (Int) -> Double) { self = number(0) }

    @inlinable package subscript(lane lane: Int) -> Double {
        @inline(__always) get { self }
        @inline(__always) set { self = newValue }
    }

    @inlinable @inline(__always)
    package static func .< (a: Double, b: Double) -> Bool { a < b }
    @inlinable @inline(__always)
    package static func .<= (a: Double, b: Double) -> Bool { a <= b }
    @inlinable @inline(__always)
    package static func .> (a: Double, b: Double) -> Bool { a > b }
    @inlinable @inline(__always)
    package static func .>= (a: Double, b: Double) -> Bool { a >= b }

    @inlinable @inline(__always)
    package func selected(_ mask: Bool, else other: Double) -> Double { mask ? self : other }
}

extension Bool: LaneChoice {
    @inlinable @inline(__always)
    package init(repeating value: Bool) { self = value }

    @inlinable package subscript(lane lane: Int) -> Bool {
        @inline(__always) get { self }
        @inline(__always) set { self = newValue }
    }

    @inlinable @inline(__always)
    package var isAny: Bool { self }

    @inlinable @inline(__always)
    package var isAll: Bool { self }

    @inlinable @inline(__always)
    package static func .& (a: Bool, b: Bool) -> Bool { a && b }
    @inlinable @inline(__always)
    package static func .| (a: Bool, b: Bool) -> Bool { a || b }
    @inlinable @inline(__always)
    package static prefix func .! (a: Bool) -> Bool { !a }
}
