internal import SinewBody

/// An evaluation as a table for the terminal, and as a page that stands alone.
struct EvaluationReport {
    let result: EvaluationResult

    /// The input and then the models, each with its figures preset by preset.
    private var rows: [[EvaluationResult.Row]] {
        (0..<(result.presets.first.map { 1 + $0.models.count } ?? 0)).map { row in
            result.presets.map { row == 0 ? $0.input : $0.models[row - 1] }
        }
    }

    /// The table, one line per model and input, three columns per preset.
    var table: TextTable {
        var table = TextTable(
            ["model"] + result.presets.flatMap { ["\($0.name): MPJPE mm", "PA mm", "GE rad"] } + ["µs per person"])
        for entries in rows {
            let cells = entries.flatMap { entry in
                [fixed(entry.mpjpeMm, 1), fixed(entry.paMpjpeMm, 1), entry.geRad.map { fixed($0, 3) } ?? ""]
            }
            let time = entries.last?.microsecondsPerPerson.map { fixed($0, 1) } ?? ""
            table.add([entries[0].name] + cells + [time])
        }
        return table
    }

    /// The page; `file://` is enough, nothing is loaded from elsewhere.
    var html: String {
        let title = "Sinew: \(result.models.joined(separator: ", "))"
        var body =
            "<h1>Pose accuracy</h1><p>\(result.samples) people per preset, drawn from \(result.poses) frames with seed "
        body += "\(result.seed). MPJPE and PA-MPJPE over 24 joints, GE over 24 local rotations."
        body += "\(result.machine.isEmpty ? "" : " \(SVGChart.escaped(result.machine)).")</p>"
        body += htmlTable
        if !result.curve.isEmpty { body += noiseSection }
        body += speedSection
        if !result.sensitivity.isEmpty { body += sensitivitySection }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(SVGChart.escaped(title))</title><style>\(Self.style)</style></head><body>\(body)</body></html>

            """
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#1b1f24;--ground:#fff;--line:#d0d7de}
        @media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--ground:#0d1117;--line:#30363d}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:960px;margin:2rem auto;padding:0 1rem}
        table{border-collapse:collapse}td,th{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right}
        td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}svg text{fill:var(--ink);font-size:11px}
        .grid{stroke:var(--line)}.key span{margin-right:1rem}.key i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
        """

    private var htmlTable: String {
        var html = "<table><thead><tr><th>model</th>"
        for preset in result.presets {
            html += "<th>\(preset.name): MPJPE mm</th><th>PA-MPJPE mm</th><th>GE rad</th>"
        }
        html += "<th>µs per person</th></tr></thead><tbody>"
        for entries in rows {
            html += "<tr><td>\(SVGChart.escaped(entries[0].name))</td>"
            for entry in entries {
                html += "<td>\(fixed(entry.mpjpeMm, 1))</td><td>\(fixed(entry.paMpjpeMm, 1))</td>"
                html += "<td>\(entry.geRad.map { fixed($0, 3) } ?? "")</td>"
            }
            html += "<td>\(entries.last?.microsecondsPerPerson.map { fixed($0, 1) } ?? "")</td></tr>"
        }
        return html + "</tbody></table>"
    }

    private var key: String {
        let entries = result.models.enumerated().map { index, name in
            "<span><i style=\"background:\(SVGChart.colour(index))\"></i>\(SVGChart.escaped(name))</span>"
        }
        return "<p class=\"key\">\(entries.joined())</p>"
    }

    private var noiseSection: String {
        let series = result.models.enumerated().map { index, name in
            SVGChart.Series(name: name, points: result.curve.map { ($0.level, $0.paMpjpeMm[index]) })
        }
        return "<h2>Error and noise</h2><p>The deviations of the preset standard are 1.</p>\(key)"
            + SVGChart.lines(series, x: "strength of the noise", y: "PA-MPJPE mm")
    }

    /// The last preset is the hardest.
    private var speedSection: String {
        guard let preset = result.presets.last else { return "" }
        let series = preset.models.map { row in
            SVGChart.Series(name: row.name, points: row.microsecondsPerPerson.map { [($0, row.paMpjpeMm)] } ?? [])
        }
        return "<h2>Error and time</h2><p>Preset \(preset.name).</p>"
            + SVGChart.scatter(series, x: "µs per person", y: "PA-MPJPE mm")
    }

    private var sensitivitySection: String {
        let names = Array(Skeleton.smpl29.jointNames.prefix(24))
        let largest = result.sensitivity.flatMap { $0.errorsMm.flatMap { $0 } }.max() ?? 0
        var html =
            "<h2>Sensitivity to lost joints</h2><p>Row: the joint that is reported 9 to 20 cm off, with a sigma that says so. "
        html += "Column: the error of each joint of the answer; full colour is \(fixed(largest, 0)) mm.</p>"
        for map in result.sensitivity {
            html += "<h3>\(SVGChart.escaped(map.name))</h3>"
            html += SVGChart.heatMap(map.errorsMm, rowNames: names, columnNames: names, largest: largest)
        }
        return html
    }
}
