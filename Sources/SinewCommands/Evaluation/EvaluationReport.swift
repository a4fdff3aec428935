internal import SinewBody

/// An evaluation as tables for the terminal, and as a page that stands alone.
struct EvaluationReport {
    let result: EvaluationResult

    /// A table under a title.
    struct Section {
        let title: String
        let note: String
        let header: [String]
        var rows: [[String]] = []

        /// For the terminal.
        var table: TextTable {
            var table = TextTable(header)
            for row in rows { table.add(row) }
            return table
        }

        /// For the page.
        fileprivate var html: String {
            let head = header.map { "<th>\(SVGChart.escaped($0))</th>" }.joined()
            let lines = rows.map { row in
                "<tr>" + row.map { "<td>\(SVGChart.escaped($0))</td>" }.joined() + "</tr>"
            }
            return "<h2>\(title)</h2><p>\(note)</p><table><thead><tr>\(head)</tr></thead>"
                + "<tbody>\(lines.joined())</tbody></table>"
        }
    }

    /// What was measured, a table each.
    var sections: [Section] {
        var sections: [Section] = []
        if !result.presets.isEmpty {
            sections.append(
                Self.section(
                    "People", "\(result.samples) people per preset, drawn from \(result.poses) frames.", result.presets,
                    per: "person"))
        }
        if !result.clips.isEmpty {
            sections.append(
                Self.section(
                    "Clips",
                    "\(result.clipFrames) frames of \(result.clipTracks) people per preset, joints and sigma anew in every "
                        + "frame, no twists. Acceleration error in mm per frame².", result.clips, per: "frame"))
        }
        if !result.effectors.isEmpty {
            sections.append(
                Self.section(
                    "Effectors",
                    "\(result.samples) people of three bodies. miss: mean distance of exact positional effectors from "
                        + "their joints.", result.effectors, per: "person"))
        }
        if !result.shapes.isEmpty { sections.append(shapeSection) }
        if !result.recoveries.isEmpty { sections.append(recoverySection) }
        return sections
    }

    /// One line per solver (and input), the figures of each preset side by side.
    private static func section(
        _ title: String, _ note: String, _ presets: [EvaluationResult.Preset], per unit: String
    ) -> Section {
        let rows = presets.map { ($0.input.map { [$0] } ?? []) + $0.models }
        let all = rows.flatMap { $0 }
        let hasAcceleration = all.contains { $0.accelMm != nil }
        let hasMiss = all.contains { $0.missMm != nil }
        let hasStarts = all.contains { $0.startsKept != nil }
        var names = ["MPJPE mm", "PA mm", "GE rad"]
        if hasAcceleration { names.append("accel mm") }
        if hasMiss { names.append("miss mm") }
        if hasStarts { names.append("kept/restarted") }
        let header = presets.flatMap { ["\($0.name): \(names[0])"] + names.dropFirst() }
        var section = Section(title: title, note: note, header: ["model"] + header + ["µs per \(unit)"])
        for index in rows.first?.indices ?? 0..<0 {
            let entries = rows.map { $0[index] }
            let cells = entries.flatMap { entry in
                var cells = [fixed(entry.mpjpeMm, 1), fixed(entry.paMpjpeMm, 1), text(entry.geRad, 3)]
                if hasAcceleration { cells.append(text(entry.accelMm, 1)) }
                if hasMiss { cells.append(text(entry.missMm, 1)) }
                if hasStarts { cells.append(entry.startsKept.map { "\($0)/\(entry.restarts ?? 0)" } ?? "") }
                return cells
            }
            section.rows.append([entries[0].name] + cells + [text(entries.last?.microsecondsPerPerson, 1)])
        }
        return section
    }

    private static func text(_ number: Double?, _ digits: Int) -> String { number.map { fixed($0, digits) } ?? "" }

    private var shapeSection: Section {
        var section = Section(
            title: "Effectors that stay while the body changes",
            note:
                "\(result.samples) people. miss: mean distance of exact positional effectors from their joints, and how many "
                + "are near enough; moved: mean distance of those joints from where they were before the change.",
            header: ["model", "effectors", "change", "miss mm", "≤ 2 mm %", "≤ 15 mm %", "moved mm"])
        for entry in result.shapes {
            section.rows.append([
                entry.name, entry.effectors, entry.change, fixed(entry.missMm, 1), fixed(entry.within2MmPercent, 1),
                fixed(entry.within15MmPercent, 1), fixed(entry.movedMm, 1),
            ])
        }
        return section
    }

    private var recoverySection: Section {
        let counts = result.recoveries[0].errorsMm.indices.map { "\($0 + 1): mm" }
        var section = Section(
            title: "Whole poses from few effectors",
            note:
                "\(result.recoveries[0].people) people of three bodies. Mean distance of 24 joints after so many effectors, each the "
                + "one that brings the model nearest; who needs fewer keeps the last.",
            header: ["model"] + counts + ["effectors", "≤ 40 mm %", "ms per person"])
        for entry in result.recoveries {
            section.rows.append(
                [entry.name] + entry.errorsMm.map { fixed($0, 1) } + [
                    fixed(entry.effectors, 1), fixed(entry.within40MmPercent, 1), fixed(entry.millisecondsPerPerson, 1),
                ])
        }
        return section
    }

    /// The page; `file://` is enough, nothing is loaded from elsewhere.
    var html: String {
        let title = "Sinew: \(result.models.joined(separator: ", "))"
        var body = "<h1>Pose accuracy</h1><p>Seed \(result.seed). MPJPE and PA-MPJPE over 24 joints, GE over 24 local "
        body += "rotations.\(result.machine.isEmpty ? "" : " \(SVGChart.escaped(result.machine)).")</p>"
        for section in sections { body += section.html }
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
        let measured = [("person", result.presets.last), ("frame of a clip", result.clips.last)]
        return measured.compactMap { unit, preset -> String? in
            guard let preset else { return nil }
            let series = preset.models.map { row in
                SVGChart.Series(name: row.name, points: row.microsecondsPerPerson.map { [($0, row.paMpjpeMm)] } ?? [])
            }
            return "<h2>Error and time</h2><p>Preset \(preset.name).</p>"
                + SVGChart.scatter(series, x: "µs per \(unit)", y: "PA-MPJPE mm")
        }.joined()
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
