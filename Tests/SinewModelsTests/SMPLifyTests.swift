import SinewArrayFiles
import SinewBody
import SinewModels
import TestSupport
import Testing

/// SMPLify's parts against `tools/golden/fitting.py` (torch), against differences, and the whole on people.
struct SMPLifyTests {
    private static func golden(_ name: String) throws -> [Double] {
        try NPZFile(path: "\(Golden.folder)/fitting.npz").array(name).doubles()
    }

    /// The people of the fixture, at the mean shape on the neutral body's own rest joints.
    private static func goldenObjective(person: Int) throws -> SMPLifyObjective {
        let file = try NPZFile(path: "\(Golden.folder)/fitting.npz")
        let seen = try file.array("seen").doubles()
        let observations = PoseObservations(
            count: 4, joints: try file.array("targets").floats(), sigma: try file.array("sigma").floats(),
            observed: (0..<4).map { person in
                (0..<29).reduce(UInt32(0)) { $0 | (seen[person * 29 + $1] != 0 ? 1 << UInt32($1) : 0) }
            },
            twists: [Float](repeating: 0, count: 92), hasTwists: [false, false, false, false],
            betas: [Float](repeating: 0, count: 40), genders: [.neutral, .neutral, .neutral, .neutral])
        let rest = try file.array("rest").floats()
        let prior = try PosePrior.shared()
        return SMPLifyObjective(
            observations, person: person, restJoints: rest + rest + rest + rest, origin: .zero, prior: prior,
            start: prior.start)
    }

