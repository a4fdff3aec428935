import SinewArrayFiles
import SinewKernels
import SinewModels
import TestSupport
import Testing

@Suite struct NIKINetworkTests {
    @Test(arguments: Golden.flows)
    func `the IK direction gives what the dense PyTorch network gives`(name: String) throws {
        let golden = try Golden(name)
        let found = try golden.network().inverse(
            count: golden.count, input: golden.observationInput(), phi: golden.floats("phi"),
            betas: golden.floats("betas"), keepsSwing: true, isCancelled: { false })
        #expect(largestDifference(found.rotation6d, try golden.floats("rotation6d")) <= 1e-5)
        #expect(largestDifference(found.latent, try golden.floats("latent")) <= 1e-5)
        if golden.file.contains("swing6d") {
            #expect(largestDifference(found.swing6d, try golden.floats("swing6d")) <= 1e-5)
        }
    }

    @Test(arguments: Golden.flows)
    func `injected padding is used`(name: String) throws {
        let golden = try Golden(name)
        let found = try golden.network().inverse(
            count: golden.count, input: golden.observationInput(), phi: golden.floats("phi"),
            betas: golden.floats("betas"), padding: golden.floats("padding"), isCancelled: { false })
        #expect(largestDifference(found.rotation6d, try golden.floats("rotation6d_padded")) <= 1e-5)
        #expect(largestDifference(found.latent, try golden.floats("latent_padded")) <= 1e-5)
        #expect(largestDifference(found.rotation6d, try golden.floats("rotation6d")) > 1e-3)
    }

    @Test(arguments: Golden.flows)
    func `the FK direction gives what the dense PyTorch network gives`(name: String) throws {
        let golden = try Golden(name)
        let found = try golden.network().forward(
            count: golden.count, rotation6d: golden.floats("fk_rotation6d"), latent: golden.floats("fk_latent"),
            betas: golden.floats("betas"), isCancelled: { false })
        #expect(largestDifference(found.observation, try golden.floats("fk_observation")) <= 1e-5)
        if golden.file.contains("fk_swing6d") {
            #expect(largestDifference(found.swing6d, try golden.floats("fk_swing6d")) <= 1e-5)
        }
        if golden.file.contains("fk_phi") {
            #expect(largestDifference(found.phi, try golden.floats("fk_phi")) <= 1e-5)
        }
        #expect(found.phi.isEmpty == !golden.file.contains("fk_phi"))
    }

