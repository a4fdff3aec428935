import Foundation
import SinewArrayFiles
import SinewBody
import SinewFormats
import TestSupport
import Testing

/// Files that pygltflib wrote, and what numpy and scipy make of them (`tools/golden/gltf_files.py`).
struct GLTFTests {
    @Test(arguments: ["exported_rig.glb", "exported_rig.gltf", "exported_rig_embedded.gltf"])
    func `an exported character stands and moves as scipy says`(name: String) throws {
        let clip = try RigClip.read(path: fixture(name))
        let expected = try NPZFile(path: fixture("exported_rig.npz"))
        func numbers(_ name: String) throws -> [Double] { try expected.array(name).doubles() }
        func rotation(_ values: [Double], _ at: Int) -> RotationMatrix {
            let row = { (r: Int) in SIMD3(values[at + 3 * r], values[at + 3 * r + 1], values[at + 3 * r + 2]) }
            return RotationMatrix(rows: row(0), row(1), row(2))
        }
        // Camera and mesh are no joints, the armature above the hips is.
        #expect(clip.rig.joints.count == 25 && clip.rig.joints[0].name == "Armature")
        #expect(clip.mapping.smplJoints.dropFirst().allSatisfy { $0 != nil })
        #expect(clip.framesPerSecond == 25 && clip.frames.count == 9)
        let (rest, places) = (try numbers("rest_rotations"), try numbers("rest_positions"))
        let (turns, pelvis) = (try numbers("rotations"), try numbers("pelvis"))
        let rigJoints = clip.mapping.rigJoints.compactMap(\.self)
        for (joint, index) in rigJoints.enumerated() {
            #expect(clip.rig.restWorldRotations[index].angle(to: rotation(rest, joint * 9)) < 1e-5)
            let place = SIMD3(places[joint * 3], places[joint * 3 + 1], places[joint * 3 + 2])
            #expect(length(clip.rig.restPositions[index] - place) < 1e-5)
        }
        for (frame, pose) in clip.frames.enumerated() {
            var world: [RotationMatrix] = []
            for (index, joint) in clip.rig.joints.enumerated() {
                world.append((joint.parent < 0 ? .identity : world[joint.parent]) * pose.rotations[index])
            }
            for (joint, index) in rigJoints.enumerated() {
                #expect(world[index].angle(to: rotation(turns, (frame * 24 + joint) * 9)) < 1e-5, "\(frame) \(joint)")
            }
            let place = clip.rig.joints[0].offset + world[0] * pose.pelvisOffset
            let wanted = SIMD3(pelvis[frame * 3], pelvis[frame * 3 + 1], pelvis[frame * 3 + 2])
            #expect(length(place - wanted) < 1e-6)
        }
    }

    /// Three joints are too few for a body; the reader gets as far as saying so when the file itself is sound.
    private static let small = """
        {"asset": {"version": "2.0"}, "nodes": [{"name": "a", "children": [1]}, {"name": "b", "children": [2]}, {"name": "c"}],
        "skins": [{"joints": [0, 1, 2]}], "buffers": [{"byteLength": 32, "uri": "data:x;base64,\(zeros)"}],
        "bufferViews": [{"buffer": 0, "byteLength": 32}], "accessors": [{"bufferView": 0, "componentType": 5126, "count": 1,
        "type": "SCALAR"}]}
        """
    private static let zeros = String(repeating: "A", count: 43) + "="

    @Test func `a sound file with too few joints gets past the reader`() throws {
        #expect(try refusal(Self.small).message.contains("no joint of the rig could be told to be pelvis"))
    }

