/// How values between two frames are found.
package enum Interpolation: String, CaseIterable, Sendable {
    /// On the straight line.
    case linear
    /// On the cubic through both with the slopes of the neighbours' differences (Catmull-Rom on uneven times).
    case cubic
}

/// Where the frames of a new rate lie among those of a run.
struct Resampling {
    /// A new frame: between `run[index]` and the next, `share` of the way.
    struct Place {
        let frame: Int
        let index: Int
        let share: Double
    }
    let places: [Place]

    /// - Parameters:
    ///   - numbers: the frame numbers of a run, rising.
    ///   - from: frames a second of these numbers.
    ///   - to: frames a second of the new ones, which count from the same moment.
    init(of numbers: [Int], from: Double, to: Double) {
        var places: [Place] = []
        guard let first = numbers.first, let last = numbers.last else {
            self.places = []
            return
        }
        // A whole number of new frames that falls on an old one must not be lost to rounding.
        let slack = 1e-9
        let start = Int((Double(first) * to / from - slack).rounded(.up))
        let end = Int((Double(last) * to / from + slack).rounded(.down))
        var index = 0
        if start <= end {
            for frame in start...end {
                let time = min(max(Double(frame) * from / to, Double(first)), Double(last))
                while index + 2 < numbers.count, Double(numbers[index + 1]) <= time { index += 1 }
                guard numbers.count > 1 else {
                    places.append(Place(frame: frame, index: 0, share: 0))
                    continue
                }
                let (before, after) = (Double(numbers[index]), Double(numbers[index + 1]))
                places.append(Place(frame: frame, index: index, share: (time - before) / (after - before)))
            }
        }
        self.places = places
    }

    /// The value at a place.
    ///
    /// - Parameters:
    ///   - numbers: the frame numbers.
    ///   - value: of a position in the run; nil where it is not known. The two next to the place must be known.
    static func value(
        _ place: Place, _ numbers: [Int], _ interpolation: Interpolation, value: (Int) -> SIMD3<Double>?
    ) -> SIMD3<Double>? {
        let last = min(place.index + 1, numbers.count - 1)
        if place.share == 0 { return value(place.index) }
        if place.share == 1 { return value(last) }
        guard let from = value(place.index), let to = value(last) else { return nil }
        switch interpolation {
        case .linear: return from + (to - from) * place.share
        case .cubic:
            let width = Double(numbers[last] - numbers[place.index])
            let m0 = slope(at: place.index, numbers, value) * width
            let m1 = slope(at: last, numbers, value) * width
            let t = place.share
            let (t2, t3) = (t * t, t * t * t)
            let ends = (2 * t3 - 3 * t2 + 1) * from + (3 * t2 - 2 * t3) * to
            return ends + (t3 - 2 * t2 + t) * m0 + (t3 - t2) * m1
        }
    }

    /// The slope at a position from its neighbours, second order on uneven steps; one-sided where one of them is not known.
    private static func slope(
        at index: Int, _ numbers: [Int], _ value: (Int) -> SIMD3<Double>?
    ) -> SIMD3<Double> {
        guard let here = value(index) else { return .zero }
        let before = index > 0 ? value(index - 1) : nil
        let after = index + 1 < numbers.count ? value(index + 1) : nil
        switch (before, after) {
        case (.some(let before), .some(let after)):
            let hs = Double(numbers[index] - numbers[index - 1])
            let hd = Double(numbers[index + 1] - numbers[index])
            return (hs * hs * after + (hd * hd - hs * hs) * here - hd * hd * before) / (hs * hd * (hs + hd))
        case (.some(let before), nil): return (here - before) / Double(numbers[index] - numbers[index - 1])
        case (nil, .some(let after)): return (after - here) / Double(numbers[index + 1] - numbers[index])
        case (nil, nil): return .zero
        }
    }
}
