internal import SinewArrayFiles
internal import SinewBody

/// People in COCO's annotation format: an image per frame, an annotation per person, SMPL's 29 joints as the category's keypoints.
///
/// Nothing is known of any image, so `keypoints` are all "not labelled" (0, 0, 0) and boxes are empty, which COCO allows; the places in
/// space are `keypoints3d` `[[x, y, z, v], …]`, metres, y up, v 2 for a joint that is known. `smpl` holds `poses` (72 axis-angle values),
/// `trans`, `betas`, `gender` and, where it was solved, `quality`.
struct COCODocument {
    private var images: [JSONValue] = []
    private var annotations: [JSONValue] = []
    private var imageOfFrame: [Int: Int] = [:]
    private let framesPerSecond: Double?

    init(framesPerSecond: Double?) { self.framesPerSecond = framesPerSecond }

    /// Adds a person of a frame.
    ///
    /// - Parameters:
    ///   - joints: of each of the 29 joints; nil where it was not seen.
    ///   - smpl: the pose, where there is one.
    mutating func append(track: String, frame: Int, joints: [SIMD3<Float>?], smpl: JSONValue?) {
        let image: Int
        if let known = imageOfFrame[frame] {
            image = known
        } else {
            image = images.count + 1
            imageOfFrame[frame] = image
            images.append(
                .object([
                    .init("id", .integer(image)), .init("frame_id", .integer(frame)),
                    .init("file_name", .string("frame_\(frame)")), .init("width", .integer(0)),
                    .init("height", .integer(0)),
                ]))
        }
        let none = JSONValue.array([JSONValue](repeating: .integer(0), count: joints.count * 3))
        var members: [JSONValue.Member] = [
            .init("id", .integer(annotations.count + 1)), .init("image_id", .integer(image)),
            .init("category_id", .integer(1)), .init("track_id", .string(track)), .init("iscrowd", .integer(0)),
            .init("area", .integer(0)), .init("bbox", .array([JSONValue](repeating: .integer(0), count: 4))),
            .init("num_keypoints", .integer(0)), .init("keypoints", none),
            .init(
                "keypoints3d",
                .array(
                    joints.map { joint in
                        guard let joint else { return PoseOutput.numbers([0, 0, 0, 0]) }
                        return PoseOutput.numbers([joint.x, joint.y, joint.z, 2])
                    })),
        ]
        if let smpl { members.append(.init("smpl", smpl)) }
        annotations.append(.object(members))
    }

    /// The whole document.
    func encoded() -> [UInt8] {
        let skeleton = Skeleton.smpl29
        var info: [JSONValue.Member] = [
            .init("description", .string("poses of sinew")), .init("unit", .string(LengthUnit.metres.rawValue)),
            .init("up_axis", .string(UpAxis.plusY.rawValue)),
        ]
        if let framesPerSecond { info.append(.init("fps", .number(framesPerSecond))) }
        // COCO counts keypoints from 1.
        let bones = (1..<skeleton.jointCount).map { joint in
            JSONValue.array([.integer(skeleton.parents[joint] + 1), .integer(joint + 1)])
        }
        let category = JSONValue.object([
            .init("id", .integer(1)), .init("name", .string("person")), .init("supercategory", .string("person")),
            .init("keypoints", .array(skeleton.jointNames.map { .string($0) })), .init("skeleton", .array(bones)),
        ])
        let document = JSONValue.object([
            .init("info", .object(info)), .init("licenses", .array([])), .init("images", .array(images)),
            .init("annotations", .array(annotations)), .init("categories", .array([category])),
        ])
        return Array((document.encoded() + "\n").utf8)
    }
}

extension PoseOutput {
    /// All tracks as one COCO document.
    func coco() -> [UInt8] {
        var document = COCODocument(framesPerSecond: framesPerSecond)
        for track in tracks {
            for frame in track.frames.indices {
                let isSolved = track.isSolved.isEmpty || track.isSolved[frame]
                var smpl: JSONValue?
                if isSolved {
                    var members: [JSONValue.Member] = [
                        .init("poses", Self.numbers(track.theta[(frame * 72)..<(frame * 72 + 72)])),
                        .init("trans", Self.numbers(track.translation[(frame * 3)..<(frame * 3 + 3)])),
                        .init("betas", Self.numbers(track.betas[(frame * 10)..<(frame * 10 + 10)])),
                        .init("gender", .string(track.gender.rawValue)),
                    ]
                    if track.isSolved.count == track.frames.count {
                        members.append(.init("quality", Self.quality(frame, of: track)))
                    }
                    smpl = .object(members)
                }
                let joints = (0..<Skeleton.positionCount).map { joint -> SIMD3<Float>? in
                    let start = frame * 87 + joint * 3
                    return isSolved
                        ? SIMD3(track.joints[start], track.joints[start + 1], track.joints[start + 2]) : nil
                }
                document.append(track: track.name, frame: track.frames[frame], joints: joints, smpl: smpl)
            }
        }
        return document.encoded()
    }
}
