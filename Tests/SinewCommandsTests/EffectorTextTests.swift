import Foundation
import SinewBody
import SinewCommands
import SinewModels
import Testing

@Suite struct EffectorTextTests {
    @Test func `a position has a joint by name or number, and suffixes in any order`() throws {
        let plain = try EffectorText.position("left_wrist=0.4,1.1,-0.3")
        #expect(plain == .position(20, at: SIMD3(0.4, 1.1, -0.3)))
        #expect(try EffectorText.position("20=0.4,1.1,-0.3") == plain)
        let full = try EffectorText.position("head=0,1.6,0:weight=2:tolerance=0.05")
        #expect(full == .position(15, at: SIMD3(0, 1.6, 0), tolerance: 0.05, weight: 2))
    }

    @Test func `all forms of a rotation mean the same`() throws {
        let (cosine, sine) = (Foundation.cos(0.6), Foundation.sin(0.6))
        let forms = [
            "head=0,1.2,0", "head=\(cosine),0,\(sine),0", "head=\(-2 * cosine),0,\(-2 * sine),0",
            "head=\(Foundation.cos(1.2)),0,\(Foundation.sin(1.2)),0,1,0",
            "head=\(Foundation.cos(1.2)),0,\(Foundation.sin(1.2)),0,1,0,\(-Foundation.sin(1.2)),0,\(Foundation.cos(1.2))",
        ]
        let expected = Effector.rotation(15, RotationMatrix(AxisAngle(SIMD3(0, 1.2, 0))))
        for form in forms {
            let found = try EffectorText.rotation(form)
            for column in 0..<6 { #expect(abs(found.values[column] - expected.values[column]) < 1e-6, "\(form)") }
        }
    }

    @Test func `a look-at direction is made a unit vector, and is ahead by default`() throws {
        #expect(try EffectorText.lookAt("head=0,1.6,2") == .lookAt(15, target: SIMD3(0, 1.6, 2)))
        let aside = try EffectorText.lookAt("neck=0,1,2:direction=0,3,4:tolerance=0.1")
        #expect(
            aside == .lookAt(12, target: SIMD3(0, 1, 2), direction: SIMD3(0, 0.6, 0.8), tolerance: 0.1, weight: 1))
    }

    @Test(arguments: [
        ("left_wrist", "JOINT="), ("left_wrist=1,2", "1,2"), ("left_wrist=1,2,x", "1,2,x"), ("left_wrist=1,2,", "1,2,"),
        ("lef_wrist=1,2,3", "left_wrist"), ("24=1,2,3", "0…23"), ("head=1,2,3:tol=1", "tolerance=T"),
        ("head=1,2,3:weight=", "weight="), ("head=1,2,3:direction=0,0,1", "direction=0,0,1"),
        ("head=nan,2,3", "nan,2,3"),
    ])
    func `a mistake is named with the text and what was meant`(text: String, named: String) throws {
        let mistake = #expect(throws: EffectorText.Mistake.self) { try EffectorText.position(text) }
        #expect(mistake?.description.contains(named) == true)
    }

    @Test(arguments: ["head=1,2", "head=0,0,0,0", "head=1,0,0,0,2,0", "head=1,0,0,0,1,0,0,0,-1"])
    func `numbers that are no rotation are refused`(text: String) throws {
        #expect(throws: EffectorText.Mistake.self) { try EffectorText.rotation(text) }
    }
}

@Suite struct EffectorLinesTests {
    private func read(_ lines: String) throws -> EffectorInput {
        let path = NSTemporaryDirectory() + "effectors-\(UUID().uuidString).jsonl"
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try EffectorLines.read(path: path)
    }

