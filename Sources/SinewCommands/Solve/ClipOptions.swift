internal import ArgumentParser
internal import SinewFormats

/// What makes a clip of frames: tracks joined over gaps, one shape for a person, smoothing, another frame rate.
struct ClipOptions: ParsableArguments {
    @Option(name: .long, help: "The frame rate of the file, when it does not say.")
    var inputFps: Double?

    @Option(name: .long, help: "Join tracks that go on as another within so many seconds.")
    var stitch: Double?

    @Flag(name: .long, help: "One shape and gender for each person: the weighted median over the track.")
    var oneShape = false

    @Option(
        name: .long,
        help: "Smooth each track: one-euro, or one-euro:CUTOFF,BETA (Hz at rest, Hz per m/s; default 1.5,5).")
    var smooth: SmoothingOption?

    @Option(name: .long, help: "Frames a second of the result.")
    var fps: Double?

    @Option(name: .long, help: "How --fps finds places between frames, linear or cubic; rotations are always slerped.")
    var interpolate = InterpolationOption.linear

    /// The first option that was given, for inputs where it has no meaning.
    var given: String? {
        inputFps.map { _ in "--input-fps" } ?? stitch.map { _ in "--stitch" } ?? (oneShape ? "--one-shape" : nil)
            ?? smooth.map { _ in "--smooth" } ?? fps.map { _ in "--fps" }
    }

    func validate() throws {
        for (name, value) in [("--fps", fps), ("--input-fps", inputFps)] {
            if let value, !(value > 0 && value <= 10_000) {
                throw ValidationError("\(name) must lie between 0 and 10000 frames a second, not \(value)")
            }
        }
        if let stitch, !(stitch > 0 && stitch <= 60) {
            throw ValidationError("--stitch must lie between 0 and 60 seconds, not \(stitch)")
        }
    }

    /// What the options say.
    var processing: ClipProcessing {
        var processing = ClipProcessing()
        processing.inputFramesPerSecond = inputFps
        processing.stitchSeconds = stitch
        processing.hasOneShape = oneShape
        processing.smoothing = smooth?.filter
        processing.framesPerSecond = fps
        processing.interpolation = interpolate.interpolation
        return processing
    }
}

/// `one-euro[:cutoff,beta]`.
struct SmoothingOption: ExpressibleByArgument {
    let filter: OneEuroFilter

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0] == "one-euro" else { return nil }
        var filter = OneEuroFilter()
        if parts.count == 2 {
            let numbers = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            guard (1...2).contains(numbers.count), let cutoff = numbers[0], cutoff > 0, cutoff.isFinite else {
                return nil
            }
            filter.minimalCutoff = cutoff
            if numbers.count == 2 {
                guard let beta = numbers[1], beta >= 0, beta.isFinite else { return nil }
                filter.beta = beta
            }
        }
        self.filter = filter
    }
}

/// ``Interpolation`` as an option's value.
enum InterpolationOption: String, CaseIterable, ExpressibleByArgument {
    case linear, cubic

    var interpolation: Interpolation {
        switch self {
        case .linear: .linear
        case .cubic: .cubic
        }
    }
}
