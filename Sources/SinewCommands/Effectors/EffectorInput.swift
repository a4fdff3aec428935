package import SinewBody
internal import SinewFormats
package import SinewModels

/// Effectors of some poses, from options or from a file.
package struct EffectorInput: Sendable, SolvableInput {
    /// Where it was read from; messages begin with it.
    package let path: String
    package private(set) var effectors = EffectorObservations()
    package private(set) var trackNames: [String] = []
    package private(set) var tracks: [Int] = []
    package private(set) var frames: [Int] = []
    package private(set) var places: [String] = []
    package var framesPerSecond: Double?
    package private(set) var notes: [String] = []
    private var nextFrames: [Int] = []

    package var count: Int { effectors.count }
    package var betas: [Float] { effectors.betas }
    package var genders: [Gender] { effectors.genders }

    init(path: String) { self.path = path }

    /// Adds a pose.
    ///
    /// - Parameters:
    ///   - frame: nil is the one after the track's last.
    ///   - place: where it stands, for messages.
    mutating func append(
        _ pose: [Effector], betas: [Float], gender: Gender, track name: String, frame: Int?, place: String
    ) {
        let track = trackNames.firstIndex(of: name) ?? trackNames.count
        if track == trackNames.count {
            trackNames.append(name)
            nextFrames.append(0)
        }
        let number = frame ?? nextFrames[track]
        nextFrames[track] = number + 1
        tracks.append(track)
        frames.append(number)
        places.append(place)
        effectors.append(pose, betas: betas, gender: gender)
    }

    mutating func note(_ text: String) { notes.append(text) }

    /// Some poses as a model wants them.
    func effectors(of rows: [Int]) -> EffectorObservations {
        var some = EffectorObservations()
        some.append(rows, of: effectors)
        return some
    }
}

/// Rows that a command solves, whatever they are solved from.
protocol SolvableInput: Sendable {
    var path: String { get }
    var count: Int { get }
    var trackNames: [String] { get }
    /// `[count]` index into ``trackNames``.
    var tracks: [Int] { get }
    /// `[count]` frame number.
    var frames: [Int] { get }
    /// `[count]` where the row stands, for messages.
    var places: [String] { get }
    /// `[count, 10]`.
    var betas: [Float] { get }
    /// `[count]`.
    var genders: [Gender] { get }
    var framesPerSecond: Double? { get }
    var notes: [String] { get }
}

extension PoseInput: SolvableInput {}
