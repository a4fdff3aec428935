internal import SinewArrayFiles
internal import SinewBody
internal import SinewFormats
internal import SinewModels

/// Solved poses of one person as `sinew solve` and AMASS write them.
struct ClipFrames: Sendable {
    /// How many frames.
    let count: Int
    /// `[10]`.
    let betas: [Float]
    let gender: Gender
    private let thetas: [Float]
    private let translations: [Float]
    private let frames: [Int]

    /// Reads `poses` and, where they are, `trans`, `betas`, `gender` and `frame`.
    ///
    /// - Throws: ``FormatError`` naming the file and the array.
    static func read(path: String) throws(FormatError) -> ClipFrames {
        let clip = try AMASSClip(path: path)
        do throws(ArrayFileError) {
            return try ClipFrames(NPZFile(path: path), clip)
        } catch {
            throw FormatError(.invalidData, error.message)
        }
    }

    private init(_ file: NPZFile, _ clip: AMASSClip) throws(ArrayFileError) {
        count = clip.frameCount
        thetas = clip.theta
        translations =
            try file.contains("trans")
            ? file.array("trans").expecting(shape: [clip.frameCount, 3], name: "\"trans\" in \(file.path)").floats()
            : [Float](repeating: 0, count: clip.frameCount * 3)
        let shape = try file.contains("betas") ? file.array("betas").floats() : []
        betas = Array(shape.prefix(10)) + [Float](repeating: 0, count: Swift.max(0, 10 - shape.count))
        let name = try file.contains("gender") ? file.array("gender").strings().first ?? "" : ""
        guard let known = name.isEmpty ? .neutral : Gender(rawValue: name) else {
            throw ArrayFileError(
                .wrongShape, "\(file.path): gender \"\(name)\" is not known; use neutral, female or male")
        }
        gender = known
        frames = try file.contains("frame") ? file.array("frame").ints() : Array(0..<clip.frameCount)
        guard (translations + betas).allSatisfy(\.isFinite), frames.count == count else {
            throw ArrayFileError(
                .wrongShape, "\(file.path): trans or betas holds a NaN or an infinity, or frame does not fit poses")
        }
    }

    /// `[24, 3]` of a frame.
    func theta(_ frame: Int) -> [Float] { Array(thetas[(frame * 72)..<(frame * 72 + 72)]) }
    /// `[3]` of a frame.
    func translation(_ frame: Int) -> [Float] { Array(translations[(frame * 3)..<(frame * 3 + 3)]) }

    /// A frame's effectors as a line for ``EffectorLines``.
    func line(frame: Int, recovered: EffectorRecovery.Recovered) -> String {
        func numbers(_ values: some Sequence<Float>) -> JSONValue { .array(values.map { .number(Double($0)) }) }
        let effectors = recovered.effectors.map { effector in
            let values = (0..<6).map { effector.values[$0] }
            var members = [JSONValue.Member("joint", .string(Skeleton.smpl24.jointNames[Int(effector.joint)]))]
            switch effector.kind {
            case .position: members.append(.init("position", numbers(values[..<3])))
            case .rotation: members.append(.init("rotation_6d", numbers(values)))
            case .lookAt:
                members += [.init("look_at", numbers(values[..<3])), .init("direction", numbers(values[3...]))]
            }
            return JSONValue.object(members)
        }
        let error = Double(recovered.errorsMillimetres.last ?? 0)
        return JSONValue.object([
            .init("frame", .integer(frames[frame])), .init("gender", .string(gender.rawValue)),
            .init("betas", numbers(betas)), .init("effectors", .array(effectors)), .init("error_mm", .number(error)),
        ]).encoded()
    }
}
