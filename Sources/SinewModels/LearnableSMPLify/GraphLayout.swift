/// What the tensors of a Learnable SMPLify network do not say: its graph, its keypoints and the sizes of its layers.
///
/// The `graph` object of `model.json`. The released network (BODY-25 keypoints on the NTU graph, positions alone, joints averaged away)
/// and our own (29 joints, bones in the start pose's frame, confidence, every joint's features kept) differ in nothing else.
/// - Source: models.md §7.1–7.3.
public struct GraphLayout: Sendable, Equatable {
    /// What is known of a keypoint in a frame.
    public enum Features: String, Sendable, Equatable, CaseIterable {
        /// Its position in the human-centric frame, as published.
        case position
        /// The position, the bone from its parent in the start pose's frame of the parent, and how sure it is.
        case positionBoneConfidence = "position-bone-confidence"

        /// Numbers per keypoint and frame.
        package var width: Int {
            switch self {
            case .position: 3
            case .positionBoneConfidence: 7
            }
        }
    }

    /// How the keypoints' features become the head's input.
    public enum Pooling: String, Sendable, Equatable, CaseIterable {
        /// Their mean, as published.
        case mean
        /// All of them, one after the other.
        case flatten
    }

    /// A graph unit, a temporal unit and the way around both.
    public struct Block: Sendable, Equatable {
        /// Channels in.
        public let inputs: Int
        /// Channels out.
        public let outputs: Int
        /// The temporal stride; 2 makes one frame of two.
        public let stride: Int
    }

    /// An edge of the graph, keypoint to keypoint; the second is nearer to the middle.
    public struct Edge: Sendable, Equatable {
        /// The outer keypoint.
        public let outer: Int
        /// The inner keypoint.
        public let inner: Int
    }

    /// The keypoints that span the human-centric frame.
    public struct Frame: Sendable, Equatable {
        /// The origin, a middle of the hips.
        public let origin: Int
        /// The left hip.
        public let left: Int
        /// The right hip.
        public let right: Int
        /// The neck.
        public let top: Int
    }

    /// What is known of a keypoint.
    public let features: Features
    /// For each keypoint the joint of the 29 that stands for it, or that carries it.
    public let keypoints: [Int]
    /// For each keypoint how far it is from its joint, metres, in the joint's frame; empty where all keypoints are joints.
    ///
    /// What is observed are joints. In the start pose such a keypoint turns with its joint; in the target it is turned by the shortest turn
    /// of the joint's bone from start to target.
    public let offsets: [SIMD3<Double>]
    /// The graph.
    public let edges: [Edge]
    /// The human-centric frame.
    public let frame: Frame
    /// Channels before the first block.
    public let channels: Int
    /// The blocks, in order.
    public let blocks: [Block]
    /// Taps of the temporal convolutions in the file, an odd number; at most three of them ever meet a frame.
    public let temporalKernel: Int
    /// How features are brought together.
    public let pooling: Pooling
    /// Width of each joint's own layers.
    public let jointWidth: Int
    /// Joints that are turned, from joint 0; the others stay at rest.
    public let rotations: Int

    /// The head's input without the body: pooled features.
    var featureWidth: Int { blocks[blocks.count - 1].outputs * (pooling == .flatten ? keypoints.count : 1) }

    /// Rotation vectors of joints 1…23 and ten betas.
    package static let bodyWidth = 79
}
