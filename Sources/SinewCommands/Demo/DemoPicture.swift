internal import SinewBody
internal import SinewClient
internal import SinewFormats
internal import SinewPictures

/// The demo's scene to look at: the noisy joints, what models made of them, and the truth.
struct DemoPicture {
    let scene: DemoScene
    let observations: DemoObservations
    /// Poses of the model that the demo is about, and of others to compare.
    let shown: PoseOutput
    let compared: [PoseOutput]

    /// Writes the page and the animated glTF.
    ///
    /// - Returns: the paths written.
    func write(to folder: String) throws -> [String] {
        let poses = PictureScene.Source.poses(name: shown.model, shown.tracks.map { PoseTrack($0) })
        let others = compared.map { PictureScene.Source.poses(name: $0.model, $0.tracks.map { PoseTrack($0) }) }
        let title = "\(scene.people) people, noisy joints, one lost arm"
        let page = PictureScene(
            title: title, framesPerSecond: scene.framesPerSecond, sources: [observed, poses] + others + [truth])
        let motion = PictureScene(title: title, framesPerSecond: scene.framesPerSecond, sources: [poses])
        let paths = ["\(folder)/demo.html", "\(folder)/demo.glb"]
        try PictureFormat.html.write(page, to: paths[0])
        try PictureFormat.glb.write(motion, to: paths[1])
        return paths
    }

    /// The rows of a person, frame by frame.
    private func rows(_ person: Int) -> [Int] { Array(stride(from: person, to: scene.rows, by: scene.people)) }

    private var observed: PictureScene.Source {
        let everyJoint: UInt32 = (1 << UInt32(Skeleton.positionCount)) - 1
        let tracks = (0..<scene.people).map { person in
            ObservedTrack(
                name: scene.clips[person], frames: Array(0..<scene.frames),
                joints: rows(person).flatMap { observations.request.joints[($0 * 87)..<($0 * 87 + 87)] },
                observed: [UInt32](repeating: everyJoint, count: scene.frames))
        }
        return .observed(name: "input", tracks)
    }

    private var truth: PictureScene.Source {
        let tracks = (0..<scene.people).map { person in
            let rows = rows(person)
            // The body turns about its pelvis, so that is where it was moved to.
            let translation = rows.flatMap { row in
                (0..<3).map { scene.joints[row * 87 + $0] - scene.restJoints[row * 87 + $0] }
            }
            return PoseTrack(
                PoseClip(
                    theta: rows.flatMap { scene.theta[($0 * 72)..<($0 * 72 + 72)] }, translation: translation,
                    betas: Array(scene.betas[(person * 10)..<(person * 10 + 10)]), gender: scene.genders[person],
                    framesPerSecond: scene.framesPerSecond), name: scene.clips[person])
        }
        return .poses(name: "truth", tracks)
    }
}
