/// The upper half of a float: sign, eight bits of exponent, seven of mantissa.
package enum BFloat16 {
    /// The bits of the nearest bfloat16, ties to the even one; a relative error of at most 2^-8 for normal numbers.
    ///
    /// - Note: what would round to infinity becomes the largest finite bfloat16, so that weights stay finite; NaN stays NaN.
    package static func bits(rounding value: Float) -> UInt16 {
        guard !value.isNaN else { return 0x7FC0 }
        let bits = value.bitPattern
        let rounded = UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
        return rounded & 0x7FFF == 0x7F80 ? rounded - 1 : rounded
    }

    /// `value` rounded to the nearest bfloat16.
    package static func rounded(_ value: Float) -> Float {
        Float(bitPattern: UInt32(bits(rounding: value)) << 16)
    }
}
