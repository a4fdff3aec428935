import SinewBody
import SinewCore
import SinewModels
import SinewWire

/// The fields of a request after their shapes have been checked: plain arrays with one row per person.
struct RequestFields {
    let count: Int
    private let skeleton: Skeleton
    private let joints: [Float]
    private let sigma: [Float]?
    private let observed: [UInt8]?
    private let twists: [Float]?
    /// One row for all, or one per person; nil for the mean shape.
    private let betas: [Float]?
    private let isOneBetaForAll: Bool
    private let genders: [String]
    /// Gauss-Newton steps after the model.
    let refineSteps: Int
    /// Rows of NaN have none.
    private let startTheta: [Float]?
    private let tracks: [UInt32]

    /// What is assumed of every joint when a request says nothing, metres.
    static let sigmaDefault: Float = 0.02

    init(_ request: SolvePosesRequest, declaredItems: Int, limits: Limits) throws(CallFailure) {
        guard let skeleton = Skeleton.named(request.skeleton) else {
            let known = Skeleton.all.map(\.name).joined(separator: ", ")
            throw CallFailure(
                .invalidArgument, .unknownSkeleton, field: "skeleton",
                "skeleton “\(request.skeleton)” is not known; known are \(known)")
        }
        let jointCount = skeleton.jointCount
        guard let joints = request.joints.floats, request.joints.shape.count == 3,
            request.joints.shape[1] == jointCount, request.joints.shape[2] == 3
        else {
            throw .wrongShape("joints", request.joints, expected: "float32 [n, \(jointCount), 3] for \(skeleton.name)")
        }
        let count = request.joints.shape[0]
        guard count >= 1 else {
            throw CallFailure(.invalidArgument, .wrongShape, field: "joints", "joints has no people; send at least one")
        }
        guard count == declaredItems else {
            throw CallFailure(
                .invalidArgument, .malformedRequest, field: "joints",
                "joints has \(count) people and the head of the call says \(declaredItems)")
        }
        self.count = count
        self.skeleton = skeleton
        self.joints = joints
        sigma = try Self.floats("sigma", request.sigma, shape: [count, jointCount])
        if let observed = request.observed {
            guard let bytes = observed.bytes, observed.shape == [count, jointCount] else {
                throw .wrongShape("observed", observed, expected: "uint8 [\(count), \(jointCount)]")
            }
            self.observed = bytes
        } else {
            observed = nil
        }
        twists = try Self.floats("twists", request.twists, shape: [count, 23])
        isOneBetaForAll = request.betas.map { $0.shape.count == 1 } ?? false
        betas = try Self.floats("betas", request.betas, shape: isOneBetaForAll ? [10] : [count, 10])
        genders = try Self.checkedGenders(request.genders, count: count)
        refineSteps = try Self.checkedSteps(request.refine ?? 0, limits: limits)
        startTheta = try Self.floats("start_theta", request.startTheta, shape: [count, 24, 3])
        tracks = request.tracks
        guard tracks.isEmpty || tracks.count == count else {
            throw CallFailure(
                .invalidArgument, .wrongShape, field: "tracks",
                "tracks has \(tracks.count) entries; give none, or one for each of the \(count) people")
        }
    }

    static func checkedSteps(_ steps: UInt32, limits: Limits) throws(CallFailure) -> Int {
        guard steps <= limits.refineStepsMax else {
            throw CallFailure(
                .invalidArgument, .outOfRange, field: "refine",
                "refine is \(steps), outside 0…\(limits.refineStepsMax) steps; 20 suffice even far from the solution")
        }
        return Int(steps)
    }

    static func floats(_ field: String, _ tensor: Tensor?, shape: [Int]) throws(CallFailure) -> [Float]? {
        guard let tensor else { return nil }
        guard let floats = tensor.floats, tensor.shape == shape else {
            throw .wrongShape(field, tensor, expected: "float32 \(shape)")
        }
        return floats
    }

