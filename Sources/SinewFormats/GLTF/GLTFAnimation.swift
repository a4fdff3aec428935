internal import Glibc
internal import SinewArrayFiles
internal import SinewBody

/// How one property of a node changes.
struct GLTFTrack {
    let times: [Double]
    /// Three numbers a key, or a quaternion x, y, z, w.
    let values: [Double]
    let isStep: Bool
    let width: Int

    /// The value at a time; before the first key and after the last it stands still.
    func value(at time: Double) -> [Double] {
        // The first key that is later.
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return key(0) }
        guard low < times.count, !isStep, times[low - 1] < time else { return key(low - 1) }
        let share = (time - times[low - 1]) / (times[low] - times[low - 1])
        let (a, b) = (key(low - 1), key(low))
        return width == 4 ? Self.spherical(a, b, share) : zip(a, b).map { $0 + share * ($1 - $0) }
    }

    private func key(_ index: Int) -> [Double] { Array(values[(index * width)..<((index + 1) * width)]) }

    /// Along the shorter arc at a steady pace.
    private static func spherical(_ a: [Double], _ b: [Double], _ share: Double) -> [Double] {
        let cosine = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        let sign = cosine < 0 ? -1.0 : 1.0
        let angle = acos(min(abs(cosine), 1))
        guard angle > 1e-6 else { return zip(a, b).map { $0 + share * (sign * $1 - $0) } }
        let (from, to) = (sin((1 - share) * angle) / sin(angle), sign * sin(share * angle) / sin(angle))
        return zip(a, b).map { from * $0 + to * $1 }
    }
}

/// The first animation of a glTF file.
struct GLTFAnimation {
    /// By node.
    private(set) var translations: [Int: GLTFTrack] = [:]
    private(set) var rotations: [Int: GLTFTrack] = [:]
    /// When each frame is.
    private(set) var frameTimes: [Double] = []
    private(set) var framesPerSecond = 30.0

    /// Keys nearer than this are no frames of their own.
    private static let framesPerSecondMax = 240.0
    private static let secondsBetweenFramesMax = 0.1
    /// Rates that are believed.
    private static let rates = 1...1e4

    /// Reads the tracks of the joints; those of other nodes are passed over.
    ///
    /// - Parameter joints: the placement at rest of every node that matters.
    init(_ file: inout GLTFFile, joints: [Int: GLTFPlacement]) throws(FormatError) {
        guard let animation = try file.list("animations").first else { return }
        guard let channels = animation["channels"]?.array, let samplers = animation["samplers"]?.array else {
            throw file.wrong("its first animation has no channels or no samplers")
        }
        var longest: [Double] = []
        for (index, channel) in channels.enumerated() {
            let place = "channel \(index) of the animation"
            guard let node = channel["target"]?["node"]?.int, let rest = joints[node],
                let path = channel["target"]?["path"]?.string, path != "weights"
            else { continue }
            guard let number = channel["sampler"]?.int, samplers.indices.contains(number) else {
                throw file.wrong("\(place) names no sampler that is there")
            }
            let track = try Self.track(samplers[number], isRotation: path == "rotation", place, &file)
            if track.times.count > longest.count { longest = track.times }
            switch path {
            case "translation" where translations[node] == nil: translations[node] = track
            case "rotation" where rotations[node] == nil: rotations[node] = track
            case "scale":
                guard track.values.allSatisfy({ abs($0 - rest.scale) <= 1e-3 * rest.scale }) else {
                    throw file.wrong("\(place) changes the size of node \(node); bones of a body keep theirs")
                }
            default: throw file.wrong("\(place) has the path \"\(path)\", which is unknown or there twice")
            }
        }
        guard !longest.isEmpty else { return }
        try setFrames(longest, file)
    }

