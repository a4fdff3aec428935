import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

/// Files of real numpy and real Python json: tools/golden/pose_files.py.
struct PoseInputTests {
    @Test func `a scene of two people is read with everything it says`() throws {
        let input = try PoseInput.read(path: fixture("two_people.npz"))
        #expect(input.count == 10)
        #expect(input.skeleton == .smpl24)
        #expect(input.trackNames == ["anna", "ben"])
        #expect(input.tracks == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
        #expect(input.frames == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
        #expect(input.framesPerSecond == 25)
        #expect(input.genders[0] == .female && input.genders[1] == .male)
        #expect(input.betas[0] == 1 && input.betas[10] == -1)
        #expect(input.observed.allSatisfy { $0 == 0x00FF_FFFF })
        #expect(abs(input.sigma[0] - 0.1) < 1e-6)
        #expect(input.hasTwists.allSatisfy { !$0 })
        #expect(input.places[7] == "frame 3, person 1")
        #expect(largestDifference(Array(input.joints[87..<90]), [1, 0.95, 0]) < 1e-6)
        #expect(input.notes.contains { $0.contains("16 coefficients") })
        #expect(input.notes.contains { $0.contains("no head top") })
    }

    @Test func `millimetres and z up are found out and converted, and said`() throws {
        let input = try PoseInput.read(path: fixture("z_up_millimetres.npz"))
        let metres = try PoseInput.read(path: fixture("two_people.npz"))
        #expect(input.count == 5)
        for frame in 0..<5 {
            let ours = Array(input.joints[(frame * 87)..<(frame * 87 + 87)])
            #expect(largestDifference(ours, Array(metres.joints[(frame * 174)..<(frame * 174 + 87)])) < 1e-5)
        }
        let said = input.notes.joined(separator: "\n")
        for word in ["millimetres", "z was up", "(x, z, -y)", "smpl-24", "neutral", "mean shape", "sigma"] {
            #expect(said.contains(word), "\(word) in \(said)")
        }
    }

    @Test func `JSON lines give the same people as the archive`() throws {
        let lines = try PoseInput.read(path: fixture("two_people.jsonl"))
        let archive = try PoseInput.read(path: fixture("two_people.npz"))
        #expect(lines.count == archive.count)
        #expect(lines.frames == archive.frames)
        #expect(lines.tracks == archive.tracks)
        #expect(lines.trackNames == archive.trackNames)
        #expect(lines.genders == archive.genders)
        #expect(lines.framesPerSecond == 25)
        #expect(lines.observed[0] == 0x00FF_FFFF)
        #expect(lines.observed[1] == 0x00FF_FFFF & ~(1 << 20), "null means not seen")
        #expect(largestDifference(Array(lines.joints[..<87]), Array(archive.joints[..<87])) < 1e-6)
        #expect(Array(lines.joints[(87 + 60)..<(87 + 63)]) == [0, 0, 0])
        #expect(abs(lines.sigma[0] - 0.03) < 1e-6)
    }

    @Test func `a joint that is no number is named with frame and person`() {
        let archive = #expect(throws: FormatError.self) { try PoseInput.read(path: fixture("not_a_number.npz")) }
        #expect(archive?.reason == .invalidData)
        #expect(archive?.field == "joints3d")
        for word in ["not_a_number.npz", "frame 3, person 1", "left_wrist", "z is nan", "observed = 0"] {
            #expect(archive?.message.contains(word) == true, "\(archive?.message ?? "")")
        }
        let lines = #expect(throws: FormatError.self) { try PoseInput.read(path: fixture("not_a_number.jsonl")) }
        for word in ["line 4 (frame 3), person 1", "left_wrist", "z is nan"] {
            #expect(lines?.message.contains(word) == true, "\(lines?.message ?? "")")
        }
    }

    @Test func `a joint marked as not seen may hold anything`() throws {
        var joints = try figure()
        joints[60] = .nan
        var observed = [UInt8](repeating: 1, count: 24)
        observed[20] = 0
        let input = try reading([
            ("joints3d", .float32(joints, shape: [1, 24, 3])), ("observed", .uint8(observed, shape: [1, 24])),
        ])
        #expect(input.observed == [0x00FF_FFFF & ~(1 << 20)])
        #expect(input.joints.allSatisfy { $0.isFinite })
        var confidence = [Float](repeating: 1, count: 24)
        confidence[20] = 0
        confidence[3] = 0.25
        let other = try reading([
            ("joints3d", .float32(joints, shape: [1, 24, 3])), ("confidence", .float32(confidence, shape: [1, 24])),
        ])
        #expect(other.observed == input.observed)
        #expect(other.sigma[3] == 0.75)
    }

