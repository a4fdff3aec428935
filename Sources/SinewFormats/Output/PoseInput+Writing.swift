internal import SinewArrayFiles
internal import SinewBody

extension PoseInput {
    /// What the ending of a file's name asks for.
    package enum Kind: String, FileKind, Sendable {
        case npz = ".npz"
        case jsonLines = ".jsonl"
        case trc = ".trc"
        case coco = ".json"
    }

    /// Writes the joints, SMPL's 29 in metres, y up, to a file that ``read(path:options:)`` reads; it appears complete or not at all.
    ///
    /// `.npz` and `.jsonl` hold everything; COCO (`.json`) leaves sigma, twists and shape out, and TRC the person's name as well.
    /// - Throws: ``FormatError`` for TRC with several people.
    package func write(to path: String) throws(FormatError) {
        switch Kind(path: path) ?? .npz {
        case .npz:
            let archive = archive()
            try rewording { () throws(ArrayFileError) in try archive.write(to: path) }
        case .jsonLines: try save(Array(jsonLines().utf8), path)
        case .coco: try save(coco(), path)
        case .trc: try save(Array(try trc(path).utf8), path)
        }
    }

    private func save(_ bytes: [UInt8], _ path: String) throws(FormatError) {
        try rewording { () throws(ArrayFileError) in try AtomicFile.write(bytes, to: path) }
    }

    private func isSeen(_ row: Int, _ joint: Int) -> Bool { observed[row] & 1 << UInt32(joint) != 0 }

    private func archive() -> NPZWriter {
        var writer = NPZWriter()
        writer.add("joints3d", .float32(joints, shape: [count, 29, 3]))
        writer.add("skeleton", .strings([Skeleton.smpl29.name], shape: []))
        writer.add("unit", .strings([LengthUnit.metres.rawValue], shape: []))
        writer.add("up_axis", .strings([UpAxis.plusY.rawValue], shape: []))
        writer.add("sigma", .float32(sigma, shape: [count, 29]))
        let seen = (0..<count).flatMap { row in (0..<29).map { isSeen(row, $0) } }
        writer.add("observed", .bool(seen, shape: [count, 29]))
        if hasTwists.contains(true) {
            let marked = (0..<(count * 23)).map { hasTwists[$0 / 23] ? twists[$0] : TwistFields.unknown }
            writer.add("twist", .float32(marked, shape: [count, 23]))
        }
        writer.add("betas", .float32(betas, shape: [count, 10]))
        writer.add("gender", .strings(genders.map(\.rawValue), shape: [count]))
        writer.add("track", .strings(tracks.map { trackNames[$0] }, shape: [count]))
        writer.add("frame", .int64(frames, shape: [count]))
        if let framesPerSecond { writer.add("fps", .float64([framesPerSecond], shape: [])) }
        return writer
    }

    private func jsonLines() -> String {
        var members: [JSONValue.Member] = [
            .init("skeleton", .string(Skeleton.smpl29.name)), .init("unit", .string(LengthUnit.metres.rawValue)),
            .init("up_axis", .string(UpAxis.plusY.rawValue)),
        ]
        if let framesPerSecond { members.append(.init("fps", .number(framesPerSecond))) }
        var text = JSONValue.object(members).encoded() + "\n"
        for row in 0..<count {
            var line: [JSONValue.Member] = [
                .init("track", .string(trackNames[tracks[row]])), .init("frame", .integer(frames[row])),
                .init(
                    "joints3d",
                    .array(
                        (0..<29).map { joint in
                            let start = row * 87 + joint * 3
                            return isSeen(row, joint) ? PoseOutput.numbers(joints[start..<(start + 3)]) : .null
                        })), .init("sigma", PoseOutput.numbers(sigma[(row * 29)..<(row * 29 + 29)])),
                .init("betas", PoseOutput.numbers(betas[(row * 10)..<(row * 10 + 10)])),
                .init("gender", .string(genders[row].rawValue)),
            ]
            if hasTwists[row] {
                line.append(.init("twist", PoseOutput.numbers(twists[(row * 23)..<(row * 23 + 23)])))
            }
            text += JSONValue.object(line).encoded() + "\n"
        }
        return text
    }

    private func coco() -> [UInt8] {
        var document = COCODocument(framesPerSecond: framesPerSecond)
        for row in 0..<count {
            let places = (0..<29).map { joint -> SIMD3<Float>? in
                let start = row * 87 + joint * 3
                return isSeen(row, joint) ? SIMD3(joints[start], joints[start + 1], joints[start + 2]) : nil
            }
            document.append(track: trackNames[tracks[row]], frame: frames[row], joints: places, smpl: nil)
        }
        return document.encoded()
    }

    private func trc(_ path: String) throws(FormatError) -> String {
        guard trackNames.count == 1 else {
            throw FormatError(
                .invalidData,
                "\(path): TRC holds one person and there are \(trackNames.count) (\(trackNames.prefix(8).joined(separator: ", "))); "
                    + "write .npz, .jsonl or .json, or convert one with --track NAME")
        }
        let rate = framesPerSecond ?? PoseOutput.framesPerSecondAssumed
        let names = Skeleton.smpl29.jointNames
        let file = path.split(separator: "/").last ?? ""
        var lines = [
            "PathFileType\t4\t(X/Y/Z)\t\(file)",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
            "\(rate)\t\(rate)\t\(count)\t29\tm\t\(rate)\t\(frames.first ?? 0)\t\(count)",
            "Frame#\tTime\t" + names.joined(separator: "\t\t\t") + "\t\t",
            "\t\t" + (1...29).map { "X\($0)\tY\($0)\tZ\($0)" }.joined(separator: "\t"), "",
        ]
        for row in (0..<count).sorted(by: { frames[$0] < frames[$1] }) {
            var cells = ["\(frames[row])", "\(Double(frames[row]) / rate)"]
            for joint in 0..<29 {
                let start = row * 87 + joint * 3
                cells += (start..<(start + 3)).map { isSeen(row, joint) ? "\(joints[$0])" : "" }
            }
            lines.append(cells.joined(separator: "\t"))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
