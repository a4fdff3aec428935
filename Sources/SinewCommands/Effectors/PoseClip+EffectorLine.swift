internal import SinewArrayFiles
internal import SinewBody
internal import SinewFormats
internal import SinewModels

extension PoseClip {
    /// A frame's effectors as a line for ``EffectorLines``; `frame` counts from 0.
    func effectorLine(frame: Int, recovered: EffectorRecovery.Recovered) -> String {
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
            .init("frame", .integer(frameNumbers[frame])), .init("gender", .string(gender.rawValue)),
            .init("betas", numbers(betas)), .init("effectors", .array(effectors)), .init("error_mm", .number(error)),
        ]).encoded()
    }
}
