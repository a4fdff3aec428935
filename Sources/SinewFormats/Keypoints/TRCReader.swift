internal import SinewBody

/// Marker files of OpenSim, Theia and Pose2Sim (`.trc`): a header of five lines, then a line per frame, columns apart by tabs.
///
/// The unit stands in the header and is checked; which way is up does not (OpenSim has y up) and is found out. An empty cell is a gap. The
/// markers must be joints: markers on the skin are not where joints are.
enum TRCReader {
    static let name = "TRC"

    static func read(_ bytes: [UInt8], path: String, options: PoseInput.Options) throws(FormatError) -> RawPeople {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
        }
        func wrong(_ line: Int, _ what: String) -> FormatError {
            FormatError(.unreadableFile, "\(path), line \(line + 1): \(what)")
        }
        guard lines.count >= 5 else { throw wrong(lines.count, "it ends within the header of a TRC file") }
        let header = try header(names: cells(lines[1]), values: cells(lines[2]), wrong: { wrong(2, $0) })
        let columns = lines[3].split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        let titles = columns.dropFirst(2).filter { !$0.allSatisfy(\.isWhitespace) }
            .map { String($0.drop(while: \.isWhitespace)) }
        guard columns.count >= 3, !titles.isEmpty else {
            throw wrong(3, "Frame#, Time and the names of markers belong here")
        }
        let names = titles.map { String($0.split(separator: "/").last ?? "") }
        var skeleton = KeypointNames.skeleton(of: names, file: "the markers")
        if options.skeletonName != nil {
            skeleton = try KeypointJSON.skeleton(options, jointCount: names.count, likely: [], path: path)
        }
        guard let skeleton else {
            throw FormatError(
                .invalidData,
                "\(path): fewer than 6 of its markers have the names of joints (RHip, LKnee, right_wrist …); it has "
                    + names.prefix(12).joined(separator: ", ")
                    + ". Markers on the skin are not where joints are: write out joint "
                    + "centres, or name the order with --skeleton", field: "skeleton")
        }
        var collector = KeypointCollector(path: path, skeleton: skeleton)
        for (index, line) in lines.enumerated().dropFirst(5) where !line.allSatisfy(\.isWhitespace) {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard let first = cells.first, let frame = Int(trimmed(first)), frame >= 0 else {
                throw wrong(index, "\"\(cells.first ?? "")\" is no frame number")
            }
            var points: [Keypoint] = []
            for marker in names.indices {
                var values: [Double] = []
                for axis in 0..<3 {
                    let column = 2 + marker * 3 + axis
                    let text = column < cells.count ? trimmed(cells[column]) : ""
                    guard let value = text.isEmpty ? .nan : Double(text) else {
                        throw wrong(index, "\"\(text)\" of \(names[marker]) is no number")
                    }
                    values.append(value)
                }
                points.append(Keypoint(position: SIMD3(values[0], values[1], values[2]), confidence: nil))
            }
            try collector.append(points, track: "person-0", frame: frame, place: "frame \(frame)")
        }
        let people = try collector.finished(
            format: name, unit: header.unit, framesPerSecond: header.framesPerSecond,
            notes: ["the unit is declared as \(header.unit.name)"])
        if let declared = header.frames, declared != people.count {
            throw FormatError(
                .unreadableFile,
                "\(path): its header says \(declared) frames, it has \(people.count): it was cut off; write it again or correct "
                    + "NumFrames")
        }
        return people
    }

    private struct Header {
        var unit: LengthUnit
        var framesPerSecond: Double?
        var frames: Int?
    }

    private static func header(
        names: [String], values: [String], wrong: (String) -> FormatError
    ) throws(FormatError) -> Header {
        func value(_ name: String) -> String? {
            names.firstIndex(of: name).flatMap { $0 < values.count ? values[$0] : nil }
        }
        guard let word = value("Units"), let unit = LengthUnit(named: word) else {
            throw wrong("Units is \"\(value("Units") ?? "")\"; m, cm or mm are known")
        }
        let rate = value("DataRate").flatMap(Double.init)
        guard rate.map({ $0 > 0 && $0 <= 10_000 }) ?? true else { throw wrong("DataRate must be above 0") }
        return Header(unit: unit, framesPerSecond: rate, frames: value("NumFrames").flatMap(Int.init))
    }

    private static func cells(_ line: String) -> [String] {
        line.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start }
        return start[...last]
    }
}
