internal import SinewArrayFiles
internal import SinewBody

/// COCO's annotations and results, with 3D: `{"images": …, "annotations": [{"image_id", "track_id", "keypoints3d": [[x, y, z, v], …]}],
/// "categories": [{"keypoints": [names]}]}`, or the list of annotations alone, as AlphaPose and COCO's results have it.
///
/// `keypoints3d` (or `keypoints_3d`, flat or nested) is in metres where `info.unit` does not say otherwise; v 0 is not seen. AlphaPose's
/// `pred_xyz_jts` are HybrIK's joints from the pelvis, camera axes. Files with `keypoints` only are 2D.
enum COCOReader {
    /// A person of an image.
    private struct Entry {
        let points: [Keypoint]
        let track: String?
        let frame: Int
        let place: String
    }

    /// Annotations with images and categories.
    static func read(annotations value: JSONValue, path: String, options: PoseInput.Options) throws(FormatError)
        -> RawPeople
    {
        let images = value["images"]?.array ?? []
        let numbers = images.enumerated().map { order, image in
            (image["id"]?.int ?? order, image["frame_id"]?.int ?? order)
        }
        let frameOfImage = [Int: Int](numbers, uniquingKeysWith: { first, _ in first })
        let entries = try entries(
            value["annotations"]?.array ?? [], path: path, format: "COCO annotations", flatWidth: 4
        ) { image in image.int.flatMap { frameOfImage[$0] ?? $0 } }
        let names = value["categories"]?.array?.first?["keypoints"]?.array?.compactMap(\.string) ?? []
        let info = value["info"]
        return try collect(
            entries, path: path, format: "COCO annotations", options: options, names: names,
            unit: info?["unit"]?.string.flatMap(LengthUnit.init(named:)),
            upAxis: info?["up_axis"]?.string.flatMap(UpAxis.init(named:)), framesPerSecond: info?["fps"]?.double)
    }

    /// A list of results.
    static func read(results value: JSONValue, path: String, options: PoseInput.Options) throws(FormatError)
        -> RawPeople
    {
        let list = value.array ?? []
        let isAlphaPose = list.contains { $0["image_id"]?.string != nil || $0["pred_xyz_jts"] != nil }
        let format = isAlphaPose ? "AlphaPose" : "COCO results"
        let entries = try entries(list, path: path, format: format, flatWidth: 4) { image in
            image.int ?? image.string.flatMap { KeypointJSON.lastNumber(in: $0.prefix { $0 != "." }) }
        }
        return try collect(entries, path: path, format: format, options: options, names: [])
    }

    private static func entries(
        _ list: [JSONValue], path: String, format: String, flatWidth: Int, frame: (JSONValue) -> Int?
    ) throws(FormatError) -> [Entry] {
        var entries: [Entry] = []
        var order: [JSONValue] = []
        for (index, value) in list.enumerated() {
            let place = "entry \(index)"
            let image = value["image_id"] ?? .null
            if order.last != image { order.append(image) }
            let joints = value["keypoints3d"] ?? value["keypoints_3d"]
            let relative = value["pred_xyz_jts"]
            guard let given = joints ?? relative else {
                if value["keypoints"] != nil { throw KeypointJSON.flat(path, format, "keypoints are x, y and a score") }
                continue
            }
            let scores = joints == nil ? nil : value["keypoint_scores"]
            guard
                let points = KeypointJSON.points(given, flatWidth: joints == nil ? 3 : flatWidth, scores: scores)
            else {
                throw KeypointJSON.wrong(path, place, "its 3D keypoints are no list of [x, y, z]", field: "joints3d")
            }
            let id = value["track_id"] ?? value["idx"]
            entries.append(
                Entry(
                    points: points.map(asSeen),
                    track: id.flatMap { $0.string ?? $0.int.map(String.init) ?? $0.array?.first?.int.map(String.init) },
                    frame: frame(image) ?? order.count - 1, place: place))
        }
        return entries
    }

    /// COCO's visibility is 0 not labelled, 1 hidden, 2 seen; both of the latter have a place and are no confidence.
    private static func asSeen(_ point: Keypoint) -> Keypoint {
        var point = point
        if let c = point.confidence, c == 1 || c == 2 { point.confidence = nil }
        return point
    }

    private static func collect(
        _ entries: [Entry], path: String, format: String, options: PoseInput.Options, names: [String],
        unit: LengthUnit? = nil, upAxis: UpAxis? = nil, framesPerSecond: Double? = nil
    ) throws(FormatError) -> RawPeople {
        guard let first = entries.first else {
            throw FormatError(.invalidData, "\(path): read as \(format), it holds no person", field: "joints3d")
        }
        let count = first.points.count
        var skeleton: Skeleton?
        if options.skeletonName == nil, names.count == count {
            skeleton = KeypointNames.skeleton(of: names, file: "the file's own")
        }
        let chosen: Skeleton
        if let skeleton {
            chosen = skeleton
        } else {
            chosen = try KeypointJSON.skeleton(
                options, jointCount: count, likely: [.coco17, .smpl24, .cocoWholeBody133, .halpe26], path: path)
        }
        var collector = KeypointCollector(path: path, skeleton: chosen)
        var order: [Int: Int] = [:]
        for entry in entries {
            guard entry.points.count == count else {
                throw KeypointJSON.wrong(
                    path, entry.place, "it has \(entry.points.count) keypoints, those before \(count)",
                    field: "joints3d")
            }
            let index = order[entry.frame, default: 0]
            order[entry.frame] = index + 1
            try collector.append(
                entry.points, track: entry.track ?? "person-\(index)", frame: entry.frame, place: entry.place)
        }
        return try collector.finished(
            format: format, unit: unit, upAxis: upAxis, framesPerSecond: framesPerSecond,
            notes: entries.contains { $0.track == nil }
                ? ["people have no track_id: the first person of each image was taken as the same, and so on"] : [])
    }
}