    @Test func `sigma is converted with the coordinates`() throws {
        let joints = try figure().map { $0 * 100 }
        let input = try reading([
            ("joints3d", .float32(joints, shape: [1, 24, 3])), ("unit", .strings(["cm"], shape: [])),
            ("sigma", .float32([Float](repeating: 5, count: 24), shape: [1, 24])),
        ])
        #expect(abs(input.sigma[7] - 0.05) < 1e-6)
        #expect(input.sigma[25] == PoseInput.sigmaDefault)
        #expect(largestDifference(Array(input.joints[..<72]), try figure()) < 1e-5)
    }

    @Test func `twists come as angles or as cosine and sine`() throws {
        let joints = try figure()
        let angles = (0..<23).map { Float($0) * 0.25 - 2.9 }
        var pairs: [Float] = []
        for angle in angles {
            let matrix = RotationMatrix(AxisAngle(SIMD3(0, 0, Double(angle))))
            pairs += [Float(2 * matrix.row0.x), Float(2 * matrix.row1.x)]
        }
        let base: (String, NDArray) = ("joints3d", .float32(joints, shape: [1, 24, 3]))
        let direct = try reading([base, ("twist", .float32(angles, shape: [1, 23]))])
        let paired = try reading([base, ("twists", .float32(pairs, shape: [1, 23, 2]))])
        #expect(direct.hasTwists == [true] && paired.hasTwists == [true])
        #expect(largestDifference(direct.twists, paired.twists) < 1e-5)
        var marked = angles
        marked[4] = -999
        let unknown = try reading([base, ("twist", .float32(marked, shape: [1, 23]))])
        #expect(unknown.hasTwists == [false])
        #expect(unknown.notes.contains { $0.contains("not known") })
    }

    @Test func `a list of rows is split by its tracks`() throws {
        let joints = [Float](try [figure(), figure(), figure(), figure()].joined())
        let input = try reading([
            ("joints3d", .float32(joints, shape: [4, 24, 3])), ("track", .int64([7, 9, 7, 7], shape: [4])),
        ])
        #expect(input.trackNames == ["7", "9"])
        #expect(input.tracks == [0, 1, 0, 0])
        #expect(input.frames == [0, 0, 1, 2])
        let numbered = try reading([
            ("joints3d", .float32(joints, shape: [4, 24, 3])), ("frame", .int64([10, 12, 14, 20], shape: [4])),
        ])
        #expect(numbered.frames == [10, 12, 14, 20])
        #expect(numbered.trackNames == ["person-0"])
    }

    @Test func `29 joints are taken as they are`() throws {
        let joints = try BodyModel.bundled(.male).restJoints(betas: [])
        let input = try reading([("joints3d", .float32(joints, shape: [1, 29, 3]))])
        #expect(input.skeleton == .smpl29)
        #expect(input.observed == [0x1FFF_FFFF])
        #expect(input.joints == joints)
    }

    @Test func `single persons per line keep their own frames`() throws {
        let joints = try figure()
        let text =
            "["
            + (0..<24).map { "[\(joints[$0 * 3]),\(joints[$0 * 3 + 1]),\(joints[$0 * 3 + 2])]" }
            .joined(separator: ",") + "]"
        let input = try reading(lines: [
            "{\"joints3d\":\(text),\"track\":\"a\",\"betas\":[1,2],\"gender\":\"male\"}", "",
            "{\"joints3d\":\(text),\"track\":\"b\",\"confidence\":[\([String](repeating: "0.5", count: 24).joined(separator: ","))]}",
            "{\"joints3d\":\(text),\"track\":\"a\",\"twist\":[\([String](repeating: "0.1", count: 23).joined(separator: ","))]}",
            "{\"joints3d\":\(text),\"track\":\"b\",\"frame\":9}", "{\"joints3d\":\(text),\"track\":\"b\"}",
        ])
        #expect(input.trackNames == ["a", "b"])
        #expect(input.tracks == [0, 1, 0, 1, 1])
        #expect(input.frames == [0, 0, 1, 9, 10])
        #expect(Array(input.betas[..<3]) == [1, 2, 0])
        #expect(input.genders == [.male, .neutral, .neutral, .neutral, .neutral])
        #expect(input.sigma[29] == 0.5)
        #expect(input.hasTwists == [false, false, true, false, false])
        #expect(largestDifference(Array(input.joints[..<72]), joints) < 1e-6)
    }
}
