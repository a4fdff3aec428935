/// The unit of coordinates in a file.
package enum LengthUnit: String, Sendable, CaseIterable {
    case metres = "m"
    case centimetres = "cm"
    case millimetres = "mm"

    /// The unit of that name; the common spellings are known.
    package init?(named name: String) {
        switch name.lowercased() {
        case "m", "metre", "metres", "meter", "meters": self = .metres
        case "cm", "centimetre", "centimetres", "centimeter", "centimeters": self = .centimetres
        case "mm", "millimetre", "millimetres", "millimeter", "millimeters": self = .millimetres
        default: return nil
        }
    }

    /// Metres of one unit.
    package var metres: Double {
        switch self {
        case .metres: 1
        case .centimetres: 0.01
        case .millimetres: 0.001
        }
    }

    /// The word in messages.
    package var name: String {
        switch self {
        case .metres: "metres"
        case .centimetres: "centimetres"
        case .millimetres: "millimetres"
        }
    }
}
