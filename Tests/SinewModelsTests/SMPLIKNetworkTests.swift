import SinewKernels
import SinewModels
import TestSupport
import Testing

@Suite struct SMPLIKNetworkTests {
    private func network(
        _ golden: EffectorGolden, precision: ModelDescription.Precision? = nil
    ) throws -> SMPLIKNetwork {
        try SMPLIKNetwork(ModelFiles(folder: "\(Golden.folder)/\(golden.name)/1", precision: precision))
    }

    private static func bound(_ expected: [Float]) -> Float {
        1e-5 * expected.reduce(1) { max($0, abs($1)) }
    }

    @Test(arguments: EffectorGolden.names)
    func `effectors reach the network as the trainer's do`(name: String) throws {
        let golden = try EffectorGolden(name)
        let rows = try network(golden).rows(golden.observations(), restJoints: golden.restJoints())
        let expected = try golden.floats("data")
        #expect(rows.sources.count == golden.people.reduce(0) { $0 + $1.effectors.count { $0.weight > 0 } })
        #expect(rows.sources.count < golden.people.reduce(0) { $0 + $1.effectors.count })
        for (row, source) in rows.sources.enumerated() {
            let found = Array(rows.features[(row * 7)..<(row * 7 + 7)])
            #expect(largestDifference(found, Array(expected[(source * 7)..<(source * 7 + 7)])) <= 2e-6, "row \(source)")
        }
    }

    @Test(arguments: EffectorGolden.names)
    func `the packed network gives what the dense PyTorch network gives`(name: String) throws {
        let golden = try EffectorGolden(name)
        let network = try network(golden)
        let rows = try network.rows(golden.observations(), restJoints: golden.restJoints())
        let found = try network.solve(rows, isCancelled: { false })
        let (rotations, positions) = (try golden.floats("rotation6d"), try golden.floats("positions"))
        #expect(largestDifference(found.rotation6d, rotations) <= Self.bound(rotations))
        #expect(largestDifference(found.positions, positions) <= Self.bound(positions))
    }

    @Test(arguments: EffectorGolden.names)
    func `rotations and root come back to the frame of the effectors`(name: String) throws {
        let golden = try EffectorGolden(name)
        let network = try network(golden)
        let rest = try golden.restJoints()
        let rows = try network.rows(golden.observations(), restJoints: rest)
        let poses = EffectorPoses(try network.solve(rows, isCancelled: { false }), rows, restJoints: rest)
        let translations = try golden.floats("translation")
        #expect(largestDifference(poses.rotations, try golden.floats("rotations")) <= 5e-5)
        #expect(largestDifference(poses.roots, translations) <= Self.bound(translations))
    }

    @Test func `every instruction set of the machine gives the golden vectors`() async {
        // In a process of its own: the limit is global, and other tests run beside this one.
        await #expect(processExitsWith: .success) {
            for isa in ISA.available {
                ISA.limit(to: isa)
                for name in EffectorGolden.names {
                    let golden = try EffectorGolden(name)
                    let network = try SMPLIKNetwork(ModelFiles(folder: "\(Golden.folder)/\(name)/1"))
                    let rows = try network.rows(golden.observations(), restJoints: golden.restJoints())
                    let found = try network.solve(rows, isCancelled: { false })
                    let expected = try golden.floats("rotation6d")
                    let bound = 1e-5 * expected.reduce(1) { max($0, abs($1)) }
                    precondition(largestDifference(found.rotation6d, expected) <= bound, "\(isa) \(name)")
                }
            }
        }
    }

    @Test(arguments: EffectorGolden.names)
    func `bfloat16 weights change little`(name: String) throws {
        let golden = try EffectorGolden(name)
        let network = try network(golden, precision: .bfloat16)
        let rows = try network.rows(golden.observations(), restJoints: golden.restJoints())
        let found = try network.solve(rows, isCancelled: { false })
        let expected = try golden.floats("rotation6d")
        let difference = largestDifference(found.rotation6d, expected)
        #expect(difference > Self.bound(expected) && difference <= 5000 * Self.bound(expected))
    }

    @Test func `cancellation is looked at between the blocks`() throws {
        let golden = try EffectorGolden("smpl_ik_small")
        let network = try network(golden)
        let rows = try network.rows(golden.observations(), restJoints: golden.restJoints())
        // Three blocks in each of three stacks.
        for limit in 0..<9 {
            var asked = 0
            #expect(throws: ModelError.cancelled) {
                try network.solve(rows) {
                    asked += 1
                    return asked > limit
                }
            }
            #expect(asked == limit + 1)
        }
    }

    @Test func `an effector model with the conditioning of joints is refused, and the other way round`() throws {
        for (name, own, wrong) in [
            ("smpl_ik_small", "none", "heading-bones"), ("mlp_ik_heading", "heading-bones", "effector-heading"),
        ] {
            let temporary = try TemporaryRepository(copying: name)
            try temporary.replaceInDescription("\"conditioning\": \"\(own)\"", with: "\"conditioning\": \"\(wrong)\"")
            let error = temporary.error()
            #expect(error?.reason == .unusableFile && error?.message.contains("\"conditioning\"") == true)
        }
    }

    @Test func `a tensor that is missing or superfluous is named`() throws {
        let without = try TemporaryRepository(copying: "smpl_ik_heading")
        try without.rewriteWeights { tensors in tensors.removeAll { $0.name == "heading.pairs" } }
        #expect(without.error()?.message.contains("heading.pairs") == true)
        // A model without a heading has no use for the tables, and does not leave them unread.
        let unread = try TemporaryRepository(copying: "smpl_ik_heading")
        try unread.replaceInDescription("\"effector-heading\"", with: "\"none\"")
        #expect(unread.error()?.message.contains("heading.look_ats") == true)
        let blocks = try TemporaryRepository(copying: "smpl_ik_small")
        try blocks.replaceInDescription("\"blocks\": 3", with: "\"blocks\": 2")
        #expect(blocks.error()?.message.contains("decoder_stage1.blocks.2") == true)
    }
}