    @Test func `error and slope are those of an automatic differentiation`() throws {
        let (x, values, slopes) = (try Self.golden("x"), try Self.golden("value"), try Self.golden("slope"))
        for person in 0..<4 {
            var objective = try Self.goldenObjective(person: person)
            objective.stage = .body
            var slope = [Double](repeating: 0, count: 75)
            let value = objective.evaluate(Array(x[person * 75..<(person + 1) * 75]), slope: &slope)
            #expect(abs(value / values[person] - 1) < 1e-9)
            let largest = slopes[person * 75..<(person + 1) * 75].reduce(0) { max($0, abs($1)) }
            for index in 0..<75 { #expect(abs(slope[index] - slopes[person * 75 + index]) < 1e-9 * largest) }
        }
    }

    @Test(arguments: [SMPLifyObjective.Stage.root, .body, .bodyNearStart])
    func `slopes are the central differences of the error`(stage: SMPLifyObjective.Stage) throws {
        let all = try Self.golden("x")
        for person in 0..<4 {
            var objective = try Self.goldenObjective(person: person)
            var x = Array(all[person * 75..<(person + 1) * 75])
            _ = objective.guessTranslation(x)
            objective.stage = stage
            var slope = [Double](repeating: 0, count: 75)
            var unused = slope
            _ = objective.evaluate(x, slope: &slope)
            let largest = slope.reduce(0) { max($0, abs($1)) }
            for index in 0..<75 {
                // The first stage moves root and translation alone.
                if stage == .root, (3..<72).contains(index) {
                    #expect(slope[index] == 0)
                    continue
                }
                let (h, here) = (1e-5, x[index])
                x[index] = here + h
                let ahead = objective.evaluate(x, slope: &unused)
                x[index] = here - h
                let behind = objective.evaluate(x, slope: &unused)
                x[index] = here
                #expect(abs((ahead - behind) / (2 * h) - slope[index]) < 1e-6 * largest)
            }
        }
    }

    @Test func `curvature is the derivative of the slope where joints are met`() throws {
        var random = SplitMix64(seed: 31)
        let bodies = try BodyLibrary.shared()
        let people = RandomPeople(count: 3, angleMax: 0.8, bodies: bodies, using: &random)
        var observations = people.observations()
        for index in observations.sigma.indices { observations.sigma[index] = Float(random.uniform(0...0.3)) }
        for person in 0..<3 { observations.observed[person] = UInt32(random.next() >> 35) | 0xFFF }
        let prior = try PosePrior.shared()
        for person in 0..<3 {
            var objective = SMPLifyObjective(
                observations, person: person, restJoints: people.restJoints, origin: .zero, prior: prior,
                start: prior.start)
            objective.stage = .body
            var x = row(people.theta, person, 72).map(Double.init) + [0, 0, 0]
            let curvature = objective.curvature(x)
            var (ahead, behind) = ([Double](repeating: 0, count: 75), [Double](repeating: 0, count: 75))
            for column in 0..<75 {
                let (h, here) = (1e-6, x[column])
                x[column] = here + h
                _ = objective.evaluate(x, slope: &ahead)
                x[column] = here - h
                _ = objective.evaluate(x, slope: &behind)
                x[column] = here
                for row in column..<75 {
                    let difference = (ahead[row] - behind[row]) / (2 * h)
                    let scale = (curvature[row, row] * curvature[column, column]).squareRoot()
                    #expect(abs(curvature[row, column] - difference) < 1e-4 * scale)
                }
            }
        }
    }

    @Test func `a positive system is solved, and another is refused`() {
        var random = SplitMix64(seed: 32)
        for count in [1, 3, 4, 5, 75] {
            let a = (0..<count).map { _ in (0..<count).map { _ in random.normal() } }
            let x = (0..<count).map { _ in random.normal() }
            var system = PositiveSystem(count: count)
            var right = [Double](repeating: 0, count: count)
            for row in 0..<count {
                for column in 0..<count {
                    var entry = row == column ? 1.0 : 0
                    for k in 0..<count { entry += a[k][row] * a[k][column] }
                    if row >= column { system[row, column] = entry }
                    right[row] += entry * x[column]
                }
            }
            let solved = system.solution(of: right) ?? []
            let isClose = zip(solved, x).allSatisfy { abs($0 - $1) < 1e-8 }
            #expect(isClose && solved.count == count)
            system[count - 1, count - 1] = -1
            #expect(system.solution(of: right) == nil)
        }
    }

    /// The chained function of the fixture.
    private static func rosenbrock(_ x: [Double], _ slope: inout [Double]) -> Double {
        var value = 0.0
        for index in x.indices { slope[index] = 0 }
        for index in 0..<(x.count - 1) {
            let (rise, run) = (x[index + 1] - x[index] * x[index], 1 - x[index])
            value += 100 * rise * rise + run * run
            slope[index] -= 400 * x[index] * rise + 2 * run
            slope[index + 1] += 200 * rise
        }
        return value
    }

    @Test(arguments: [0.01, 1.0]) func `LBFGS walks the path of PyTorch's`(rate: Double) throws {
        let path = try Self.golden("lbfgs_\(rate)")
        var x = try Self.golden("start")
        var descent = LBFGS(learningRate: rate, iterationsMax: 4)
        for step in 0..<(path.count / x.count) {
            _ = try descent.step(&x) { (point, slope) throws(ModelError) in Self.rosenbrock(point, &slope) }
            for index in x.indices { #expect(abs(x[index] - path[step * x.count + index]) < 1e-6, "step \(step)") }
        }
    }

    @Test func `Adam walks the path of PyTorch's`() throws {
        let path = try Self.golden("adam")
        var x = try Self.golden("start")
        var descent = Adam(learningRate: 0.01)
        var slope = x
        var rows = 0
        for step in 0..<60 {
            _ = Self.rosenbrock(x, &slope)
            descent.step(&x, slope: slope)
            guard [0, 1, 9, 59].contains(step) else { continue }
            for index in x.indices { #expect(abs(x[index] - path[rows * x.count + index]) < 1e-10) }
            rows += 1
        }
        #expect(rows * x.count == path.count)
    }
}

/// The solvers as models.
struct SMPLifyModelTests {
    /// People whose body poses are near the prior, facing about +z as the cold start does.
    private static func people(_ count: Int, seed: UInt64) throws -> (observations: PoseObservations, theta: [Float]) {
        var random = SplitMix64(seed: seed)
        let bodies = try BodyLibrary.shared()
        let start = try PosePrior.shared().start
        var people = PoseObservations(
            count: 0, joints: [], sigma: [], observed: [], twists: [], hasTwists: [], betas: [], genders: [])
        var theta: [Float] = []
        for _ in 0..<count {
            theta += (0..<3).map { _ in Float(0.3 * random.normal()) }
            theta += start.map { Float($0 + 0.15 * random.normal()) }
        }
        people.count = count
        people.betas = (0..<(count * 10)).map { _ in Float(random.normal()) }
        people.genders = (0..<count).map { Gender.allCases[$0 % 3] }
        people.joints = PoseRows.joints(
            rotations: PoseRows.matrices(ofTheta: theta),
            restJoints: bodies.restJoints(betas: people.betas, genders: people.genders))
        people.sigma = [Float](repeating: 0.02, count: count * 29)
        people.observed = [UInt32](repeating: 0x1FFF_FFFF, count: count)
        people.twists = [Float](repeating: 0, count: count * 23)
        people.hasTwists = [Bool](repeating: false, count: count)
        return (people, theta)
    }

    private static func solve(_ method: SMPLifyModel.Method, _ people: PoseObservations) throws -> PoseSolutions {
        try SMPLifyModel(bodies: .shared(), method: method).solve(people, isCancelled: { false })
    }

    @Test func `both Levenberg-Marquardt and LBFGS find usual poses again`() throws {
        let (people, theta) = try Self.people(12, seed: 41)
        let rest = try BodyLibrary.shared().restJoints(for: people)
        let limits: [(SMPLifyModel.Method, Double)] = [(.levenbergMarquardt, 10), (.lbfgs, 10)]
        for (method, limit) in limits {
            let solved = try Self.solve(method, people)
            let metrics = PoseMetrics.compare(theta: solved.theta, truth: theta, restJoints: rest)
            #expect(metrics.mpjpe < limit, "\(method.rawValue): \(metrics)")
            #expect(solved.jointResidualMillimetres.allSatisfy { $0 < 25 })
        }
    }

    @Test func `Levenberg-Marquardt ends lower than Adam, and Adam the lower the longer it runs`() throws {
        var random = SplitMix64(seed: 42)
        var (people, _) = try Self.people(10, seed: 42)
        for index in people.joints.indices { people.joints[index] += Float(0.03 * random.normal()) }
        let bodies = try BodyLibrary.shared()
        let rest = bodies.restJoints(for: people)
        let prior = try PosePrior.shared()
        func errors(_ solved: PoseSolutions) -> [Double] {
            (0..<people.count).map { person in
                var objective = SMPLifyObjective(
                    people, person: person, restJoints: rest, origin: .zero, prior: prior, start: prior.start)
                objective.stage = .body
                var slope = [Double](repeating: 0, count: 75)
                let x = row(solved.theta, person, 72) + row(solved.translation, person, 3)
                return objective.evaluate(x.map(Double.init), slope: &slope)
            }
        }
        let ours = errors(try Self.solve(.levenbergMarquardt, people))
        let start = errors(try HybrIKModel(bodies: bodies).solve(people, isCancelled: { false }))
        let adam = errors(try Self.solve(.adam, people))
        let converged = errors(try Self.solve(.convergedAdam, people))
        for person in 0..<people.count {
            #expect(ours[person] < start[person] && ours[person] < adam[person])
            #expect(converged[person] < adam[person])
        }
    }

    @Test(arguments: SMPLifyModel.Method.allCases)
    func `what was not seen and who shares the batch change nothing`(method: SMPLifyModel.Method) throws {
        var (people, _) = try Self.people(3, seed: 43)
        people.observed = [0x1FFF_FFFF, 0x1FFF_FFFF & ~(1 << 20 | 1 << 22 | 1 << 25), 0b1_0111]
        let together = try Self.solve(method, people)
        for joint in [20, 22, 25] {
            for axis in 0..<3 { people.joints[87 + joint * 3 + axis] = 3 }
            people.sigma[29 + joint] = 0
        }
        let alone = try Self.solve(method, people.person(1))
        #expect(alone.theta == row(together.theta, 1, 72))
        #expect(alone.translation == row(together.translation, 1, 3))
        #expect(try Self.solve(method, people.person(2)).theta == row(together.theta, 2, 72))
        #expect(together.unobservedJoints == [0, 3, 25])
        #expect(together.theta.allSatisfy { $0.isFinite })
    }

    @Test(arguments: SMPLifyModel.Method.allCases)
    func `a fit is cancelled between iterations`(method: SMPLifyModel.Method) throws {
        let (people, _) = try Self.people(1, seed: 44)
        var asked = 0
        let error = #expect(throws: ModelError.self) {
            try SMPLifyModel(bodies: .shared(), method: method).solve(
                people,
                isCancelled: {
                    asked += 1
                    return asked > 3
                })
        }
        #expect(error?.reason == .cancelled && asked == 4)
    }

    @Test func `two joints are too few`() throws {
        var (people, _) = try Self.people(2, seed: 45)
        people.observed[1] = 0b11
        let error = #expect(throws: ModelError.self) { try Self.solve(.levenbergMarquardt, people) }
        #expect(error?.reason == .degenerateInput && error?.person == 1)
    }
}

extension PoseObservations {
    /// One person as a batch of their own.
    fileprivate func person(_ person: Int) -> PoseObservations {
        PoseObservations(
            count: 1, joints: row(joints, person, 87), sigma: row(sigma, person, 29), observed: [observed[person]],
            twists: row(twists, person, 23), hasTwists: [hasTwists[person]], betas: row(betas, person, 10),
            genders: [genders[person]])
    }
}