    static func checkedGenders(_ genders: [String], count: Int) throws(CallFailure) -> [String] {
        guard genders.isEmpty || genders.count == 1 || genders.count == count else {
            throw CallFailure(
                .invalidArgument, .wrongShape, field: "genders",
                "genders has \(genders.count) entries; give none, one for all, or one for each of the \(count) people")
        }
        if genders.count == 1, count > 1, Gender(rawValue: genders[0]) == nil {
            throw CallFailure(.invalidArgument, .unknownGender, field: "genders", unknownGender(genders[0]))
        }
        return genders
    }

    static func unknownGender(_ name: String) -> String {
        "gender “\(name)” is not known; known are \(Gender.allCases.map(\.rawValue).joined(separator: ", "))"
    }
}

// MARK: One person

extension RequestFields {
    /// Why a person cannot be solved; nil when it can.
    ///
    /// - Cost: one pass over the person's values, no allocation unless something is wrong.
    func problem(of person: Int) -> ItemError? {
        jointProblem(of: person)
            ?? sigmaProblem(of: person) ?? twistProblem(of: person) ?? betaProblem(of: person)
            ?? genderProblem(of: person) ?? startProblem(of: person)
    }

    private func isObserved(_ person: Int, _ joint: Int) -> Bool {
        observed.map { $0[person * skeleton.jointCount + joint] != 0 } ?? true
    }

    private func jointName(_ joint: Int) -> String { skeleton.jointNames[joint] }

    private func jointProblem(of person: Int) -> ItemError? {
        let row = person * skeleton.jointCount
        var sum: (x: Double, y: Double, z: Double) = (0, 0, 0)
        var observedCount = 0
        for joint in 0..<skeleton.jointCount {
            if let observed, observed[row + joint] > 1 {
                return error(
                    person, .outOfRange, "observed",
                    "observed[\(joint)] (\(jointName(joint))) is \(observed[row + joint]); 1 is seen and 0 is not")
            }
            guard isObserved(person, joint) else { continue }
            observedCount += 1
            for axis in 0..<3 {
                let value = joints[(row + joint) * 3 + axis]
                let place = { "[\(joint), \(axis)] (\(jointName(joint)) \(["x", "y", "z"][axis]))" }
                if let problem = check(person, value, .joints, place) { return problem }
            }
            sum.x += Double(joints[(row + joint) * 3])
            sum.y += Double(joints[(row + joint) * 3 + 1])
            sum.z += Double(joints[(row + joint) * 3 + 2])
        }
        guard observedCount > 0 else {
            return error(person, .nothingObserved, "observed", "no joint of the person was observed")
        }
        let mean = [sum.x, sum.y, sum.z].map { Float($0 / Double(observedCount)) }
        for joint in 0..<skeleton.jointCount where isObserved(person, joint) {
            for axis in 0..<3 {
                let distance = joints[(row + joint) * 3 + axis] - mean[axis]
                guard !ValueRange.jointsFromMean.contains(distance) else { continue }
                let place = "[\(joint), \(axis)] (\(jointName(joint)) \(["x", "y", "z"][axis]))"
                return error(
                    person, .outOfRange, "joints",
                    ValueRange.jointsFromMean.complaint(about: distance, at: place))
            }
        }
        return nil
    }

    private func sigmaProblem(of person: Int) -> ItemError? {
        guard let sigma else { return nil }
        let row = person * skeleton.jointCount
        for joint in 0..<skeleton.jointCount where isObserved(person, joint) {
            let place = { "[\(joint)] (\(jointName(joint)))" }
            if let problem = check(person, sigma[row + joint], .sigma, place) { return problem }
        }
        return nil
    }

    private func twistProblem(of person: Int) -> ItemError? {
        guard let twists else { return nil }
        for column in 0..<23 {
            let place = { "[\(column)] (\(Skeleton.smpl24.jointNames[column + 1]))" }
            if let problem = check(person, twists[person * 23 + column], .twists, place) { return problem }
        }
        return nil
    }

    private func betaProblem(of person: Int) -> ItemError? {
        guard let betas else { return nil }
        let row = isOneBetaForAll ? 0 : person * 10
        for column in 0..<10 {
            if let problem = check(person, betas[row + column], .betas, { "[\(column)]" }) { return problem }
        }
        return nil
    }

