import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

/// Files that are wrong in the ways in which files are wrong: each gets an error or a warning that names it, none a crash or silent nonsense.
struct WrongFileTests {
    /// What a reader must say.
    enum Verdict: Sendable {
        /// Refused, with all of these words.
        case error([String])
        /// Read, with a note that has all of these words.
        case warning([String])
    }
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let verdict: Verdict
        var options = PoseInput.Options()
        /// Writes the file into a folder and returns its path.
        let make: @Sendable (String) throws -> String
    }

    private static func archive(
        _ folder: String, _ arrays: [(String, NDArray)], name: String = "a.npz"
    ) throws -> String {
        var writer = NPZWriter()
        for (name, array) in arrays { writer.add(name, array) }
        try writer.write(to: folder + "/" + name)
        return folder + "/" + name
    }

    private static func text(_ folder: String, _ name: String, _ text: String) throws -> String {
        try AtomicFile.write(Array(text.utf8), to: folder + "/" + name)
        return folder + "/" + name
    }

    private static func figures(
        _ count: Int = 1, scale: Float = 1, _ change: (SIMD3<Float>) -> SIMD3<Float> = { $0 }
    ) throws -> (String, NDArray) {
        let joints = try figure()
        let one = (0..<24).flatMap { joint -> [Float] in
            let p = change(SIMD3(joints[joint * 3], joints[joint * 3 + 1], joints[joint * 3 + 2]) * scale)
            return [p.x, p.y, p.z]
        }
        return ("joints3d", .float32((0..<count).flatMap { _ in one }, shape: [count, 24, 3]))
    }

    private static func rows(_ value: Float, _ count: Int = 24) -> NDArray {
        .float32([Float](repeating: value, count: count), shape: [1, count])
    }

    /// The first part of a file.
    private static func cut(_ source: String, _ folder: String, _ share: Double) throws -> String {
        let bytes = try FileContents.read(fixture(source))
        let path = folder + "/" + (source.split(separator: "/").last ?? "")
        try AtomicFile.write(Array(bytes.prefix(Int(Double(bytes.count) * share))), to: path)
        return path
    }

    private static let units: [Case] = [
        Case(testDescription: "millimetres declared as metres", verdict: .error(["declares metres", "--unit mm"])) {
            try archive($0, [figures(scale: 1000), ("unit", .strings(["m"], shape: []))])
        },
        Case(testDescription: "inches", verdict: .error(["neither metres"])) {
            try archive($0, [figures(scale: 39.37)])
        },
        Case(testDescription: "y and z swapped", verdict: .warning(["people stand along z", "--up-axis=z"])) {
            try archive($0, [figures { SIMD3($0.x, -$0.z, $0.y) }, ("up_axis", .strings(["y"], shape: []))])
        },
        Case(testDescription: "mirrored", verdict: .warning(["left and right may be swapped"])) {
            try archive($0, [figures { SIMD3(-$0.x, $0.y, $0.z) }])
        },
        Case(testDescription: "joints that all lie at one place", verdict: .error(["neither metres"])) {
            try archive($0, [figures(scale: 0)])
        },
        Case(testDescription: "twists in degrees", verdict: .error(["radians, convert degrees"])) {
            try archive($0, [figures(), ("twist", rows(90, 23))])
        },
        Case(testDescription: "measurements for betas", verdict: .error(["within ±20"])) {
            try archive($0, [figures(), ("betas", .float32([178] + [Float](repeating: 0, count: 9), shape: [10]))])
        },
        Case(testDescription: "no frames in a second", verdict: .error(["fps is 0"])) {
            try archive($0, [figures(), ("fps", .float64([0], shape: []))])
        },
        Case(testDescription: "a person faster than any", verdict: .warning(["faster than anybody runs"])) { folder in
            let (_, one) = try figures()
            let values = try one.floats()
            let joints = (0..<20).flatMap { row in values.indices.map { values[$0] + ($0 % 3 == 2 ? Float(row) : 0) } }
            return try archive(
                folder, [("joints3d", .float32(joints, shape: [20, 24, 3])), ("fps", .float64([60], shape: []))])
        },
    ]

    private static let certainty: [Case] = [
        Case(testDescription: "confidence in percent", verdict: .error(["between 0 (not seen) and 1"])) {
            try archive($0, [figures(), ("confidence", rows(87))])
        },
        Case(testDescription: "nothing but zero confidence", verdict: .error(["no joint of anybody was seen"])) {
            try archive($0, [figures(), ("confidence", rows(0))])
        },
        Case(testDescription: "sigma below zero", verdict: .error(["sigma is -0.1"])) {
            try archive($0, [figures(), ("sigma", rows(-0.1))])
        },
        Case(testDescription: "confidence upside down", verdict: .warning(["confidence may be upside down"])) {
            folder in
            let values = try figures().1.floats()
            var joints: [Float] = []
            var confidence: [Float] = []
            for row in 0..<40 {
                for joint in 0..<24 {
                    // Every other wrist and knee is wildly off, and the file is surest of those.
                    let isOff = (row + joint) % 2 == 0 && [4, 5, 18, 19, 20, 21].contains(joint)
                    for axis in 0..<3 {
                        let swing = Float((row * 7 + joint * 3 + axis * 5) % 11 - 5) / 5
                        joints.append(values[joint * 3 + axis] + (isOff ? 0.15 * swing : 0))
                    }
                    confidence.append(isOff ? 0.95 : 0.2)
                }
            }
            // Bones between two joints of low confidence are exact, those of high confidence are not.
            for row in 0..<40 {
                for joint in [1, 2, 7, 8, 16, 17] { confidence[row * 24 + joint] = 0.95 }
            }
            return try archive(
                folder,
                [
                    ("joints3d", .float32(joints, shape: [40, 24, 3])),
                    ("confidence", .float32(confidence, shape: [40, 24])),
                ])
        },
        Case(testDescription: "a NaN that is said to be seen", verdict: .error(["joint left_knee", "x is nan"])) {
            folder in
            var values = try figures().1.floats()
            values[12] = .nan
            return try archive(folder, [("joints3d", .float32(values, shape: [1, 24, 3]))])
        },
        Case(testDescription: "gaps of a TRC", verdict: .warning(["count as not seen"])) { _ in
            fixture("keypoints/walk.trc")
        },
    ]

    private static let skeletons: [Case] = [
        Case(testDescription: "an unknown skeleton", verdict: .error(["\"horse\" is not known", "smpl-24"])) {
            try archive($0, [figures(), ("skeleton", .strings(["horse"], shape: []))])
        },
        Case(testDescription: "17 joints without a name", verdict: .error(["h36m-17", "coco-17", "--skeleton"])) {
            try archive($0, [("joints3d", .float32([Float](repeating: 1, count: 51), shape: [1, 17, 3]))])
        },
        Case(
            testDescription: "Human3.6M in the other order", verdict: .warning(["hips and shoulders disagree"]),
            options: PoseInput.Options(skeletonName: "h36m-17")
        ) { _ in fixture("keypoints/mmpose.json") },
        Case(testDescription: "markers on the skin", verdict: .error(["where joints are", "--skeleton"])) {
            try text(
                $0, "a.trc",
                "PathFileType\t4\t(X/Y/Z)\ta\nDataRate\tUnits\n100\tmm\nFrame#\tTime\tR.ASIS\t\t\tV.Sacral\n\t\tX1\n\n1\t0\t1\t2\t3\t4\t5\t6\n"
            )
        },
        Case(
            testDescription: "another number of points from frame to frame",
            verdict: .error(["points, those before 25"])
        ) {
            let point = "[0.1, 0.2, 0.3, 1]"
            for (frame, count) in [25, 24].enumerated() {
                let points = [String](repeating: point, count: count).joined(separator: ",")
                _ = try text($0, "00000\(frame).json", "[{\"id\": 0, \"keypoints3d\": [\(points)]}]")
            }
            return $0
        },
    ]

    private static let contents: [Case] = [
        Case(testDescription: "2D of OpenPose", verdict: .error(["2D keypoints only"])) { _ in
            fixture("keypoints/openpose_2d.json")
        },
        Case(testDescription: "2D of AlphaPose", verdict: .error(["2D keypoints only"])) { _ in
            fixture("keypoints/alphapose_2d.json")
        },
        Case(testDescription: "2D in an archive", verdict: .error(["(T, P, J, 3)"])) {
            try archive($0, [("joints3d", .float32([Float](repeating: 1, count: 48), shape: [1, 24, 2]))])
        },
        Case(testDescription: "rotations instead of joints", verdict: .error(["rotations already"])) {
            try archive($0, [("poses", .float32([Float](repeating: 0, count: 72), shape: [1, 72]))])
        },
        Case(testDescription: "one person twice in a frame", verdict: .error(["\"4\" is in frame 0 twice"])) {
            let points = [String](repeating: "[0.1, 0.2, 0.3, 1]", count: 25).joined(separator: ",")
            let person = "{\"id\": 4, \"keypoints3d\": [\(points)]}"
            return try text($0, "000000.json", "[\(person), \(person)]")
        },
        Case(testDescription: "two files of one frame", verdict: .error(["both are frame 0"])) { folder in
            let bytes = try FileContents.read(fixture("keypoints/easymocap/000000.json"))
            for name in ["a_0.json", "b_0.json"] { try AtomicFile.write(bytes, to: folder + "/" + name) }
            return folder
        },
        Case(testDescription: "a motion without its skeleton", verdict: .error(["02.asf", "--rig"])) { folder in
            try AtomicFile.write(try FileContents.read(fixture("acclaim/02_01.amc")), to: folder + "/02_01.amc")
            return folder + "/02_01.amc"
        },
    ]

    private static let damage: [Case] = [
        Case(testDescription: "a truncated archive", verdict: .error(["truncated"])) {
            try cut("two_people.npz", $0, 0.7)
        },
        Case(testDescription: "truncated JSON", verdict: .error(["coco.json"])) {
            try cut("keypoints/coco.json", $0, 0.6)
        },
        Case(testDescription: "a truncated TRC", verdict: .error(["cut off", "NumFrames"])) { folder in
            let whole = String(decoding: try FileContents.read(fixture("keypoints/walk.trc")), as: UTF8.self)
            let lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
            return try text(folder, "a.trc", lines.dropLast(3).joined(separator: "\n") + "\n")
        },
        Case(testDescription: "a truncated BVH", verdict: .error(["ends too early"])) {
            try text(
                $0, "a.bvh", "HIERARCHY\nROOT Hips\n{\n OFFSET 0 0 0\n CHANNELS 3 Zrotation Xrotation Yrotation\n JOINT"
            )
        },
        Case(testDescription: "a truncated GLB", verdict: .error(["exported_rig.glb"])) {
            try cut("exported_rig.glb", $0, 0.5)
        },
        Case(testDescription: "pickled objects in an archive", verdict: .error(["object"])) { folder in
            // numpy's header for dtype=object and a pickle behind it, stored in an archive of our own.
            try AtomicFile.write(PickledArchive.bytes(named: "joints3d"), to: folder + "/a.npz")
            return folder + "/a.npz"
        },
        Case(testDescription: "a pickle", verdict: .error(["none of those that can be read", "--format"])) { folder in
            try AtomicFile.write([0x80, 0x04, 0x95, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0x7D, 0x2E], to: folder + "/a.pkl")
            return folder + "/a.pkl"
        },
        Case(testDescription: "a zip bomb", verdict: .error(["a.npz"])) { folder in
            try AtomicFile.write(PickledArchive.bomb(named: "joints3d"), to: folder + "/a.npz")
            return folder + "/a.npz"
        },
        Case(testDescription: "JSON nested without end", verdict: .error(["a.json"])) {
            try text($0, "a.json", String(repeating: "[", count: 200_000))
        },
        Case(testDescription: "an empty file", verdict: .error(["none of those that can be read"])) {
            try text($0, "a.json", "")
        },
        Case(testDescription: "JSON of something else", verdict: .error(["none of those that can be read"])) {
            try text($0, "a.json", "{\"name\": \"sinew\", \"version\": 1}")
        },
    ]

    static let cases = units + certainty + skeletons + contents + damage

    @Test func `there are at least thirty`() { #expect(Self.cases.count >= 30) }

    @Test(arguments: cases) func `a wrong file is named`(wrong: Case) throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let path = try wrong.make(folder)
        switch wrong.verdict {
        case .error(let words):
            let error = #expect(throws: FormatError.self) { try PoseInput.read(path: path, options: wrong.options) }
            for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "")") }
        case .warning(let words):
            let input = try PoseInput.read(path: path, options: wrong.options)
            let said = input.notes.contains { note in words.allSatisfy(note.contains) }
            #expect(said, "\(input.notes)")
        }
    }

    @Test func `poses in degrees, and poses that are no numbers, are refused`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        for (value, word) in [(Float(45), "convert degrees"), (.nan, "nan")] {
            let path = try Self.archive(
                folder, [("poses", .float32([Float](repeating: value, count: 72), shape: [1, 72]))])
            let error = #expect(throws: FormatError.self) { try PoseClip.readAll(path: path) }
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        let shape = try Self.archive(
            folder, [("poses", .float32([Float](repeating: 0, count: 216), shape: [1, 24, 3, 3]))])
        let error = #expect(throws: FormatError.self) { try PoseClip.readAll(path: shape) }
        #expect(error?.message.contains("axis-angle") == true)
    }
}
