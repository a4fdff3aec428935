import SinewClient
import TestSupport
import Testing

struct JobIDTests {
    @Test func `an id is a version 7 UUID that says when it was made`() {
        // 22 February 2022, 19:22:22 UTC, as in RFC 9562, appendix A.6, with half a millisecond.
        let id = JobID(nanosecondsSince1970: 1_645_557_742_000_500_000, random: 0xFFFF_FFFF_FFFF_FFFF)
        #expect(id.description == "017f22e2-79b0-7800-bfff-ffffffffffff")
        #expect(JobID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")?.bytes.prefix(6) == [0x01, 0x7F, 0x22, 0xE2, 0x79, 0xB0])
    }

    @Test func `ids sort by the time at which they were made`() {
        var random = SplitMix64(seed: 7)
        var last = JobID(nanosecondsSince1970: 0, random: random.next())
        var time: UInt64 = 1_700_000_000_000_000_000
        for _ in 0..<1000 {
            // A step is at least one unit of the fraction.
            time += 245 + random.next() % 5_000_000
            let id = JobID(nanosecondsSince1970: time, random: random.next())
            #expect(last < id)
            #expect(last.description < id.description)
            last = id
        }
    }

    @Test func `text and bytes read back, upper case too`() {
        for _ in 0..<100 {
            let id = JobID()
            #expect(JobID(id.description) == id)
            #expect(JobID(id.description.uppercased()) == id)
            #expect(JobID(bytes: id.bytes) == id)
        }
        #expect(Set((0..<1000).map { _ in JobID() }).count == 1000)
    }

    @Test(arguments: [
        "", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-18c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
    ])
    func `what is no version 7 UUID is no id`(text: String) { #expect(JobID(text) == nil) }

    @Test func `bytes of another length or version are no id`() {
        #expect(JobID(bytes: []) == nil)
        #expect(JobID(bytes: Array(repeating: 0, count: 16)) == nil)
        #expect(JobID(bytes: JobID().bytes + [0]) == nil)
    }
}