    private func genderProblem(of person: Int) -> ItemError? {
        guard genders.count == count, Gender(rawValue: genders[person]) == nil else { return nil }
        return error(person, .unknownGender, "genders", Self.unknownGender(genders[person]))
    }

    private func hasStart(_ person: Int) -> Bool {
        guard let startTheta else { return false }
        return !startTheta[(person * 72)..<(person * 72 + 72)].allSatisfy(\.isNaN)
    }

    private func startProblem(of person: Int) -> ItemError? {
        guard let startTheta, hasStart(person) else { return nil }
        for joint in 0..<Skeleton.rotationCount {
            for axis in 0..<3 {
                let place = { "[\(joint), \(axis)] (\(Skeleton.smpl24.jointNames[joint]) \(["x", "y", "z"][axis]))" }
                let value = startTheta[person * 72 + joint * 3 + axis]
                if let problem = check(person, value, .startTheta, place) { return problem }
            }
        }
        return nil
    }

    private func check(_ person: Int, _ value: Float, _ range: ValueRange, _ place: () -> String) -> ItemError? {
        guard value.isFinite else {
            return error(
                person, .notFinite, range.field,
                "\(range.field)\(place()) is \(value); \(range.adviceWhenMissing)")
        }
        guard range.contains(value) else {
            return error(person, .outOfRange, range.field, range.complaint(about: value, at: place()))
        }
        return nil
    }

    private func error(_ person: Int, _ code: ServiceErrorCode, _ field: String, _ message: String) -> ItemError {
        ItemError(
            item: UInt32(person), status: UInt32(StatusCode.invalidArgument.rawValue), code: UInt32(code.rawValue),
            field: field, message: "person \(person): \(message)")
    }
}

// MARK: What a model reads

extension RequestFields {
    /// The given people as a model reads them; they must have no problem.
    func observations(of rows: [Int]) -> PoseObservations {
        let sent = skeleton.jointCount
        let kept = Skeleton.positionCount
        var joints = [Float](repeating: 0, count: rows.count * kept * 3)
        var sigma = [Float](repeating: Self.sigmaDefault, count: rows.count * kept)
        var observed = [UInt32](repeating: 0, count: rows.count)
        var twists = [Float](repeating: 0, count: rows.count * 23)
        var betas = [Float](repeating: 0, count: rows.count * 10)
        var genders = [Gender](repeating: .neutral, count: rows.count)
        for (target, person) in rows.enumerated() {
            // What the skeleton says nothing of stays unobserved.
            for joint in 0..<kept {
                let source = skeleton.smplSources[joint]
                let place = source.position { given in
                    isObserved(person, given) ? self.joints.vector(at: (person * sent + given) * 3) : nil
                }
                guard let place else { continue }
                joints.store(place, at: (target * kept + joint) * 3)
                if let given = self.sigma {
                    sigma[target * kept + joint] = source.sigma { given[person * sent + $0] }
                }
                observed[target] |= 1 << UInt32(joint)
            }
            if let given = self.twists {
                for column in 0..<23 { twists[target * 23 + column] = given[person * 23 + column] }
            }
            if let given = self.betas {
                let row = isOneBetaForAll ? 0 : person * 10
                for column in 0..<10 { betas[target * 10 + column] = given[row + column] }
            }
            if !self.genders.isEmpty {
                let name = self.genders.count == 1 ? self.genders[0] : self.genders[person]
                genders[target] = Gender(rawValue: name) ?? .neutral
            }
        }
        return PoseObservations(
            count: rows.count, joints: joints, sigma: sigma, observed: observed, twists: twists,
            hasTwists: Array(repeating: self.twists != nil, count: rows.count), betas: betas, genders: genders,
            startTheta: startPoses(of: rows), hasStart: startTheta == nil ? [] : rows.map(hasStart),
            tracks: tracks.isEmpty ? [] : rows.map { tracks[$0] })
    }

    /// `[count, 24, 3]`, zeros for who has none; empty when the request has none at all.
    private func startPoses(of rows: [Int]) -> [Float] {
        guard let startTheta else { return [] }
        return rows.flatMap { person in
            hasStart(person)
                ? Array(startTheta[(person * 72)..<(person * 72 + 72)]) : [Float](repeating: 0, count: 72)
        }
    }
}
