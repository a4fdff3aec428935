/// What `model.json` says about one version of a model.
public struct ModelDescription: Sendable, Equatable {
    /// What kind of network or solver it is.
    public enum Architecture: Sendable, Equatable {
        /// The two networks of invertible couplings.
        public enum Flow: Sendable, Equatable {
            /// Joints to swings, swings and twists to rotations.
            case twistAndSwing
            /// Joints to rotations.
            case oneStage
            /// Joints and twists to rotations, in one flow: the vanilla INN of NIKI's Table 5.
            case vanilla
        }
        /// An invertible network (models.md §3, §4).
        case niki(Flow)
        /// Attention over the frames of a track, around another model of the repository.
        case nikiTemporal
        /// Four linear layers (models.md §4).
        case mlpIK
        /// Sets of effectors to poses (models.md §5).
        case smplIK
        /// A graph network that turns a start pose towards keypoints (models.md §7).
        case learnableSMPLify
        /// Analytic inverse kinematics, no weights (models.md §2).
        case analytic
        /// Minimises an error person by person; its prior ships with the package (models.md §8).
        case smplify(SMPLifyModel.Method)

        /// The name in `model.json`.
        public var name: String {
            switch self {
            case .niki(.twistAndSwing): "niki-twist-and-swing"
            case .niki(.oneStage): "niki-one-stage"
            case .niki(.vanilla): "inn"
            case .nikiTemporal: "niki-temporal"
            case .mlpIK: "mlp-ik"
            case .smplIK: "smpl-ik"
            case .learnableSMPLify: "learnable-smplify"
            case .analytic: "hybrik"
            case .smplify: "smplify"
            }
        }

        /// What may stand between its input and its network.
        var conditionings: [Conditioning] {
            switch self {
            case .niki, .nikiTemporal: [.none, .headingBones, .cameraFrame]
            case .mlpIK: [.none, .headingBones]
            case .smplIK: [.none, .effectorZUp, .effectorHeading]
            case .learnableSMPLify: [.humanCentric]
            case .analytic, .smplify: [.none]
            }
        }

        /// Whether models of the architecture of that name are sequential (``PoseModel/isSequential``).
        package static func isSequential(named name: String) -> Bool {
            name == learnableSMPLify.name || name == nikiTemporal.name
        }

        /// Whether a frame of such models sees frames after it, so that a track may not be cut.
        package static func seesWholeTracks(named name: String) -> Bool { name == nikiTemporal.name }

        /// Whether such models also solve effectors (``EffectorPoseModel``).
        package static func takesEffectors(named name: String) -> Bool { name == smplIK.name }

        /// The architectures that a repository can hold.
        static let onDisk: [Architecture] = [
            .niki(.twistAndSwing), .niki(.oneStage), .niki(.vanilla), .nikiTemporal, .mlpIK, .smplIK,
            .learnableSMPLify,
        ]
    }

    /// How joints become the network's input (`tools/train/CONDITIONING.md`).
    public enum Conditioning: String, Sendable, Equatable, CaseIterable {
        /// Root-relative joints in metres.
        case none
        /// Bone vectors over rest length, in the heading frame.
        case headingBones = "heading-bones"
        /// Effectors turned into the world of the published checkpoints, whose z points up, and back.
        case effectorZUp = "effector-z-up"
        /// Effectors in the heading frame, lengths over the size of the body.
        case effectorHeading = "effector-heading"
        /// Root-relative joints in metres, turned into the camera frame of the published checkpoints and back.
        case cameraFrame = "camera-frame"
        /// Keypoints in the frame of the start pose's hips and neck.
        case humanCentric = "human-centric"
    }

    /// How the weights are held in memory; what a layer takes and gives is float32 in each of them.
    public enum Precision: String, Sendable, Equatable, CaseIterable {
        /// As in the file.
        case float32
        /// Rounded to nearest bfloat16: half the memory, and half the bytes that a small batch waits for.
        case bfloat16
        /// Rounded to eight bits with a scale per output, multiplied with activations that are rounded to eight bits row by row: a
        /// quarter of the memory, and the fastest for large batches where the machine has AVX-512 VNNI.
        case int8
    }

    /// The model whose output another one refines.
    public struct Base: Sendable, Equatable {
        /// `name/version` in the same repository.
        public let model: String
        /// SHA-256 of its weights: a refinement fits one set of weights only.
        public let weightsSHA256: String
    }

    /// The error of a model under one noise preset, as measured when it was exported.
    public struct Evaluation: Sendable, Equatable {
        /// `clean`, `standard` or `occlusion`.
        public let preset: String
        /// Mean per-joint position error, 24 joints, pelvis-aligned, millimetres.
        public let mpjpeMillimetres: Double
        /// The same after Procrustes alignment.
        public let paMPJPEMillimetres: Double
        /// Mean geodesic error of the local rotations, radians.
        public let geodesicRadians: Double
    }

    /// What a reduced precision does to the error of a model.
    public struct PrecisionCost: Sendable, Equatable {
        /// The precision measured.
        public let precision: Precision
        /// The errors of ``Evaluation`` less those in float32, on the same samples; below zero where it is better by chance.
        public let changes: [Evaluation]
    }

    /// The repository name.
    public let name: String
    /// The repository version.
    public let version: String
    /// What kind of network it is.
    public let architecture: Architecture
    /// Coupling layers per flow; 0 for networks without.
    public let couplings: Int
    /// Width of the hidden layers; 0 for solvers without.
    public let hidden: Int
    /// Residual blocks per stack; 0 for networks without.
    public let blocks: Int
    /// Width of the embeddings of joints and kinds; 0 for networks without.
    public let embedding: Int
    /// Frames on each side of a window; 0 for models that solve every frame for itself.
    public let reach: Int
    /// The model that this one refines, nil for most.
    public let base: Base?
    /// The graph of a graph network; nil for other architectures.
    public let graph: GraphLayout?
    /// What stands between joints and the network's input.
    public let conditioning: Conditioning
    /// How the weights are held in memory: what `model.json` says, or what the caller of ``ModelRepository/load(_:precision:)``
    /// wants instead.
    public internal(set) var precision: Precision
    /// SHA-256 of the weights in lowercase hexadecimal; empty for solvers without weights.
    public let weightsSHA256: String
    /// What it was trained on; empty when unknown.
    public let trainingData: String
    /// The licence of the weights; empty when unknown.
    public let licence: String
    /// Whom to thank; empty when nobody asks for it.
    public let acknowledgement: String
    /// Errors by preset.
    public let evaluations: [Evaluation]
    /// What each reduced precision costs, where it was measured (`tools/train/precision_cost.py`).
    public internal(set) var precisionCosts: [PrecisionCost] = []
}
