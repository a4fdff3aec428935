import SinewArrayFiles
import SinewBody
import SinewImport
import Testing

@Suite struct BodyPickleTests {
    @Test(arguments: ["tiny_female_protocol1.pkl", "tiny_female_protocol2.pkl"])
    func `a pickled body with chumpy and scipy entries is the body of the npz`(name: String) throws {
        let read = try BodyPickle.read(fixture(name), gender: nil)
        #expect(!read.isKnownRelease && read.body.gender == .female)
        let npz = try NPZFile(path: fixture("tiny_female.npz"))
        #expect(try read.body.template == npz.array("v_template").floats())
        #expect(read.body.vertexCount == 40 && read.body.poseDirections.count == 40 * 3 * 207)
        let directions = try npz.array("shapedirs").floats()
        // Twelve directions in the file, of which ten are kept.
        let kept = (0..<120).flatMap { directions[($0 * 12)..<($0 * 12 + 10)] }
        #expect(read.body.shapeDirections == kept)
    }

    @Test func `a body of the wrong gender can be named`() throws {
        #expect(try BodyPickle.read(fixture("tiny_female_protocol2.pkl"), gender: .male).body.gender == .male)
    }

    @Test func `a pickle of something else says what is missing`() {
        let error = #expect(throws: BodyError.self) { try BodyPickle.read(fixture("sparse.pkl"), gender: .male) }
        #expect(error?.message.contains("v_template") == true && error?.message.contains("it holds coo, csc") == true)
    }
}
