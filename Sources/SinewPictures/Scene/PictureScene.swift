/// What a picture shows: people on one timeline, in layers that lie over each other (observed joints, poses of one model or another).
package struct PictureScene: Sendable {
    /// A person of a layer.
    package struct Placed<Track: Sendable>: Sendable {
        /// Index into ``PictureScene/people``.
        package var person: Int
        package var track: Track
        /// For every frame of the timeline the row of the track, or nil where the person is not there.
        package var rows: [Int?]
    }

    /// What a layer holds.
    package enum Content: Sendable {
        case poses([Placed<PoseTrack>])
        case observed([Placed<ObservedTrack>])
    }

    package struct Layer: Sendable {
        package var name: String
        package var content: Content
    }

    /// The tracks of a layer before they are put on one timeline.
    package enum Source: Sendable {
        case poses(name: String, [PoseTrack])
        case observed(name: String, [ObservedTrack])

        var trackNames: [String] {
            switch self {
            case .poses(_, let tracks): tracks.map(\.name)
            case .observed(_, let tracks): tracks.map(\.name)
            }
        }

        /// Numbers of all frames.
        var frames: [Int] {
            switch self {
            case .poses(_, let tracks): tracks.flatMap(\.frames)
            case .observed(_, let tracks): tracks.flatMap(\.frames)
            }
        }
    }

    package var title: String
    package var framesPerSecond: Double
    /// The frame numbers of the timeline, rising.
    package var frameNumbers: [Int]
    /// Names.
    package var people: [String]
    package var layers: [Layer]
    /// What people who look at the picture must know, one sentence each.
    package var notes: [String]

    /// The layers of poses, in order.
    package var poseLayers: [(name: String, tracks: [Placed<PoseTrack>])] {
        layers.compactMap { layer in
            switch layer.content {
            case .poses(let tracks): (layer.name, tracks)
            case .observed: nil
            }
        }
    }

    /// Puts layers on one timeline.
    ///
    /// The timeline is every frame that any track has. Tracks of the same name are the same person; a layer none of whose names is known, but
    /// which has as many tracks as there are people, is matched in order, and a note says so.
    package init(title: String, framesPerSecond: Double, sources: [Source], notes: [String] = []) {
        self.title = title
        self.framesPerSecond = framesPerSecond
        self.notes = notes
        let timeline = Array(Set(sources.flatMap(\.frames))).sorted()
        frameNumbers = timeline
        people = []
        layers = []
        for source in sources { add(source) }
    }

    private mutating func add(_ source: Source) {
        let names = source.trackNames
        var indices: [Int] = []
        let isByOrder = !people.isEmpty && names.count == people.count && !names.contains(where: people.contains)
        if isByOrder {
            indices = Array(people.indices)
            if names != people {
                let pairs = zip(names, people).map { "\($0) is \($1)" }
                self.notes.append(
                    "Tracks have other names in different files; matched in order: \(pairs.joined(separator: ", "))")
            }
        } else {
            for name in names {
                // Two tracks of a name in one layer are two people.
                let free = people.indices.first { people[$0] == name && !indices.contains($0) }
                if free == nil { people.append(name) }
                indices.append(free ?? people.count - 1)
            }
        }
        switch source {
        case .poses(let name, let tracks):
            let placed = zip(indices, tracks).map { person, track in
                Placed(person: person, track: track, rows: rows(track.frames) { track.isPresent[$0] })
            }
            layers.append(Layer(name: name, content: .poses(placed)))
        case .observed(let name, let tracks):
            let placed = zip(indices, tracks).map { person, track in
                Placed(person: person, track: track, rows: rows(track.frames) { track.isPresent($0) })
            }
            layers.append(Layer(name: name, content: .observed(placed)))
        }
    }

    /// Where each frame of the timeline lies in a track.
    private func rows(_ frames: [Int], isPresent: (Int) -> Bool) -> [Int?] {
        var rowOfFrame: [Int: Int] = [:]
        for (row, frame) in frames.enumerated() where rowOfFrame[frame] == nil && isPresent(row) {
            rowOfFrame[frame] = row
        }
        return frameNumbers.map { rowOfFrame[$0] }
    }

    /// Keeps every `step`-th frame of the timeline.
    package mutating func thin(keepingEvery step: Int) {
        precondition(step >= 1, "a timeline keeps every first, second, … frame")
        func kept<Element>(_ values: [Element]) -> [Element] {
            stride(from: 0, to: values.count, by: step).map { values[$0] }
        }
        func kept<Track: Sendable>(_ tracks: [Placed<Track>]) -> [Placed<Track>] {
            tracks.map { Placed(person: $0.person, track: $0.track, rows: kept($0.rows)) }
        }
        frameNumbers = kept(frameNumbers)
        framesPerSecond /= Double(step)
        for index in layers.indices {
            switch layers[index].content {
            case .poses(let tracks): layers[index].content = .poses(kept(tracks))
            case .observed(let tracks): layers[index].content = .observed(kept(tracks))
            }
        }
    }
}
