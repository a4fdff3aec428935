internal import SinewArrayFiles
internal import SinewBody

extension PoseOutput {
    /// A line that describes the file, then one per frame of each track, with its measures of quality.
    ///
    /// The lines are observations, too: `joints3d`, `betas`, `gender`, `track` and `frame` are those that `sinew solve` reads.
    func jsonLines() -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("format", .string("sinew-poses")), .init("version", .integer(1)),
            .init("skeleton", .string(Skeleton.smpl29.name)), .init("unit", .string(LengthUnit.metres.rawValue)),
            .init("up_axis", .string(UpAxis.plusY.rawValue)),
        ]
        if let framesPerSecond { members.append(.init("fps", .number(framesPerSecond))) }
        if !model.isEmpty { members.append(.init("model", .string(model))) }
        var text = JSONValue.object(members).encoded() + "\n"
        for track in tracks {
            for frame in track.frames.indices { text += Self.line(frame, of: track).encoded() + "\n" }
        }
        return Array(text.utf8)
    }

    private static func line(_ frame: Int, of track: Track) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("track", .string(track.name)), .init("frame", .integer(track.frames[frame])),
        ]
        let isSolved = track.isSolved.isEmpty || track.isSolved[frame]
        if isSolved {
            members += [
                .init("poses", numbers(track.theta[(frame * 72)..<(frame * 72 + 72)])),
                .init("trans", numbers(track.translation[(frame * 3)..<(frame * 3 + 3)])),
            ]
        }
        members += [
            .init("betas", numbers(track.betas[(frame * 10)..<(frame * 10 + 10)])),
            .init("gender", .string(track.gender.rawValue)),
            .init(
                "joints3d",
                .array(
                    (0..<Skeleton.positionCount).map { joint in
                        let start = frame * 87 + joint * 3
                        return isSolved ? numbers(track.joints[start..<(start + 3)]) : .null
                    })),
        ]
        if track.isSolved.count == track.frames.count {
            members.append(.init("quality", quality(frame, of: track)))
        }
        if let correction = track.corrections[frame] {
            let names = correction.joints.map { JSONValue.string(Skeleton.smpl24.jointNames[$0]) }
            members.append(
                .init(
                    "correction",
                    .object([.init("joints", .array(names)), .init("model", .string(correction.model))])))
        }
        return .object(members)
    }

    /// The measures of a frame, by the names that the `.npz` has.
    static func quality(_ frame: Int, of track: Track) -> JSONValue {
        .object([
            .init("solved", .bool(track.isSolved[frame])), .init("outcome", .integer(Int(track.outcome[frame]))),
            .init("latent_norm", .number(Double(track.latentNorm[frame]))),
            .init("joint_residual_mm", .number(Double(track.jointResidualMillimetres[frame]))),
            .init("orientation_residual_rad", .number(Double(track.orientationResidualRadians[frame]))),
            .init("bone_length_change", .number(Double(track.boneLengthChange[frame]))),
            .init("unobserved_joints", .integer(Int(track.unobservedJoints[frame]))),
        ])
    }

    /// A list of numbers, each with the fewest digits that give the same float again.
    static func numbers(_ values: some Sequence<Float>) -> JSONValue {
        .array(values.map { .number(Double("\($0)") ?? Double($0)) })
    }
}
