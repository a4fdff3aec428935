internal import SinewModels

/// What an evaluation found, as the JSON beside the report holds it.
struct EvaluationResult: Encodable {
    /// One row of a table; a figure is not there where it has no meaning.
    struct Row: Encodable {
        let name: String
        let mpjpeMm: Double
        let paMpjpeMm: Double
        /// Not there for joints without rotations.
        let geRad: Double?
        /// Acceleration error, mm per frame²: where people move.
        let accelMm: Double?
        /// Mean distance of exact positional effectors from their joints: where a pose was solved from effectors.
        var missMm: Double?
        let microsecondsPerPerson: Double?
        /// Frames that kept the start pose, and people that were lost and begun anew: of models that start from a pose.
        var startsKept: Int?
        var restarts: Int?

        init(name: String, _ metrics: PoseMetrics, secondsPerPerson: Double?) {
            self.name = name
            mpjpeMm = metrics.mpjpe
            paMpjpeMm = metrics.paMPJPE
            geRad = metrics.geodesic
            accelMm = metrics.acceleration
            microsecondsPerPerson = secondsPerPerson.map { $0 * 1e6 }
        }
    }

    /// One corruption of joints, or one draw of effectors.
    struct Preset: Encodable {
        let name: String
        /// Not there for effectors, which have no joints to compare.
        var input: Row?
        var models: [Row] = []
    }

    /// PA-MPJPE of every model at one strength of noise.
    struct CurvePoint: Encodable {
        let level: Double
        let paMpjpeMm: [Double]
    }

    /// Errors of each joint (columns) where one joint is lost (rows).
    struct Sensitivity: Encodable {
        let name: String
        var errorsMm: [[Double]] = []
    }

    /// What becomes of exact positional effectors when the body changes and the effectors stay.
    struct ShapeChange: Encodable {
        let name: String
        /// The draw of effectors.
        let effectors: String
        /// `none`, `beta` or `gender`.
        let change: String
        let people: Int
        /// Distance of the effectors from their joints: mean, and how many of 100 are near enough.
        let missMm: Double
        let within2MmPercent: Double
        let within15MmPercent: Double
        /// Mean distance of those joints from where they were before the change.
        let movedMm: Double
    }

    /// How near a model comes to whole poses from few effectors, chosen one by one.
    struct Recovery: Encodable {
        let name: String
        let people: Int
        /// Mean distance of 24 joints after the first, second, … effector, mm; who needs fewer keeps the last.
        let errorsMm: [Double]
        /// Mean number of effectors.
        let effectors: Double
        /// How many people of 100 end at 40 mm or less.
        let within40MmPercent: Double
        let millisecondsPerPerson: Double
    }

    let seed: UInt64
    let samples: Int
    /// Frames that the people were drawn from.
    let poses: Int
    /// What was compared, in order.
    let models: [String]
    /// People who stand.
    var presets: [Preset] = []
    var curve: [CurvePoint] = []
    var sensitivity: [Sensitivity] = []
    /// People who move.
    var clips: [Preset] = []
    /// Frames and people of ``clips``.
    var clipFrames = 0
    var clipTracks = 0
    /// People of whom effectors are known.
    var effectors: [Preset] = []
    var shapes: [ShapeChange] = []
    var recoveries: [Recovery] = []
    /// Who solved, and what on.
    var machine = ""
}
