/// The figures of `sinew top` as people read them; nil is a dash.
enum TopFigures {
    /// 3.4 below ten, 1234 above.
    static func rate(_ value: Double?) -> String {
        guard let value else { return "–" }
        return value > 0 && value < 9.95 ? fixed(value, 1) : fixed(value, 0)
    }

    static func share(_ value: Double?) -> String { value.map { fixed($0 * 100, 0) + "%" } ?? "–" }

    static func cores(_ value: Double?) -> String { value.map { fixed($0, 2) } ?? "–" }

    /// 850us, 12.3ms, 412ms, 1.24s, 2:30.
    static func time(microseconds: Double?) -> String {
        guard let microseconds else { return "–" }
        if microseconds < 1000 { return fixed(microseconds, 0) + "us" }
        let milliseconds = microseconds / 1000
        if milliseconds < 99.95 { return fixed(milliseconds, 1) + "ms" }
        if milliseconds < 999.5 { return fixed(milliseconds, 0) + "ms" }
        return milliseconds < 59_995 ? fixed(milliseconds / 1000, 2) + "s" : clockText(milliseconds / 1000)
    }

    /// 734M, 1.4G; powers of 1024.
    static func bytes(_ count: UInt64) -> String {
        var (value, index) = (Double(count), 0)
        let units = ["B", "K", "M", "G", "T"]
        while value >= 1023.5 && index < units.count - 1 {
            value /= 1024
            index += 1
        }
        return fixed(value, index > 2 && value < 99.95 ? 1 : 0) + units[index]
    }

    /// A line of bars, oldest first, the highest as high as a letter.
    static func bars(_ values: [Double]) -> String {
        let steps = Array("▁▂▃▄▅▆▇█")
        let top = values.max() ?? 0
        guard top > 0 else { return String(repeating: "▁", count: values.count) }
        return String(values.map { steps[min(steps.count - 1, Int($0 / top * Double(steps.count)))] })
    }
}