    private static func track(
        _ sampler: JSONValue, isRotation: Bool, _ place: String, _ file: inout GLTFFile
    ) throws(FormatError) -> GLTFTrack {
        let way = sampler["interpolation"]?.string ?? "LINEAR"
        guard way == "LINEAR" || way == "STEP" else {
            throw file.wrong("\(place) is interpolated by \(way); LINEAR and STEP are read, export with sampled keys")
        }
        guard let input = sampler["input"]?.int, let output = sampler["output"]?.int else {
            throw file.wrong("\(place) has a sampler without input or output")
        }
        let times = try file.accessor(input, kind: "SCALAR", "times of \(place)")
        let width = isRotation ? 4 : 3
        let values = try file.accessor(output, kind: isRotation ? "VEC4" : "VEC3", "values of \(place)")
        guard values.count == times.count * width else {
            throw file.wrong("\(place) has \(times.count) times and \(values.count / width) values")
        }
        guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw file.wrong("the times of \(place) do not rise from key to key")
        }
        if isRotation {
            for key in times.indices where RotationMatrix(xyzw: values[(key * 4)..<(key * 4 + 4)]) == nil {
                throw file.wrong("\(place): key \(key) is no unit quaternion (x, y, z, w)")
            }
        }
        return GLTFTrack(times: times, values: values, isStep: way == "STEP", width: width)
    }

    /// One frame per key of the track that has most, where its keys are evenly spaced; else frames as near as its nearest keys. Keys that are
    /// farther apart than motion capture's are poses to move between, thirty frames a second.
    private mutating func setFrames(_ keys: [Double], _ file: GLTFFile) throws(FormatError) {
        let tracks = Array(translations.values) + Array(rotations.values)
        let start = tracks.reduce(keys[0]) { min($0, $1.times[0]) }
        let end = tracks.reduce(keys[keys.count - 1]) { max($0, $1.times[$1.times.count - 1]) }
        let span = keys[keys.count - 1] - keys[0]
        guard end > start else {
            frameTimes = [start]
            return
        }
        if keys.count > 1 {
            let step = span / Double(keys.count - 1)
            // Times are floats, which late in a long clip are coarse.
            let isEven = keys.indices.allSatisfy { abs(keys[0] + Double($0) * step - keys[$0]) < 0.25 * step }
            // A little more than what is filled up below, so that what was filled up once is even.
            let isNear = step <= 1.05 * Self.secondsBetweenFramesMax
            if isEven, isNear, start >= keys[0] - step, end <= keys[keys.count - 1] + step {
                frameTimes = keys
                framesPerSecond = try Self.rounded(1 / step, file)
                try checkLength(keys.count, file)
                return
            }
        }
        let gaps = zip(keys, keys.dropFirst()).map { $1 - $0 }
        let gap = max(gaps.min() ?? .infinity, 1 / Self.framesPerSecondMax)
        let nearest = gap <= Self.secondsBetweenFramesMax ? gap : 1 / framesPerSecond
        let steps = max((end - start) / nearest - 0.01, 1).rounded(.up)
        guard steps < Double(RigClip.framesMax) else { throw tooLong(file) }
        try checkLength(Int(steps) + 1, file)
        frameTimes = (0...Int(steps)).map { start + (end - start) * Double($0) / steps }
        framesPerSecond = try Self.rounded(steps / (end - start), file)
    }

    /// The whole number that the rounding of the times hides, if there is one.
    private static func rounded(_ rate: Double, _ file: GLTFFile) throws(FormatError) -> Double {
        guard rates.contains(rate) else {
            throw file.wrong("the keys of its animation are \(1 / rate) s apart, which is no motion of a body")
        }
        return abs(rate - rate.rounded()) < 1e-4 * rate ? rate.rounded() : rate
    }

    private func checkLength(_ count: Int, _ file: GLTFFile) throws(FormatError) {
        guard count <= RigClip.framesMax else { throw tooLong(file) }
    }

    private func tooLong(_ file: GLTFFile) -> FormatError {
        file.wrong("its animation has more than \(RigClip.framesMax) frames; cut it")
    }
}
