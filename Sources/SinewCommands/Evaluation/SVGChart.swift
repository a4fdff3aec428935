internal import Glibc

/// Small drawings for a page that stands alone: they follow the page's light or dark colours and need no script.
enum SVGChart {
    /// Points joined by a line.
    struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
    }

    private static let width = 640.0
    private static let height = 360.0
    private static let margin = (left: 56.0, right: 16.0, top: 16.0, bottom: 48.0)
    /// Told apart by people who see colours differently (Okabe and Ito).
    static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#8a6d00"]

    /// A colour for a series; they repeat after eight.
    static func colour(_ index: Int) -> String { colours[index % colours.count] }

    /// Lines over a linear axis from 0.
    static func lines(_ series: [Series], x: String, y: String) -> String {
        let scale = Scale(series, isLogarithmic: false)
        var parts = axes(scale, x: x, y: y)
        for (index, line) in series.enumerated() {
            let path = line.points.map { "\(fixed(scale.x($0.x), 1)),\(fixed(scale.y($0.y), 1))" }.joined(
                separator: " ")
            parts.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour(index))\" stroke-width=\"2\"/>")
            for point in line.points { parts.append(dot(scale, point, colour(index), line.name)) }
        }
        return svg(parts, label: "\(y) over \(x)")
    }

    /// Single points over a logarithmic axis, each with its name.
    static func scatter(_ series: [Series], x: String, y: String) -> String {
        let scale = Scale(series, isLogarithmic: true)
        var parts = axes(scale, x: x, y: y)
        for (index, entry) in series.enumerated() {
            for point in entry.points {
                parts.append(dot(scale, point, colour(index), entry.name))
                parts.append(
                    "<text x=\"\(fixed(scale.x(point.x) + 7, 1))\" y=\"\(fixed(scale.y(point.y) + 4, 1))\">"
                        + "\(escaped(entry.name))</text>")
            }
        }
        return svg(parts, label: "\(y) over \(x)")
    }

    /// A square for each number, dark where it is large.
    static func heatMap(_ rows: [[Double]], rowNames: [String], columnNames: [String], largest: Double) -> String {
        let (cell, left, top) = (15.0, 112.0, 100.0)
        var parts: [String] = []
        for (index, name) in rowNames.enumerated() {
            let y = top + Double(index) * cell + 11
            parts.append("<text x=\"\(left - 4)\" y=\"\(y)\" text-anchor=\"end\">\(escaped(name))</text>")
        }
        for (index, name) in columnNames.enumerated() {
            let x = left + Double(index) * cell + 11
            parts.append(
                "<text transform=\"translate(\(x),\(top - 4)) rotate(-90)\">\(escaped(name))</text>")
        }
        for (row, values) in rows.enumerated() {
            for (column, value) in values.enumerated() {
                let share = largest > 0 ? min(value / largest, 1) : 0
                let place = "x=\"\(left + Double(column) * cell)\" y=\"\(top + Double(row) * cell)\""
                parts.append(
                    "<rect \(place) width=\"\(cell - 1)\" height=\"\(cell - 1)\" fill=\"#d55e00\" "
                        + "fill-opacity=\"\(fixed(share, 3))\"><title>\(escaped(rowNames[row])) lost: "
                        + "\(escaped(columnNames[column])) \(fixed(value, 1)) mm</title></rect>")
            }
        }
        let size = (left + Double(columnNames.count) * cell + 4, top + Double(rowNames.count) * cell + 4)
        return
            "<svg viewBox=\"0 0 \(size.0) \(size.1)\" role=\"img\" aria-label=\"error of each joint where one is lost\">"
            + parts.joined() + "</svg>"
    }

    /// Text that HTML takes as text.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }

    /// From numbers to places.
    private struct Scale {
        let isLogarithmic: Bool
        let xRange: ClosedRange<Double>
        let yMax: Double

        init(_ series: [Series], isLogarithmic: Bool) {
            self.isLogarithmic = isLogarithmic
            let xs = series.flatMap { $0.points.map(\.x) }
            let ys = series.flatMap { $0.points.map(\.y) }
            yMax = max((ys.max() ?? 1) * 1.08, 1e-9)
            if isLogarithmic {
                let positive = xs.map { Scale.logarithm(max($0, 1e-3)) }
                let low = (positive.min() ?? 0).rounded(.down)
                xRange = low...max((positive.max() ?? 1).rounded(.up), low + 1)
            } else {
                xRange = 0...max(xs.max() ?? 1, 1e-9)
            }
        }

        func x(_ value: Double) -> Double {
            let shown = isLogarithmic ? Scale.logarithm(max(value, 1e-3)) : value
            let share = (shown - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
            return margin.left + share * (width - margin.left - margin.right)
        }

        func y(_ value: Double) -> Double {
            height - margin.bottom - value / yMax * (height - margin.top - margin.bottom)
        }

        /// Where the axes have marks.
        var xMarks: [(value: Double, text: String)] {
            if isLogarithmic {
                return (Int(xRange.lowerBound)...Int(xRange.upperBound)).map { power in
                    let value = Scale.power(power)
                    return (value, power >= 0 ? fixed(value, 0) : fixed(value, -power))
                }
            }
            return (0...6).map { (Double($0) / 6 * xRange.upperBound, fixed(Double($0) / 6 * xRange.upperBound, 1)) }
        }

        var yMarks: [(value: Double, text: String)] {
            (0...5).map { (Double($0) / 5 * yMax, fixed(Double($0) / 5 * yMax, yMax < 10 ? 1 : 0)) }
        }

        private static func power(_ exponent: Int) -> Double {
            (0..<abs(exponent)).reduce(1.0) { value, _ in exponent < 0 ? value / 10 : value * 10 }
        }

        /// To base 10.
        private static func logarithm(_ value: Double) -> Double { log10(value) }
    }

    private static func axes(_ scale: Scale, x: String, y: String) -> [String] {
        let bottom = height - margin.bottom
        var parts: [String] = []
        for mark in scale.yMarks {
            let at = fixed(scale.y(mark.value), 1)
            parts.append(
                "<line class=\"grid\" x1=\"\(margin.left)\" x2=\"\(width - margin.right)\" y1=\"\(at)\" y2=\"\(at)\"/>")
            parts.append("<text x=\"\(margin.left - 6)\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">\(mark.text)</text>")
        }
        for mark in scale.xMarks {
            let at = fixed(scale.x(mark.value), 1)
            parts.append("<line class=\"grid\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(margin.top)\" y2=\"\(bottom)\"/>")
            parts.append("<text x=\"\(at)\" y=\"\(bottom + 16)\" text-anchor=\"middle\">\(mark.text)</text>")
        }
        let middle = (margin.left + width - margin.right) / 2
        parts.append("<text x=\"\(middle)\" y=\"\(height - 8)\" text-anchor=\"middle\">\(escaped(x))</text>")
        parts.append(
            "<text transform=\"translate(14,\(bottom / 2 + 8)) rotate(-90)\" text-anchor=\"middle\">\(escaped(y))</text>"
        )
        return parts
    }

    private static func dot(_ scale: Scale, _ point: (x: Double, y: Double), _ colour: String, _ name: String) -> String
    {
        "<circle cx=\"\(fixed(scale.x(point.x), 1))\" cy=\"\(fixed(scale.y(point.y), 1))\" r=\"4\" fill=\"\(colour)\"><title>"
            + "\(escaped(name)): \(fixed(point.y, 2)) at \(fixed(point.x, 2))</title></circle>"
    }

    private static func svg(_ parts: [String], label: String) -> String {
        "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(escaped(label))\">\(parts.joined())</svg>"
    }
}
