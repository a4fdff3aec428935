import SinewBody
import SinewModels
import TestSupport
import Testing

struct ShapeInversionTests {
    /// Random bodies and the lengths of their limbs, measured on the rest joints themselves.
    private func bodies(
        _ count: Int, of body: BodyModel, seed: UInt64
    ) throws -> [(betas: [Float], scale: Double, lengths: LimbLengths)] {
        var random = SplitMix64(seed: seed)
        return try (0..<count).map { index in
            // Half of them ordinary people, half drawn as the table is.
            let betas = (0..<10).map { _ in
                index % 2 == 0 ? Float(random.normal()) : Float.random(in: -5...5, using: &random)
            }
            let scale = Double.random(in: 0.5...1.5, using: &random)
            let joints = body.restJoints(betas: betas).map { Float(scale) * $0 }
            return (betas, scale, try LimbLengths(restJoints: joints))
        }
    }

    @Test(arguments: Gender.allCases)
    func `six lengths are met to 5 mm on 200 random bodies`(gender: Gender) throws {
        let body = try BodyModel.bundled(gender)
        let inversion = ShapeInversion(body: body)
        for (index, person) in try bodies(200, of: body, seed: 11).enumerated() {
            let found = inversion.estimate(person.lengths)
            #expect(found.betas.count == 10 && found.betas.allSatisfy { (-5...5).contains($0) })
            #expect(ShapeInversion.scaleRange.contains(found.scale))
            // Measured on the body again, not taken from the estimate's own word.
            let joints = body.restJoints(betas: found.betas).map { Float(found.scale) * $0 }
            let measured = try LimbLengths(restJoints: joints)
            for (a, b) in zip(measured.values, person.lengths.values) {
                #expect(abs(a - b) <= 0.005, "body \(index), seed 11")
            }
            #expect(found.worstErrorMillimetres <= 5)
        }
    }

    @Test func `without refinement the answer is the kernel mean of the sampled bodies`() throws {
        let body = try BodyModel.bundled(.female)
        let inversion = ShapeInversion(body: body, sampleCount: 400, seed: 5)
        var random = SplitMix64(seed: 5)
        var shapes: [[Double]] = []
        var lengths: [[Double]] = []
        for _ in 0..<400 {
            let betas = (0..<10).map { _ in Double.random(in: -5.0...5.0, using: &random) }
            let scale = Double.random(in: 0.2...2.0, using: &random)
            let joints = body.restJoints(betas: betas.map { Float($0) })
            shapes.append(betas + [scale])
            lengths.append(try LimbLengths(restJoints: joints.map { Float(scale) * $0 }).values)
        }
        for person in try bodies(20, of: body, seed: 12) {
            let exponents = lengths.map { sample in
                -zip(sample, person.lengths.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / (2 * 0.02 * 0.02)
            }
            let largest = exponents.max()!
            let weights = exponents.map { exponential($0 - largest) }
            let sum = weights.reduce(0, +)
            let expected = (0..<11).map { index in
                zip(weights, shapes).reduce(0) { $0 + $1.0 * $1.1[index] } / sum
            }
            let found = inversion.estimate(person.lengths, refinements: 0)
            #expect(found.refinements == 0)
            for (value, wanted) in zip(found.betas.map(Double.init) + [found.scale], expected) {
                #expect(abs(value - wanted) < 1e-2)
            }
        }
    }

    @Test func `refinement leaves no length farther off than the kernel does, and says what it reached`() throws {
        let body = try BodyModel.bundled(.neutral)
        let inversion = ShapeInversion(body: body)
        var plain = 0.0
        for person in try bodies(60, of: body, seed: 13) {
            let before = inversion.estimate(person.lengths, refinements: 0)
            let after = inversion.estimate(person.lengths)
            plain += before.worstErrorMillimetres / 60
            #expect(after.worstErrorMillimetres < before.worstErrorMillimetres)
            #expect(after.refinements >= 1 && after.refinements <= ShapeInversion.refinementsDefault)
        }
        // Why the refinement is there at all.
        #expect(plain > 5)
    }

    @Test func `the same seed gives the same answer, another seed another one`() throws {
        let body = try BodyModel.bundled(.male)
        let lengths = try bodies(1, of: body, seed: 14)[0].lengths
        let found = ShapeInversion(body: body, sampleCount: 3000, seed: 1).estimate(lengths)
        #expect(ShapeInversion(body: body, sampleCount: 3000, seed: 1).estimate(lengths) == found)
        #expect(ShapeInversion(body: body, sampleCount: 3000, seed: 2).estimate(lengths) != found)
    }

    @Test func `lengths that no body has get an answer within the ranges, and the distance is told`() throws {
        let inversion = ShapeInversion(body: try BodyModel.bundled(.neutral), sampleCount: 2000)
        let found = inversion.estimate(try LimbLengths([0.1, 0.9, 3, 0.2, 0.05, 1.5]))
        #expect(found.betas.allSatisfy { $0.isFinite && (-5...5).contains($0) })
        #expect(ShapeInversion.scaleRange.contains(found.scale))
        #expect(found.worstErrorMillimetres > 100)
    }

    @Test(arguments: [
        ([0.4, 0.4, 1.5, 0.8, 0.25], "5 lengths"), ([0.4, 0.4, 1.5, 80, 0.25, 0.25], "head to right wrist is 80.0 m"),
        ([0.4, .nan, 1.5, 0.8, 0.25, 0.25], "right shin is nan m"),
        ([0.4, 0.4, 1.5, 0.8, 0.25, 0], "right forearm is 0.0 m"),
    ])
    func `lengths that cannot be are refused by name`(values: [Double], message: String) {
        let error = #expect(throws: ModelError.self) { try LimbLengths(values) }
        #expect(error?.reason == .degenerateInput && error?.message.contains(message) == true)
    }
}

/// Taken apart here so that the reference shares no code with what it checks.
private func exponential(_ x: Double) -> Double {
    guard x > -700 else { return 0 }
    var (term, sum) = (1.0, 1.0)
    let part = x / 1024
    for index in 1...12 {
        term *= part / Double(index)
        sum += term
    }
    for _ in 0..<10 { sum *= sum }
    return sum
}
