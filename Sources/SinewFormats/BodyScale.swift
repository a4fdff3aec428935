internal import SinewBody

/// Tells unit and up axis from the bodies themselves: from bone lengths and from where heads are.
enum BodyScale {
    /// Long bones and typical lengths of adults in metres: thigh, shin, upper arm, forearm, both sides.
    static let bones: [(child: Int, parent: Int, metres: Double)] = [
        (4, 1, 0.40), (5, 2, 0.40), (7, 4, 0.41), (8, 5, 0.41), (18, 16, 0.26), (19, 17, 0.26), (20, 18, 0.25),
        (21, 19, 0.25),
    ]
    /// Bodies between these factors of an adult's size are plausible: from small children to giants. The ranges of the three units
    /// do not touch.
    private static let plausible = 0.4...2.0
    /// Rows that are looked at.
    private static let rowsMax = 2000

    /// Metres per unit, as the bone lengths tell.
    enum Finding: Equatable {
        case unit(LengthUnit)
        /// Bones are this many times as long as an adult's would be in metres; no unit explains it.
        case noUnit(ratio: Double)
        /// No long bone was seen.
        case unknown
    }

    /// The median ratio of seen bones to an adult's in metres, or nil when none was seen.
    static func ratio(of people: RawPeople) -> Double? {
        var ratios: [Double] = []
        forEachSampledRow(of: people) { row in
            for bone in bones {
                guard let child = position(bone.child, row, people), let parent = position(bone.parent, row, people)
                else { continue }
                let ratio = length(child - parent) / bone.metres
                if ratio.isFinite { ratios.append(ratio) }
            }
        }
        guard !ratios.isEmpty else { return nil }
        ratios.sort()
        return ratios[ratios.count / 2]
    }

    /// Which unit makes the bones plausible.
    static func unit(of people: RawPeople) -> Finding {
        guard let ratio = ratio(of: people) else { return .unknown }
        for unit in LengthUnit.allCases where plausible.contains(ratio * unit.metres) { return .unit(unit) }
        return .noUnit(ratio: ratio)
    }

    /// The axis along which people stand, or nil when they do not stand along any (lying, tumbling, too little seen).
    ///
    /// The mean over all rows of the unit vector from ankles (or knees, or pelvis) to the neck (or head). +y is believed first; −y
    /// and ±x need to be clearer, because they are rarer than a person bending over.
    static func upAxis(of people: RawPeople) -> UpAxis? {
        var sum = SIMD3<Double>.zero
        var count = 0.0
        forEachSampledRow(of: people) { row in
            guard let top = middle([12, 15, 9], row, people),
                let bottom = middle([7, 8], row, people) ?? middle([4, 5], row, people) ?? middle([0], row, people),
                let up = direction(top - bottom)
            else { return }
            sum += up
            count += 1
        }
        guard count > 0 else { return nil }
        let mean = sum / count
        for (axis, least) in [
            (UpAxis.plusY, 0.5), (.plusZ, 0.6), (.minusY, 0.7), (.minusZ, 0.7), (.plusX, 0.8), (.minusX, 0.8),
        ] where dot(mean, axis.direction) >= least {
            return axis
        }
        return nil
    }

    static func forEachSampledRow(of people: RawPeople, _ body: (Int) -> Void) {
        for row in stride(from: 0, to: people.count, by: max(1, people.count / rowsMax)) { body(row) }
    }

    static func position(_ joint: Int, _ row: Int, _ people: RawPeople) -> SIMD3<Double>? {
        let jointCount = people.skeleton.jointCount
        guard joint < jointCount, people.observed[row * jointCount + joint] else { return nil }
        let point = people.joints.vector(at: (row * jointCount + joint) * 3)
        return point.x.isFinite && point.y.isFinite && point.z.isFinite ? point : nil
    }

    static func middle(_ joints: [Int], _ row: Int, _ people: RawPeople) -> SIMD3<Double>? {
        let points = joints.compactMap { position($0, row, people) }
        return points.isEmpty ? nil : points.reduce(.zero, +) / Double(points.count)
    }
}