    @Test func `poses, tracks and frames come in the order of the lines`() throws {
        let lines = [
            #"{"gender": "female", "betas": [1.5, -1], "fps": 25}"#,
            #"{"effectors": [{"joint": "pelvis", "position": [0, 1, 0]}], "track": "anna"}"#, "",
            #"{"effectors": [{"joint": 15, "look_at": [0, 1, 2], "direction": [0, 0, 2], "weight": 0.5}, "#
                + #"{"joint": "head", "position": [0, 1.6, 0], "tolerance": 0.02}], "track": "ben", "#
                + #""gender": "male", "frame": 7}"#,
            #"{"effectors": [{"joint": 0, "position": [0, 1, 0.5]}], "track": "anna", "betas": [2]}"#,
        ]
        let input = try read(lines.joined(separator: "\n"))
        #expect(input.count == 3 && input.trackNames == ["anna", "ben"] && input.tracks == [0, 1, 0])
        #expect(input.frames == [0, 7, 1] && input.framesPerSecond == 25)
        #expect(input.genders == [.female, .male, .female])
        #expect(input.betas[0] == 1.5 && input.betas[1] == -1 && input.betas[20] == 2 && input.betas[21] == 0)
        let second = input.effectors.effectors(of: 1).map { input.effectors[$0] }
        #expect(
            second == [
                .lookAt(15, target: SIMD3(0, 1, 2), weight: 0.5), .position(15, at: SIMD3(0, 1.6, 0), tolerance: 0.02),
            ])
        #expect(input.places == ["line 2", "line 4", "line 5"])
    }

    @Test(arguments: [
        #""axis_angle": [0, 1.2, 0]"#, #""quaternion": [0.8253356149096783, 0, 0.5646424733950354, 0]"#,
        #""rotation_6d": [0.3623577544766736, 0, 0.9320390859672263, 0, 1, 0]"#,
        #""matrix": [[0.3623577544766736, 0, 0.9320390859672263], [0, 1, 0], [-0.9320390859672263, 0, 0.3623577544766736]]"#,
    ])
    func `all forms of a rotation mean the same`(form: String) throws {
        let input = try read(#"{"effectors": [{"joint": "head", \#(form)}]}"#)
        let expected = Effector.rotation(15, RotationMatrix(AxisAngle(SIMD3(0, 1.2, 0))))
        for column in 0..<6 { #expect(abs(input.effectors[0].values[column] - expected.values[column]) < 1e-6) }
    }

    @Test(arguments: [
        (#"{"effectors": [{"joint": "head"}]}"#, "exactly one of position"),
        (#"{"effectors": [{"joint": "head", "position": [0, 0, 0], "look_at": [0, 0, 1]}]}"#, "has 2"),
        (#"{"effectors": [{"position": [0, 0, 0]}]}"#, "has no joint"),
        (#"{"effectors": [{"joint": "tail", "position": [0, 0, 0]}]}"#, "tail"),
        (#"{"effectors": [{"joint": "head", "position": [0, 0]}]}"#, "position is not 3 numbers"),
        (#"{"effectors": [{"joint": "head", "positions": [0, 0, 0]}]}"#, "positions"),
        (#"{"effectors": [{"joint": "head", "position": [0, 0, 0], "direction": [0, 0, 1]}]}"#, "only look_at"),
        (#"{"effectors": [{"joint": "head", "position": [0, 0, 0], "weight": "much"}]}"#, "weight is no number"),
        (#"{"effectors": [{"joint": "head", "matrix": [1, 0, 0, 0, 1, 0, 0, 0, -1]}]}"#, "no rotation"),
        (#"{"effectors": [], "genders": "male"}"#, "genders"),
        (#"{"effectors": [], "gender": "horse"}"#, "gender"), (#"{"effectors": [], "betas": [1, "x"]}"#, "betas"),
        (#"{"effectors": [], "frame": -1}"#, "frame"), (#"{"effectors": 3}"#, "no list"), ("[1]", "no JSON object"),
        (#"{"effectors": ["#, "line 1"), ("", "no line with effectors"),
    ])
    func `a mistake is named with its line`(line: String, named: String) throws {
        let error = #expect(throws: (any Error).self) { try read(line) }
        let text = "\(try #require(error))"
        #expect(text.contains(named), "\(text)")
        #expect(line.isEmpty || text.contains("line 1"), "\(text)")
    }
}