    @Test(arguments: [
        (#""version": "2.0""#, #""version": "1.0""#, "asset.version"),
        (#"{"name": "c"}"#, #"{"name": "c", "children": [0]}"#, "no tree"),
        (#"{"name": "c"}"#, #"{"name": "c", "children": [1]}"#, "two parents"),
        (#"{"name": "c"}"#, #"{"name": "c", "children": [2]}"#, "its own"),
        (#"{"name": "c"}"#, #"{"name": "c", "children": [3]}"#, "no node of the file"),
        (#"{"name": "c"}"#, #"{"name": "c", "scale": [1, 2, 1]}"#, "uneven"),
        (#"{"name": "c"}"#, #"{"name": "c", "scale": [-1, -1, -1]}"#, "mirrors"),
        (#"{"name": "c"}"#, #"{"name": "c", "rotation": [0, 0, 0, 2]}"#, "no unit quaternion"),
        (#"{"name": "c"}"#, #"{"name": "c", "matrix": [1, 0, 0]}"#, "16 numbers"),
        (#"{"name": "c"}"#, #"{"name": "c", "matrix": [1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}"#, "shears"),
        (#""joints": [0, 1, 2]"#, #""joints": [0, 1, 7]"#, "joints"),
        (#", "children": [2]}"#, "}", "2 separate nodes"),
        (#""joints": [0, 1, 2]"#, #""joints": [0, 1, 2], "inverseBindMatrices": 3"#, "accessor 3"),
        (#""joints": [0, 1, 2]"#, #""joints": [0, 1, 2], "inverseBindMatrices": 0"#, "MAT4 is needed"),
    ])
    func `a broken tree or skin is refused with what is wrong`(old: String, new: String, message: String) throws {
        #expect(Self.small.contains(old))
        let error = try refusal(Self.small.replacing(old, with: new))
        #expect(error.message.contains(message), "\(error.message)")
    }

    /// The whole example with one thing changed in it.
    private static func changed(_ old: String, _ new: String) throws -> String {
        let text = String(decoding: try FileContents.read(fixture("exported_rig_embedded.gltf")), as: UTF8.self)
        #expect(text.contains(old), "\(old) is not in the example")
        return text.replacing(old, with: new, maxReplacements: 1)
    }

    @Test(arguments: [
        (#""interpolation": "STEP""#, #""interpolation": "CUBICSPLINE""#, "CUBICSPLINE"),
        (#""path": "translation""#, #""path": "bend""#, "\"bend\", which is unknown"),
        (#""path": "rotation""#, #""path": "translation""#, "VEC3 is needed"),
        (#""target": {"node": 4, "#, #""target": {"node": 3, "#, "there twice"),
        (#""path": "translation""#, #""path": "scale""#, "changes the size"),
        (#""input": 0, "#, #""input": 999, "#, "accessor 999"),
        (#""componentType": 5126, "#, #""componentType": 5125, "#, "componentType 5125"),
        (#""componentType": 5126, "#, #""sparse": {}, "componentType": 5126, "#, "sparse"),
        (#""count": 9, "#, #""count": 9000000000000, "#, "no whole number"),
        (#""count": 9, "#, #""count": 1000000000000, "#, "claims 1000000000000 elements"),
        (#""count": 9, "#, #""count": 10, "#, "claims 10 elements"),
        (#""count": 9, "#, #""count": 8, "#, "8 times and 9 values"),
        (#""byteOffset": 0, "byteLength": 36"#, #""byteOffset": 4900, "byteLength": 36"#, "reaches to byte 4936"),
        (#""byteOffset": 0, "byteLength": 36"#, #""byteOffset": -4, "byteLength": 36"#, "byteOffset"),
        (#""byteOffset": 0, "byteLength": 36"#, #""byteOffset": 40, "byteLength": 36"#, "do not rise"),
        (#""buffer": 0, "#, #""buffer": 1, "#, "no buffer 1"),
        (#""buffer": 0, "#, #""extensions": {"EXT_meshopt_compression": {}}, "buffer": 0, "#, "EXT_meshopt"),
        ("data:application/octet-stream;base64,AAAA", "data:application/octet-stream;base64,!AAA", "base64"),
        ("data:application/octet-stream;base64,", "data:application/octet-stream,", "base64"),
        ("data:application/octet-stream;base64,", "../../etc/", "same folder"),
        ("data:application/octet-stream;base64,", "%2e%2E%2fetc/", "same folder"),
        ("data:application/octet-stream;base64,", "file:///etc/", "same folder"),
    ])
    func `data that is not there, packed or out of bounds is refused`(old: String, new: String, message: String) throws
    {
        let error = try refusal(try Self.changed(old, new))
        #expect(error.message.contains(message), "\(error.message)")
    }

    @Test func `a buffer beside the file that is missing is named`() throws {
        let text = String(decoding: try FileContents.read(fixture("exported_rig.gltf")), as: UTF8.self)
        let error = try refusal(text)
        #expect(error.reason == .missingFile && error.message.contains("exported_rig.bin"))
    }

    @Test(arguments: [(1, "could be told to be pelvis"), (2, "claim more numbers")])
    func `accessors that claim the same bytes again and again are refused`(count: Int, message: String) throws {
        let identity: [Float] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
        let bytes = Data(littleEndian((0..<3).flatMap { _ in identity }))
        let skins = (0..<count).map { "{\"joints\": [0, 1, 2], \"inverseBindMatrices\": \($0)}" }
        let accessor = #"{"bufferView": 0, "componentType": 5126, "count": 3, "type": "MAT4"}"#
        let error = try refusal(
            """
            {"asset": {"version": "2.0"}, "nodes": [{"name": "a", "children": [1]}, {"name": "b", "children": [2]}, {"name": "c"}],
            "skins": [\(skins.joined(separator: ", "))], "buffers": [{"byteLength": 192, "uri": "data:x;base64,\(bytes
                .base64EncodedString())"}], "bufferViews": [{"buffer": 0, "byteLength": 192}],
            "accessors": [\(accessor), \(accessor)]}
            """)
        #expect(error.message.contains(message), "\(error.message)")
    }

    private func littleEndian(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in
            [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32($0)) }
        }
    }

    private func refusal(_ text: String) throws -> FormatError {
        try refusal(Array(text.utf8), ending: ".gltf")
    }

    private func refusal(_ bytes: [UInt8], ending: String) throws -> FormatError {
        let folder = try scratchFolder()
        defer { discard(folder) }
        try AtomicFile.write(bytes, to: "\(folder)/rig\(ending)")
        return try #require(throws: FormatError.self) { try RigClip.read(path: "\(folder)/rig\(ending)") }
    }

    @Test(arguments: [
        (4, 1, "glTF 2.0 file"), (8, 0xFF, "ends too early"), (13, 0xFF, "reaches behind"), (16, 0, "not JSON"),
    ])
    func `a damaged container is refused`(at: Int, byte: Int, message: String) throws {
        var bytes = try FileContents.read(fixture("exported_rig.glb"))
        bytes[at] = UInt8(byte)
        if at == 8 { bytes[11] = 0x7F }
        if at == 13 { bytes[15] = 0x7F }
        let error = try refusal(bytes, ending: ".glb")
        #expect(error.message.contains(message), "\(error.message)")
    }

    @Test func `no damage to a file makes the reader crash`() throws {
        let seed: UInt64 = 20_261_122
        var random = SplitMix64(seed: seed)
        let whole = try FileContents.read(fixture("exported_rig.glb"))
        let text = Int(whole[12]) | Int(whole[13]) << 8
        let folder = try scratchFolder()
        defer { discard(folder) }
        var refused = 0
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<(random.next() % 3 + 1) {
                // Digits for digits, so that the JSON mostly stays one; now and then any byte.
                let at = 20 + Int(random.next() % UInt64(text))
                let isDigit = (48...57).contains(bytes[at])
                bytes[at] = isDigit ? 48 + UInt8(random.next() % 10) : bytes[at]
                if random.next() % 4 == 0 {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            if random.next() % 8 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            try AtomicFile.write(bytes, to: "\(folder)/rig.glb")
            do throws(FormatError) { _ = try RigClip.read(path: "\(folder)/rig.glb") } catch { refused += 1 }
        }
        #expect(refused > 50, "seed \(seed)")
    }

    /// A clip of three keys at 24 a second whose keys are moved in time.
    private func retimed(_ frames: [Float]) throws -> (RigClip, before: RigClip) {
        let (clip, _, _) = try randomClip(seed: 12)
        var bytes = clip.encoded(for: "rig.glb")
        let times = try #require(bytes.firstRange(of: littleEndian([0, Float(1.0 / 24), Float(2.0 / 24)])))
        bytes.replaceSubrange(times, with: littleEndian(frames.map { $0 / 24 }))
        return (try RigClip.read(bytes, path: "rig.glb"), clip)
    }

    @Test func `keys that are not evenly spaced become evenly spaced frames`() throws {
        let (back, clip) = try retimed([0, 1, 4])
        #expect(back.frames.count == 5 && back.framesPerSecond == 24)
        for joint in clip.rig.joints.indices {
            let keys = clip.frames.map { $0.rotations[joint] }
            for (frame, key) in [(0, 0), (1, 1), (4, 2)] {
                #expect(back.frames[frame].rotations[joint].angle(to: keys[key]) < 1e-5)
            }
            let turn = AxisAngle(keys[1].transposed * keys[2]).vector
            let third = keys[1] * RotationMatrix(AxisAngle(turn / 3))
            #expect(back.frames[2].rotations[joint].angle(to: third) < 1e-5)
        }
    }

    @Test func `keys far apart are moved between, thirty frames a second`() throws {
        let (back, clip) = try retimed([0, 24, 48])
        #expect(back.frames.count == 61 && back.framesPerSecond == 30)
        let (keys, found) = (clip.frames.map { $0.pelvisOffset }, back.frames.map { $0.pelvisOffset })
        #expect(length(found[30] - keys[1]) < 1e-4 && length(found[60] - keys[2]) < 1e-4)
        #expect(length(found[15] - (keys[0] + keys[1]) / 2) < 1e-4)
    }

    @Test(arguments: [
        ([0, 1, 24e6], "cut it"), ([0, 24e4, 48e4], "too many"), ([0, 1e-4, 2e-4], "no motion of a body"),
    ])
    func `times that would fill the memory, or are none of a motion, are refused`(frames: [Float], message: String) {
        let error = #expect(throws: FormatError.self) { try retimed(frames) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
}
