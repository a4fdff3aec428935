import SinewArrayFiles
import SinewBody
import SinewFormats
import Testing

/// An excerpt of CMU's database and an independent conversion of it: Fixtures/acclaim/README.md.
struct AcclaimTests {
    @Test func `the places of the joints are read in metres`() throws {
        let input = try PoseInput.read(path: fixture("acclaim/02_01.amc"))
        #expect(input.count == 17)
        #expect(input.framesPerSecond == 120)
        #expect(input.observed.allSatisfy { $0 == 0x00FF_FFFF })
        let expected = try NPZFile(path: fixture("acclaim/every_fourth.npz")).array("trans").floats()
        for frame in 0..<5 {
            let pelvis = Array(input.joints[(frame * 4 * 87)..<(frame * 4 * 87 + 3)])
            #expect(largestDifference(pelvis, Array(expected[(frame * 3)..<(frame * 3 + 3)])) < 1e-5)
        }
        #expect(input.notes.contains { $0.contains("ASF/AMC") })
        #expect(!input.notes.contains { $0.contains("swapped") || $0.contains("backwards") }, "\(input.notes)")
    }

    @Test func `a motion without its skeleton says so`() throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let motion = try FileContents.read(fixture("acclaim/02_01.amc"))
        try AtomicFile.write(motion, to: folder + "/02_01.amc")
        let error = #expect(throws: FormatError.self) { try PoseInput.read(path: folder + "/02_01.amc") }
        for word in ["02.asf", "--rig"] { #expect(error?.message.contains(word) == true, "\(error?.message ?? "")") }
        let told = try PoseInput.read(
            path: folder + "/02_01.amc", options: PoseInput.Options(rigPath: fixture("acclaim/02.asf")))
        #expect(told.count == 17)
    }

    @Test(arguments: [
        ("ltibia 1 2", "has 2 numbers"), ("wing 1", "no bone \"wing\""), ("ltibia x", "no number"),
    ]) func `a line that does not fit the skeleton is named`(line: String, said: String) throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        let text = ":FULLY-SPECIFIED\n:DEGREES\n1\n" + line + "\n"
        try AtomicFile.write(Array(text.utf8), to: folder + "/a.amc")
        let error = #expect(throws: FormatError.self) {
            try PoseInput.read(path: folder + "/a.amc", options: PoseInput.Options(rigPath: fixture("acclaim/02.asf")))
        }
        #expect(error?.message.contains("line 4") == true && error?.message.contains(said) == true)
    }

    @Test(arguments: [
        (":units\n length 0\n", "unit of length"), (":root\n order TX QX\n", "no degree of freedom"),
        (":root\n axis XXZ\n orientation 0 0 0\n", "order of axes"), (":bonedata\n begin\n name a\n", "no end"),
        (":bonedata\n begin\n name a\n length 1\n end\n", "no direction"), (":hierarchy\n root wing\n", "no bone"),
        (":version 1.10\n", "no :hierarchy"), ("", "no :hierarchy"),
    ]) func `a damaged skeleton is refused`(text: String, said: String) throws {
        let folder = try scratchFolder()
        defer { discard(folder) }
        try AtomicFile.write(Array(text.utf8), to: folder + "/a.asf")
        try AtomicFile.write(Array(":DEGREES\n1\n".utf8), to: folder + "/a.amc")
        let error = #expect(throws: FormatError.self) { try PoseInput.read(path: folder + "/a.amc") }
        #expect(error?.message.contains(said) == true, "\(error?.message ?? "")")
    }
}
