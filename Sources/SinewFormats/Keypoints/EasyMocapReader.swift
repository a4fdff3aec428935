internal import SinewArrayFiles
internal import SinewBody

/// EasyMocap's `keypoints3d`, one file per frame: `[{"id": 0, "keypoints3d": [[x, y, z, c], …]}, …]`.
///
/// Metres in the frame of its calibration (usually z up); c 0 for not seen; BODY_25, and behind it hands and face, which are not read.
/// - Source: EasyMocap's documentation of its output.
enum EasyMocapReader {
    static let name = "EasyMocap"

    static func read(_ frames: [JSONFrame], path: String, options: PoseInput.Options) throws(FormatError) -> RawPeople {
        var collector: (KeypointCollector, Skeleton)?
        var dropped = 0
        for frame in frames {
            for (index, person) in (frame.value.array ?? []).enumerated() {
                let place = "frame \(frame.number), person \(index)"
                guard var points = KeypointJSON.points(person["keypoints3d"], flatWidth: 4) else {
                    throw KeypointJSON.wrong(
                        frame.path, place, "keypoints3d is no list of [x, y, z, confidence]", field: "joints3d")
                }
                if options.skeletonName == nil, points.count > Skeleton.body25.jointCount {
                    dropped = points.count - Skeleton.body25.jointCount
                    points.removeLast(dropped)
                }
                if collector == nil {
                    let skeleton = try KeypointJSON.skeleton(
                        options, jointCount: points.count, likely: [.body25], path: path)
                    collector = (KeypointCollector(path: path, skeleton: skeleton), skeleton)
                }
                guard points.count == collector?.1.jointCount else {
                    throw KeypointJSON.wrong(
                        frame.path, place,
                        "it has \(points.count) points, those before \(collector?.1.jointCount ?? 0)",
                        field: "joints3d")
                }
                let id = person["id"]?.int.map(String.init) ?? "person-\(index)"
                try collector?.0.append(points, track: id, frame: frame.number, place: place)
            }
        }
        guard let collector else {
            throw FormatError(.invalidData, "\(path): read as \(name), it holds no person", field: "joints3d")
        }
        return try collector.0.finished(
            format: name, notes: dropped > 0 ? ["\(dropped) points of hands and face were left out"] : [])
    }
}
