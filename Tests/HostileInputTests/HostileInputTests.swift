import FuzzTargets
import TestSupport
import Testing

/// Everything that reads bytes of strangers, fed with damaged files. A trap ends the test process, so the seed is printed first.
@Suite(.timeLimit(.minutes(5)))
struct HostileInputTests {
    @Test(arguments: FuzzTarget.allCases)
    func `files of the tests are read, whole and damaged, without a trap`(target: FuzzTarget) throws {
        let seed = UInt64.random(in: 0...(.max))
        print("hostile input, target \(target.rawValue), seed \(seed)")
        var random = SplitMix64(seed: seed)
        let seeds = try InputSeeds.inputs(of: target)
        try #require(!seeds.isEmpty)
        for bytes in seeds {
            target.run(bytes)
            for _ in 0..<(bytes.count > 8_192 ? 40 : 300) { target.run(damaged(bytes, &random)) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `noise and nothing are refused without a trap`(target: FuzzTarget) {
        var random = SplitMix64(seed: 20_261_121)
        target.run([])
        for count in [1, 2, 7, 64, 1_000] {
            for _ in 0..<50 { target.run((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }) }
        }
    }

    /// What happens to files: bytes change, the end is missing, a stretch is repeated, a length becomes enormous.
    private func damaged(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[position] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 2: bytes.removeSubrange(position...)
            case 3: bytes.remove(at: position)
            case 4:
                let end = Swift.min(bytes.count, position + 16)
                bytes.insert(contentsOf: bytes[position..<end], at: position)
            default: for offset in position..<Swift.min(bytes.count, position + 4) { bytes[offset] = 0xFF }
            }
        }
        return bytes
    }
}
