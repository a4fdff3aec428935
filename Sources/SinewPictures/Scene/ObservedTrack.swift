internal import SinewBody
package import SinewFormats

/// One person's observed joints through time.
package struct ObservedTrack: Sendable {
    /// The person's name.
    package var name: String
    /// `[T]` frame numbers.
    package var frames: [Int]
    /// `[T, 29, 3]` metres, y up; zeros where unobserved.
    package var joints: [Float]
    /// `[T]` bit sets; bit `j` is set where joint `j` was observed.
    package var observed: [UInt32]

    package init(name: String, frames: [Int], joints: [Float], observed: [UInt32]) {
        self.name = name
        self.frames = frames
        self.joints = joints
        self.observed = observed
    }

    /// Whether a frame has any joint.
    package func isPresent(_ row: Int) -> Bool { observed[row] != 0 }

    /// The people of a file of observed joints.
    package static func tracks(of input: PoseInput) -> [ObservedTrack] {
        var tracks = input.trackNames.map { ObservedTrack(name: $0, frames: [], joints: [], observed: []) }
        for row in 0..<input.count {
            let track = input.tracks[row]
            tracks[track].frames.append(input.frames[row])
            tracks[track].joints += input.joints[(row * 87)..<(row * 87 + 87)]
            tracks[track].observed.append(input.observed[row])
        }
        return tracks.filter { !$0.frames.isEmpty }
    }
}
