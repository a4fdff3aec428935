package import SinewBody

/// Which way is up in a file.
package enum UpAxis: String, Sendable, CaseIterable {
    case plusX = "x"
    case minusX = "-x"
    case plusY = "y"
    case minusY = "-y"
    case plusZ = "z"
    case minusZ = "-z"

    /// The axis of that name, with or without a plus sign.
    package init?(named name: String) {
        self.init(
            rawValue: name.lowercased().hasPrefix("+") ? String(name.lowercased().dropFirst()) : name.lowercased())
    }

    /// The unit vector that points up.
    package var direction: SIMD3<Double> {
        switch self {
        case .plusX: SIMD3(1, 0, 0)
        case .minusX: SIMD3(-1, 0, 0)
        case .plusY: SIMD3(0, 1, 0)
        case .minusY: SIMD3(0, -1, 0)
        case .plusZ: SIMD3(0, 0, 1)
        case .minusZ: SIMD3(0, 0, -1)
        }
    }

    /// Turns a vector so that up becomes +y; a rotation each, never a mirror.
    package func toModelFrame(_ v: SIMD3<Double>) -> SIMD3<Double> {
        switch self {
        case .plusX: SIMD3(-v.y, v.x, v.z)
        case .minusX: SIMD3(v.y, -v.x, v.z)
        case .plusY: v
        case .minusY: SIMD3(v.x, -v.y, -v.z)
        case .plusZ: SIMD3(v.x, v.z, -v.y)
        case .minusZ: SIMD3(v.x, -v.z, v.y)
        }
    }

    /// The rotation of ``toModelFrame(_:)``.
    package var rotationToModelFrame: RotationMatrix {
        RotationMatrix(
            columns: toModelFrame(SIMD3(1, 0, 0)), toModelFrame(SIMD3(0, 1, 0)), toModelFrame(SIMD3(0, 0, 1)))
    }

    /// Its inverse.
    package var rotationFromModelFrame: RotationMatrix { rotationToModelFrame.transposed }

    /// What happened to the coordinates, for a note.
    var conversion: String {
        switch self {
        case .plusX: "(x, y, z) became (-y, x, z)"
        case .minusX: "(x, y, z) became (y, -x, z)"
        case .plusY: "nothing was turned"
        case .minusY: "(x, y, z) became (x, -y, -z)"
        case .plusZ: "(x, y, z) became (x, z, -y)"
        case .minusZ: "(x, y, z) became (x, -z, y)"
        }
    }
}
