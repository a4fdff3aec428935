/// What a field may hold, with the unit and the mistake that a value outside suggests.
struct ValueRange: Sendable {
    let field: String
    let range: ClosedRange<Float>
    let unit: String
    let advice: String

    /// Positions may be anywhere in a room or a stadium; beyond a kilometre a float has less than 0.1 mm left.
    static let joints = ValueRange(
        field: "joints", range: -1000...1000, unit: "m", advice: "divide by 1000 if they are in millimetres")
    /// From the mean of a person's joints; nobody is larger, and millimetres read as metres are a thousand times larger.
    static let jointsFromMean = ValueRange(
        field: "joints", range: -5...5, unit: "m from the mean of the person's joints",
        advice: "divide by 1000 if they are in millimetres")
    /// The models clip at 0.4 m; a hundred times that is another unit.
    static let sigma = ValueRange(
        field: "sigma", range: 0...10, unit: "m", advice: "sigma is a standard deviation in metres")
    static let twists = ValueRange(
        field: "twists", range: -6.2831855...6.2831855, unit: "rad", advice: "multiply by π/180 if they are in degrees")
    /// Shape coefficients are standard deviations; the body is no body any more far outside.
    static let betas = ValueRange(
        field: "betas", range: -10...10, unit: "standard deviations", advice: "shape coefficients of SMPL are meant")

    /// Four half turns: nobody's joint turns further, and degrees are larger.
    static let startTheta = ValueRange(
        field: "start_theta", range: -12.566371...12.566371, unit: "rad",
        advice: "multiply by π/180 if they are in degrees")

    /// What to do about a value that is not there, which is what a NaN often means.
    var adviceWhenMissing: String {
        switch field {
        case ValueRange.joints.field: "a joint that was not seen is marked by 0 in observed"
        case ValueRange.startTheta.field: "a person without a start pose has NaN in all 72 places"
        default: "leave the field out when it is not known"
        }
    }

    func contains(_ value: Float) -> Bool { range.contains(value) }

    func complaint(about value: Float, at place: String) -> String {
        "\(field)\(place) is \(value), outside \(range.lowerBound)…\(range.upperBound) \(unit); \(advice)"
    }
}
