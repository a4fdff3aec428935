internal import Glibc

/// The One-Euro filter: a low-pass filter whose cutoff rises with the speed of what it filters, so that still joints do not jitter and
/// moving ones do not lag.
///
/// - Source: Casiez, Roussel, Vogel, "1€ Filter", CHI 2012.
package struct OneEuroFilter: Sendable, Equatable {
    /// Hz at rest: lower is smoother.
    package var minimalCutoff: Double
    /// Hz per unit of speed (metres or radians a second): higher lags less.
    package var beta: Double
    /// Hz of the filter of the speed.
    package var derivativeCutoff: Double

    /// The defaults suit joints in metres at 30 frames a second.
    package init(minimalCutoff: Double = 1.5, beta: Double = 5, derivativeCutoff: Double = 1) {
        self.minimalCutoff = minimalCutoff
        self.beta = beta
        self.derivativeCutoff = derivativeCutoff
    }

    /// The share of the new value.
    static func share(cutoff: Double, seconds: Double) -> Double {
        let tau = 1 / (2 * Double.pi * cutoff)
        return 1 / (1 + tau / seconds)
    }

    /// The filter of one number.
    struct Signal {
        private let filter: OneEuroFilter
        private var last: (raw: Double, value: Double)?
        private var speed: Double?

        init(_ filter: OneEuroFilter) { self.filter = filter }

        /// Takes the next value, `seconds` after the one before.
        mutating func next(_ raw: Double, after seconds: Double) -> Double {
            guard let before = last, seconds > 0 else {
                last = (raw, raw)
                speed = nil
                return raw
            }
            let measured = (raw - before.value) / seconds
            let share = OneEuroFilter.share(cutoff: filter.derivativeCutoff, seconds: seconds)
            let smoothed = share * measured + (1 - share) * (speed ?? 0)
            speed = smoothed
            let cutoff = filter.minimalCutoff + filter.beta * abs(smoothed)
            let weight = OneEuroFilter.share(cutoff: cutoff, seconds: seconds)
            let value = weight * raw + (1 - weight) * before.value
            last = (raw, value)
            return value
        }
    }
}
