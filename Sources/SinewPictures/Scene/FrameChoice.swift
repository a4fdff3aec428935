package import SinewBody

/// Which frames of a scene to show, and how good they are.
package struct FrameChoice: Sendable, Equatable {
    /// How frames are chosen.
    package enum Order: String, Sendable, CaseIterable {
        /// Those with the largest measure first, at least a third of a second apart.
        case worst
        /// Evenly spaced.
        case even
    }

    /// What the numbers beside the people are, or nil where nothing measures the poses.
    package var measure: String?
    /// Indices into the timeline, in the order in which they are shown.
    package var frames: [Int]
    /// For each chosen frame the measure of each person, NaN where there is none; `[frames][people]`.
    package var values: [[Float]]

    /// Chooses frames of a scene's first layer of poses.
    ///
    /// The measure is the mean distance of SMPL's joints to the observed ones, where the scene has them, else the first that came with the poses.
    /// Without any, or without poses, frames are evenly spaced.
    package init(_ scene: PictureScene, count: Int, order: Order) throws(BodyError) {
        let measured = try Self.measured(scene)
        measure = measured?.name
        let values = measured?.values ?? []
        switch order {
        case .worst: frames = Self.worst(scene, values, count)
        case .even: frames = []
        }
        if frames.isEmpty {
            let shown = min(count, scene.frameNumbers.count)
            frames = (0..<shown).map { $0 * scene.frameNumbers.count / shown }
        }
        self.values = frames.map { frame in values.map { $0[frame] } }
    }

    /// A name and the values `[people][frames]`.
    private static func measured(
        _ scene: PictureScene
    ) throws(BodyError) -> (name: String, values: [[Float]])? {
        guard let poses = scene.poseLayers.first else { return nil }
        let none = [Float](repeating: .nan, count: scene.frameNumbers.count)
        var values = scene.people.map { _ in none }
        for layer in scene.layers {
            guard case .observed(let observed) = layer.content else { continue }
            var bodies = SceneBodies()
            for placed in poses.tracks {
                guard let other = observed.first(where: { $0.person == placed.person }) else { continue }
                let shape = try bodies.shape(of: placed.track)
                let posed = PosedTrack(track: placed.track, shape: bodies.shapes[shape])
                for (frame, rows) in zip(placed.rows, other.rows).enumerated() {
                    guard let row = rows.0, let observedRow = rows.1 else { continue }
                    values[placed.person][frame] = meanDistance(posed.joints(row), other.track, observedRow)
                }
            }
            return ("mm to \(layer.name)", values)
        }
        guard let series = poses.tracks.lazy.compactMap(\.track.series.first).first else { return nil }
        for placed in poses.tracks {
            guard let own = placed.track.series.first(where: { $0.key == series.key }) else { continue }
            for (frame, row) in placed.rows.enumerated() where row != nil {
                values[placed.person][frame] = row.map { own.values[$0] } ?? .nan
            }
        }
        return ([series.unit, series.name.lowercased()].filter { !$0.isEmpty }.joined(separator: " "), values)
    }

    /// Millimetres; NaN where none of the 24 joints was observed.
    private static func meanDistance(_ joints: [Float], _ observed: ObservedTrack, _ row: Int) -> Float {
        var (sum, count) = (0.0, 0.0)
        for joint in 0..<Skeleton.rotationCount where observed.observed[row] >> UInt32(joint) & 1 == 1 {
            sum += length(joints.vector(at: joint * 3) - observed.joints.vector(at: row * 87 + joint * 3))
            count += 1
        }
        return count > 0 ? Float(1000 * sum / count) : .nan
    }

    private static func worst(_ scene: PictureScene, _ values: [[Float]], _ count: Int) -> [Int] {
        let apart = max(1, Int((scene.framesPerSecond / 3).rounded()))
        let badness = scene.frameNumbers.indices.map { frame in
            values.reduce(-Float.infinity) { $1[frame].isNaN ? $0 : max($0, $1[frame]) }
        }
        var chosen: [Int] = []
        for frame in badness.indices.sorted(by: { (-badness[$0], $0) < (-badness[$1], $1) }) {
            guard chosen.count < count, badness[frame] > -.infinity else { break }
            if chosen.allSatisfy({ abs($0 - frame) >= apart }) { chosen.append(frame) }
        }
        return chosen
    }
}