    @Test(arguments: Golden.flows)
    func `FK after IK gives back the observation`(name: String) throws {
        let golden = try Golden(name)
        let network = try golden.network()
        let input = try golden.observationInput()
        let padding = try golden.floats("padding")
        let betas = try golden.floats("betas")
        let phi = try golden.floats("phi")
        let found = try network.inverse(
            count: golden.count, input: input, phi: phi, betas: betas, padding: padding, isCancelled: { false })
        let back = try network.forward(
            count: golden.count, rotation6d: found.rotation6d, latent: found.latent, betas: betas,
            isCancelled: { false })
        var whole: [Float] = []
        for person in 0..<golden.count {
            whole += input[(person * 116)..<(person * 116 + 116)]
            if name.hasPrefix("inn") {
                whole += phi[(person * 46)..<(person * 46 + 46)]
                whole += padding[(person * 60 + 46)..<(person * 60 + 60)]
            } else {
                whole += padding[(person * 60)..<(person * 60 + 60)]
            }
        }
        #expect(largestDifference(back.observation, whole) <= 1e-5)
        if !back.phi.isEmpty { #expect(largestDifference(back.phi, phi) <= 1e-5) }
    }

    /// The gates of this fixture are open, so the beta columns are compared as well.
    @Test func `the packed form agrees with a dense double-precision run of the file`() throws {
        let golden = try Golden("niki_ts_none")
        let weights = try SafetensorsFile(path: "\(golden.modelFolder)/weights.safetensors")
        let stageA = try DenseFlow(
            weights, masks: "flow_j2s.jts_masks", gates: "flow_j2s.shape_masks",
            scale: { "flow_j2s.jts_nets.\($0).encoder" }, translation: { "flow_j2s.jts_nett.\($0).encoder" },
            slots: [0, 3, 6])
        let stageB = try DenseFlow(
            weights, masks: "flow_s2r.mask", gates: nil, scale: { "flow_s2r.s.\($0)" },
            translation: { "flow_s2r.t.\($0)" }, slots: [0, 3, 6])
        let seed: UInt64 = 31
        var generator = SplitMix64(seed: seed)
        let count = 5
        func random(_ width: Int) -> [Float] {
            (0..<(count * width)).map { _ in .random(in: -1..<1, using: &generator) }
        }
        let (input, phi, betas, padding) = (random(116), random(46), random(10), random(60))
        let network = try golden.network()
        let found = try network.inverse(
            count: count, input: input, phi: phi, betas: betas, padding: padding, isCancelled: { false })
        let back = try network.forward(
            count: count, rotation6d: found.rotation6d, latent: found.latent, betas: betas, isCancelled: { false })
        var worst = 0.0
        for person in 0..<count {
            func row(_ values: [Float], _ width: Int) -> [Double] {
                values[(person * width)..<((person + 1) * width)].map(Double.init)
            }
            let swing = stageA.inverse(row(input, 116) + row(padding, 60), betas: row(betas, 10))
            let rotation = stageB.inverse(Array(swing[..<144]) + row(phi, 46), betas: [])
            let latent = row(found.latent, 78)
            for (a, b) in zip(rotation, row(found.rotation6d, 144) + latent[32...]) { worst = max(worst, abs(a - b)) }
            for (a, b) in zip(swing[144...], latent[..<32]) { worst = max(worst, abs(a - b)) }
            let unturned = stageB.forward(row(found.rotation6d, 144) + latent[32...], betas: [])
            let joints = stageA.forward(Array(unturned[..<144]) + latent[..<32], betas: row(betas, 10))
            for (a, b) in zip(joints, row(back.observation, 176)) { worst = max(worst, abs(a - b)) }
        }
        #expect(worst <= 1e-5, "seed \(seed)")
    }

    @Test(arguments: ["niki_ts_heading", "niki_ts_none"])
    func `betas matter exactly where a shape gate is open`(name: String) throws {
        let golden = try Golden(name)
        let network = try golden.network()
        let betas = try golden.floats("betas")
        func solve(_ betas: [Float]) throws -> [Float] {
            try network.inverse(
                count: golden.count, input: golden.observationInput(), phi: golden.floats("phi"), betas: betas,
                isCancelled: { false }
            ).rotation6d
        }
        let difference = largestDifference(try solve(betas), try solve(betas.map { $0 * 100 }))
        #expect(name == "niki_ts_none" ? difference > 1e-3 : difference == 0)
    }

    @Test(arguments: Golden.flows)
    func `a person gets the same bits whoever shares the batch, in any row block`(name: String) throws {
        let golden = try Golden(name)
        let network = try golden.network()
        // More people than two row blocks hold, so that people of the first block are compared with later ones.
        let copies = 120
        func repeated(_ tensor: [Float]) -> [Float] { (0..<copies).flatMap { _ in tensor } }
        let (input, phi, betas) = (try golden.observationInput(), try golden.floats("phi"), try golden.floats("betas"))
        let together = try network.inverse(
            count: copies * golden.count, input: repeated(input), phi: repeated(phi), betas: repeated(betas),
            isCancelled: { false })
        let width = together.latent.count / (copies * golden.count)
        for person in 0..<golden.count {
            let alone = try network.inverse(
                count: 1, input: Array(input[(person * 116)..<(person * 116 + 116)]),
                phi: Array(phi[(person * 46)..<(person * 46 + 46)]),
                betas: Array(betas[(person * 10)..<(person * 10 + 10)]), isCancelled: { false })
            for copy in stride(from: person, to: copies * golden.count, by: golden.count) {
                #expect(alone.rotation6d == Array(together.rotation6d[(copy * 144)..<(copy * 144 + 144)]))
                #expect(alone.latent == Array(together.latent[(copy * width)..<((copy + 1) * width)]))
            }
        }
    }

    @Test func `cancellation is looked at between the couplings`() throws {
        let golden = try Golden("niki_ts_heading")
        let network = try golden.network()
        for limit in [0, 1, 16, 31] {
            var asked = 0
            #expect(throws: ModelError.cancelled) {
                try network.inverse(
                    count: golden.count, input: golden.observationInput(), phi: golden.floats("phi"),
                    betas: golden.floats("betas")
                ) {
                    asked += 1
                    return asked > limit
                }
            }
            #expect(asked == limit + 1)
        }
    }

    @Test func `every instruction set of the machine gives the golden vectors`() async {
        // In a process of its own: the limit is global, and other tests run beside this one.
        await #expect(processExitsWith: .success) {
            for isa in ISA.available {
                ISA.limit(to: isa)
                for name in Golden.flows {
                    let golden = try Golden(name)
                    let found = try golden.network().inverse(
                        count: golden.count, input: golden.observationInput(), phi: golden.floats("phi"),
                        betas: golden.floats("betas"), isCancelled: { false })
                    let (rotations, latents) = (try golden.floats("rotation6d"), try golden.floats("latent"))
                    precondition(largestDifference(found.rotation6d, rotations) <= 1e-5, "\(isa) \(name)")
                    precondition(largestDifference(found.latent, latents) <= 1e-5, "\(isa) \(name)")
                }
            }
        }
    }

    @Test func `the MLP gives what PyTorch gives, alone and in a batch`() throws {
        let golden = try Golden("mlp_ik_heading")
        let network = try MLPIKNetwork(ModelFiles(folder: golden.modelFolder))
        let (input, phi) = (try golden.observationInput(), try golden.floats("phi"))
        let found = try network.solve(count: golden.count, input: input, phi: phi, isCancelled: { false })
        #expect(largestDifference(found, try golden.floats("rotation6d")) <= 1e-5)
        for person in 0..<golden.count {
            let alone = try network.solve(
                count: 1, input: Array(input[(person * 116)..<(person * 116 + 116)]),
                phi: Array(phi[(person * 46)..<(person * 46 + 46)]), isCancelled: { false })
            #expect(alone == Array(found[(person * 144)..<(person * 144 + 144)]))
        }
        #expect(throws: ModelError.cancelled) {
            try network.solve(count: golden.count, input: input, phi: phi, isCancelled: { true })
        }
    }
}
