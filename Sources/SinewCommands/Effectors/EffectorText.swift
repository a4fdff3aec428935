internal import SinewBody
package import SinewModels

/// Effectors as people type them: `left_wrist=0.4,1.1,0.3:tolerance=0.02:weight=2`.
package enum EffectorText {
    /// What is wrong with a text; the option that it came from puts its own name before it.
    package struct Mistake: Error, CustomStringConvertible {
        package let description: String
    }

    /// The parts of a text: a joint, numbers, and named suffixes.
    private struct Parts {
        let joint: UInt8
        let numbers: [Double]
        var tolerance: Float = 0
        var weight: Float = 1
        var direction: [Double]?
    }

    /// `JOINT=X,Y,Z`.
    package static func position(_ text: String) throws(Mistake) -> Effector {
        let parts = try parts(of: text, counts: [3], meaning: "x,y,z in metres", allowsDirection: false)
        return .position(
            parts.joint, at: vector(parts.numbers), tolerance: parts.tolerance, weight: parts.weight)
    }

    /// `JOINT=` and 3, 4, 6 or 9 numbers of an orientation in the model frame.
    package static func rotation(_ text: String) throws(Mistake) -> Effector {
        let parts = try parts(
            of: text, counts: [3, 4, 6, 9], meaning: "a rotation: \(Self.rotationForms)", allowsDirection: false)
        guard let orientation = orientation(parts.numbers) else {
            throw Mistake(description: "“\(text)”: the numbers are no rotation; use \(Self.rotationForms)")
        }
        return .rotation(parts.joint, orientation, tolerance: parts.tolerance, weight: parts.weight)
    }

    /// `JOINT=X,Y,Z[:direction=X,Y,Z]`.
    package static func lookAt(_ text: String) throws(Mistake) -> Effector {
        let parts = try parts(of: text, counts: [3], meaning: "x,y,z of the target in metres", allowsDirection: true)
        let axis = vector(parts.direction ?? [0, 0, 1])
        guard length(axis) > 1e-6 else { throw Mistake(description: "“\(text)”: the direction has no length") }
        return .lookAt(
            parts.joint, target: vector(parts.numbers), direction: axis / length(axis), tolerance: parts.tolerance,
            weight: parts.weight)
    }

    /// A joint by its name or number.
    static func joint(_ text: String) throws(Mistake) -> UInt8 {
        if let index = Skeleton.smpl24.index(of: text) { return UInt8(index) }
        if let number = Int(text), (0..<Skeleton.rotationCount).contains(number) { return UInt8(number) }
        throw Mistake(
            description: "joint “\(text)” is not known; use 0…\(Skeleton.rotationCount - 1) or one of "
                + Skeleton.smpl24.jointNames.joined(separator: ", "))
    }

    /// Numbers with commas between them.
    static func numbers(_ text: Substring) -> [Double]? {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = fields.compactMap { Double($0) }
        return numbers.count == fields.count && numbers.allSatisfy { $0.isFinite } ? numbers : nil
    }

    /// What the numbers of a rotation may be.
    static let rotationForms =
        "rx,ry,rz (rotation vector, radians), w,x,y,z (quaternion), 6 numbers (first two rows of the matrix) or 9 (the matrix)"

    /// The rotation that 3, 4, 6 or 9 numbers give; nil when they are none.
    static func orientation(_ numbers: [Double]) -> RotationMatrix? {
        switch numbers.count {
        case 3: return RotationMatrix(AxisAngle(vector(numbers)))
        case 4:
            let norm = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > 1e-6 else { return nil }
            let q = numbers.map { $0 / norm }
            return RotationMatrix(AxisAngle(Quaternion(w: q[0], x: q[1], y: q[2], z: q[3])))
        case 6, 9:
            let (a, b) = (vector(Array(numbers[..<3])), vector(Array(numbers[3..<6])))
            guard abs(length(a) - 1) < 0.01, abs(length(b) - 1) < 0.01, abs(dot(a, b)) < 0.01 else { return nil }
            if numbers.count == 9, dot(cross(a, b), vector(Array(numbers[6...]))) < 0.98 { return nil }
            return Rotation6DRows(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]).matrix
        default: return nil
        }
    }

    /// The first three of some numbers.
    static func vector(_ numbers: [Double]) -> SIMD3<Double> { SIMD3(numbers[0], numbers[1], numbers[2]) }

    private static func parts(
        of text: String, counts: [Int], meaning: String, allowsDirection: Bool
    ) throws(Mistake) -> Parts {
        let sections = text.split(separator: ":", omittingEmptySubsequences: false)
        let sides = sections[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { throw Mistake(description: "“\(text)” is not JOINT=\(meaning)") }
        guard let numbers = numbers(sides[1]), counts.contains(numbers.count) else {
            throw Mistake(description: "“\(text)”: “\(sides[1])” is not \(meaning)")
        }
        var parts = Parts(joint: try joint(String(sides[0])), numbers: numbers)
        for section in sections.dropFirst() {
            let pair = section.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let values = pair.count == 2 ? Self.numbers(pair[1]) : nil
            switch (pair[0], values?.count) {
            case ("tolerance", 1): parts.tolerance = Float(values?[0] ?? 0)
            case ("weight", 1): parts.weight = Float(values?[0] ?? 1)
            case ("direction", 3) where allowsDirection: parts.direction = values
            default:
                let known = "tolerance=T, weight=W" + (allowsDirection ? ", direction=X,Y,Z" : "")
                throw Mistake(description: "“\(text)”: “\(section)” is not one of \(known)")
            }
        }
        return parts
    }
}
