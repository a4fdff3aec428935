internal import ArgumentParser

/// A time as people write it: `90s`, `15m`, `12h`, `7d`; a number alone is seconds.
package struct DurationOption: ExpressibleByArgument, Equatable, Sendable {
    package let duration: Duration

    package init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        var number = Substring(argument)
        var unit = 1.0
        if let last = argument.last, let known = units[last] {
            number = number.dropLast()
            unit = known
        }
        guard let value = Double(number), value > 0, value * unit <= Self.secondsMax else { return nil }
        duration = .seconds(value * unit)
    }

    /// Ten years: longer than any job, and far from what the wire can say.
    private static let secondsMax = 10 * 365 * 86_400.0
}
