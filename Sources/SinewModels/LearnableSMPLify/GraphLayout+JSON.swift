internal import SinewArrayFiles
internal import SinewBody

extension GraphLayout {
    /// The largest sizes that are believed; a larger figure in a file is a mistake or an attack on memory.
    private static let keypointsMax = 64
    private static let blocksMax = 32
    private static let widthMax = 1024

    /// Parses the `graph` object.
    ///
    /// - Parameter complain: makes the error for a field of `model.json`.
    /// - Throws: ``ModelError/Reason/unusableFile`` naming the field.
    init(json: JSONValue?, complain: (_ field: String, _ what: String) -> ModelError) throws(ModelError) {
        guard let json else { throw complain("graph", "is missing") }
        func numbers(_ value: JSONValue?, _ field: String, in range: ClosedRange<Int>) throws(ModelError) -> [Int] {
            guard let values = value?.array else { throw complain("graph.\(field)", "is not a list of whole numbers") }
            var found: [Int] = []
            for value in values {
                guard let number = value.int, range.contains(number) else {
                    throw complain(
                        "graph.\(field)",
                        "has an entry that is no whole number in \(range.lowerBound)…\(range.upperBound)")
                }
                found.append(number)
            }
            return found
        }
        func rows(_ field: String, columns: Int, in range: ClosedRange<Int>) throws(ModelError) -> [[Int]] {
            guard let values = json[field]?.array else { throw complain("graph.\(field)", "is not a list of lists") }
            var found: [[Int]] = []
            for value in values {
                let row = try numbers(value, field, in: range)
                guard row.count == columns else {
                    throw complain("graph.\(field)", "has an entry of \(row.count) numbers, \(columns) are needed")
                }
                found.append(row)
            }
            return found
        }
        func number(_ field: String, in range: ClosedRange<Int>) throws(ModelError) -> Int {
            guard let value = json[field]?.int, range.contains(value) else {
                throw complain(
                    "graph.\(field)", "is not a whole number in \(range.lowerBound)…\(range.upperBound)")
            }
            return value
        }
        func choice<Choice: RawRepresentable & CaseIterable>(
            _ field: String
        ) throws(ModelError) -> Choice where Choice.RawValue == String {
            guard let name = json[field]?.string, let choice = Choice(rawValue: name) else {
                let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw complain("graph.\(field)", "is none of \(known)")
            }
            return choice
        }
        features = try choice("features")
        pooling = try choice("pooling")
        keypoints = try numbers(json["keypoints"], "keypoints", in: 0...(Skeleton.positionCount - 1))
        offsets = try Self.offsets(json["offsets"], keypoints: keypoints, complain: complain)
        let slots = 0...max(keypoints.count - 1, 0)
        edges = try rows("edges", columns: 2, in: slots).map { Edge(outer: $0[0], inner: $0[1]) }
        let frame = try numbers(json["frame"], "frame", in: slots)
        channels = try number("channels", in: 1...Self.widthMax)
        blocks = try rows("blocks", columns: 3, in: 1...Self.widthMax).map {
            Block(inputs: $0[0], outputs: $0[1], stride: $0[2])
        }
        temporalKernel = try number("temporal_kernel", in: 3...63)
        jointWidth = try number("joint_width", in: 1...Self.widthMax)
        rotations = try number("rotations", in: 22...Skeleton.rotationCount)
        guard (1...Self.keypointsMax).contains(keypoints.count), frame.count == 4 else {
            throw complain("graph.keypoints", "or graph.frame has a wrong length (1…64 keypoints, 4 for the frame)")
        }
        self.frame = Frame(origin: frame[0], left: frame[1], right: frame[2], top: frame[3])
        guard temporalKernel % 2 == 1 else { throw complain("graph.temporal_kernel", "is even") }
        var width = channels
        for block in blocks {
            guard block.inputs == width, (1...2).contains(block.stride) else {
                throw complain(
                    "graph.blocks", "has a block that does not follow from the one before, or a stride above 2")
            }
            width = block.outputs
        }
        guard (1...Self.blocksMax).contains(blocks.count) else {
            throw complain("graph.blocks", "has \(blocks.count) blocks, 1…\(Self.blocksMax) are needed")
        }
    }

    /// A keypoint farther than this from its joint is none of a body.
    private static let offsetMax = 0.5

    private static func offsets(
        _ json: JSONValue?, keypoints: [Int], complain: (_ field: String, _ what: String) -> ModelError
    ) throws(ModelError) -> [SIMD3<Double>] {
        guard let json else { return [] }
        guard let rows = json.array, rows.count == keypoints.count else {
            throw complain("graph.offsets", "is not a list of three numbers for each of \(keypoints.count) keypoints")
        }
        var found: [SIMD3<Double>] = []
        for (keypoint, row) in rows.enumerated() {
            let numbers = row.array?.compactMap(\.double) ?? []
            guard numbers.count == 3, row.array?.count == 3, numbers.allSatisfy({ abs($0) <= offsetMax }) else {
                throw complain(
                    "graph.offsets", "has an entry that is not three numbers of metres in -\(offsetMax)…\(offsetMax)")
            }
            let offset = SIMD3(numbers[0], numbers[1], numbers[2])
            guard offset == .zero || keypoints[keypoint] < Skeleton.rotationCount else {
                throw complain("graph.offsets", "moves a keypoint of joint \(keypoints[keypoint]), which is not turned")
            }
            found.append(offset)
        }
        return found
    }
}
