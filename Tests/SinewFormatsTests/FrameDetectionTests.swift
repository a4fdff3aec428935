import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

struct FrameDetectionTests {
    private func turned(_ back: (SIMD3<Float>) -> SIMD3<Float>) throws -> [Float] {
        let joints = try figure()
        return (0..<24).flatMap { index -> [Float] in
            let point = back(SIMD3(joints[index * 3], joints[index * 3 + 1], joints[index * 3 + 2]))
            return [point.x, point.y, point.z]
        }
    }

    @Test func `every axis that people stand along is recognised and turned upright`() throws {
        // The inverses of the conversions, written by hand.
        let frames: [(String, (SIMD3<Float>) -> SIMD3<Float>)] = [
            ("y", { $0 }), ("-y", { SIMD3($0.x, -$0.y, -$0.z) }), ("z", { SIMD3($0.x, -$0.z, $0.y) }),
            ("-z", { SIMD3($0.x, $0.z, -$0.y) }), ("x", { SIMD3($0.y, -$0.x, $0.z) }),
            ("-x", { SIMD3(-$0.y, $0.x, $0.z) }),
        ]
        for (name, back) in frames {
            let joints = try turned(back)
            let base: (String, NDArray) = ("joints3d", .float32(joints, shape: [1, 24, 3]))
            let found = try reading([base])
            #expect(largestDifference(Array(found.joints[..<72]), try figure()) < 1e-6, "\(name)")
            let declared = try reading([base, ("up_axis", .strings([name], shape: []))])
            #expect(declared.joints == found.joints, "\(name)")
            let option = try reading([base], options: PoseInput.Options(upAxis: UpAxis(rawValue: name)))
            #expect(option.joints == found.joints, "\(name)")
            #expect(found.notes.contains { $0.contains("swapped") } == false, "\(name)")
        }
    }

    @Test func `the conversions are rotations`() {
        for axis in UpAxis.allCases {
            let (x, y, z) = (
                axis.toModelFrame(SIMD3(1, 0, 0)), axis.toModelFrame(SIMD3(0, 1, 0)), axis.toModelFrame(SIMD3(0, 0, 1))
            )
            #expect(RotationMatrix(columns: x, y, z).determinant == 1, "\(axis)")
            #expect(axis.toModelFrame(axis.direction) == SIMD3(0, 1, 0), "\(axis)")
        }
    }

    @Test func `a mirrored body is pointed out`() throws {
        let joints = try turned { SIMD3(-$0.x, $0.y, $0.z) }
        let input = try reading([("joints3d", .float32(joints, shape: [1, 24, 3]))])
        #expect(input.notes.contains { $0.contains("swapped") })
    }

    @Test func `a declaration against what is seen is followed and pointed out`() throws {
        let joints = try turned { SIMD3($0.x, -$0.z, $0.y) }
        let input = try reading([
            ("joints3d", .float32(joints, shape: [1, 24, 3])), ("up_axis", .strings(["y"], shape: [])),
        ])
        #expect(Array(input.joints[..<72]) == joints)
        #expect(input.notes.contains { $0.contains("--up-axis=z") })
    }

    @Test func `tumbling people are assumed to have y up`() throws {
        // Half of the rows stand, half hang upside down.
        let joints = try turned { $0 } + turned { SIMD3($0.x, -$0.y, -$0.z) }
        let input = try reading([("joints3d", .float32(joints, shape: [2, 24, 3]))])
        #expect(Array(input.joints[..<72]) == Array(joints[..<72]))
        #expect(input.notes.contains { $0.contains("nobody stands upright") })
    }
}
