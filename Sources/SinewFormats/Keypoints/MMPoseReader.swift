internal import SinewArrayFiles
internal import SinewBody

/// MMPose's predictions: `{"meta_info": …, "instance_info": [{"frame_id": 1, "instances": [{"keypoints": [[x, y, z], …],
/// "keypoint_scores": […]}]}]}`, the inner list alone (the inferencer), or the instances of one image.
///
/// 17 points of a lifter are Human3.6M's with the right leg first. Scores may exceed 1.
enum MMPoseReader {
    static let name = "MMPose"

    static func read(_ value: JSONValue, path: String, options: PoseInput.Options) throws(FormatError) -> RawPeople {
        let listed = value["instance_info"]?.array ?? value.array ?? []
        let isOneImage = !listed.isEmpty && listed.allSatisfy { $0["instances"] == nil }
        let frames = isOneImage ? [JSONValue.object([.init("instances", .array(listed))])] : listed
        let named = Self.skeleton(of: value["meta_info"])
        var collector: (KeypointCollector, Skeleton)?
        var areTracked = true
        for (order, frame) in frames.enumerated() {
            let number = frame["frame_id"]?.int ?? order
            for (index, instance) in (frame["instances"]?.array ?? []).enumerated() {
                let place = "frame \(number), person \(index)"
                let keypoints = instance["keypoints_3d"] ?? instance["keypoints"]
                if KeypointJSON.nestedWidth(keypoints) == 2 {
                    throw KeypointJSON.flat(path, name, "keypoints are pairs of x and y")
                }
                guard
                    let points = KeypointJSON.points(
                        keypoints, flatWidth: 3, scores: instance["keypoint_scores"])
                else {
                    throw KeypointJSON.wrong(
                        path, place, "keypoints is no list of [x, y, z] with as many keypoint_scores", field: "joints3d"
                    )
                }
                if collector == nil {
                    let likely = [named, .h36m17RightFirst, .cocoWholeBody133, .halpe26].compactMap { $0 }
                    let skeleton = try KeypointJSON.skeleton(
                        options, jointCount: points.count, likely: likely, path: path)
                    collector = (KeypointCollector(path: path, skeleton: skeleton), skeleton)
                }
                guard points.count == collector?.1.jointCount else {
                    throw KeypointJSON.wrong(
                        path, place, "it has \(points.count) keypoints, those before \(collector?.1.jointCount ?? 0)",
                        field: "joints3d")
                }
                let id = instance["track_id"]?.int
                if id == nil { areTracked = false }
                try collector?.0.append(
                    points, track: id.map(String.init) ?? "person-\(index)", frame: number, place: place)
            }
        }
        guard let collector else {
            throw FormatError(.invalidData, "\(path): read as \(name), it holds no person", field: "joints3d")
        }
        return try collector.0.finished(
            format: name,
            notes: areTracked ? [] : ["people have no track_id: the first person of each frame was taken as the same"])
    }

    /// What the file says of its keypoints: `{"keypoint_id2name": {"0": "root", …}}` or `{"dataset_name": "halpe26"}`.
    private static func skeleton(of meta: JSONValue?) -> Skeleton? {
        if let names = meta?["keypoint_id2name"]?.members {
            let sorted = names.compactMap { entry in Int(entry.key).map { ($0, entry.value.string ?? "") } }
                .sorted { $0.0 < $1.0 }.map(\.1)
            if let known = KeypointNames.skeleton(sorted) { return known }
        }
        guard let dataset = meta?["dataset_name"]?.string else { return nil }
        return dataset.hasPrefix("h36m") ? .h36m17RightFirst : Skeleton.named(dataset)
    }
}
