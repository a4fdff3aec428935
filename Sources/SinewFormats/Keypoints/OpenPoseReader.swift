internal import SinewArrayFiles
internal import SinewBody

/// OpenPose's output, one file per frame: `{"people": [{"person_id": [-1], "pose_keypoints_3d": [x, y, z, c, …], …}]}`.
///
/// Unit and axes are those of the cameras' calibration; confidence 0…1, 0 for not seen. 25 points are BODY_25, 18 its COCO model.
enum OpenPoseReader {
    static let name = "OpenPose"

    static func read(_ frames: [JSONFrame], path: String, options: PoseInput.Options) throws(FormatError) -> RawPeople {
        var collector: (KeypointCollector, Skeleton)?
        var flat: String?
        var areTracked = true
        for frame in frames {
            for (index, person) in ((frame.value["people"] ?? frame.value["bodies"])?.array ?? []).enumerated() {
                let place = "frame \(frame.number), person \(index)"
                guard let points = KeypointJSON.points(person["pose_keypoints_3d"], flatWidth: 4) else {
                    guard person["pose_keypoints_3d"]?.array?.isEmpty ?? true else {
                        throw KeypointJSON.wrong(
                            frame.path, place, "pose_keypoints_3d is no list of x, y, z, confidence", field: "joints3d")
                    }
                    for name in ["pose_keypoints_2d", "pose_keypoints", "joints"]
                    where person[name]?.array?.isEmpty == false {
                        flat = "\(name), and pose_keypoints_3d is empty"
                    }
                    continue
                }
                if collector == nil {
                    let skeleton = try KeypointJSON.skeleton(
                        options, jointCount: points.count, likely: [.body25, .openpose18], path: path)
                    collector = (KeypointCollector(path: path, skeleton: skeleton), skeleton)
                }
                guard points.count == collector?.1.jointCount else {
                    throw KeypointJSON.wrong(
                        frame.path, place,
                        "it has \(points.count) points, those before \(collector?.1.jointCount ?? 0)",
                        field: "joints3d")
                }
                let id = person["person_id"]?.array?.first?.int ?? -1
                if id < 0 { areTracked = false }
                try collector?.0.append(
                    points, track: id < 0 ? "person-\(index)" : "\(id)", frame: frame.number, place: place)
            }
        }
        guard let collector else {
            if let flat { throw KeypointJSON.flat(path, name, flat) }
            throw FormatError(.invalidData, "\(path): read as \(name), it holds no person", field: "joints3d")
        }
        return try collector.0.finished(
            format: name,
            notes: areTracked
                ? []
                : [
                    "OpenPose did not track people (person_id is -1): the first person of each frame was taken as the same, and so on"
                ])
    }
}
