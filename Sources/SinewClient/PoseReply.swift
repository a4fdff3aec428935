/// The poses of a request, row by row in its order.
///
/// - Shape: `theta` `[count, 24, 3]`, `translation` `[count, 3]`, `joints` `[count, 29, 3]`, one entry per person in each
///   quality array; all row-major.
/// - Frame: the request's; forward kinematics of `theta` and the person's beta, plus `translation`, gives `joints`.
public struct PoseReply: Sendable, Equatable {
    /// One call's part in the reply.
    public struct Part: Sendable, Equatable {
        /// The people it holds, as rows of the request.
        public let rows: Range<Int>
        /// The worker that solved them.
        public let worker: String
        /// How many people were solved together, other callers' included.
        public let batchSize: Int
        /// How long they waited in the worker.
        public let queueDuration: Duration
        /// How long their batch was computed.
        public let computeDuration: Duration
        /// The version of the model that answered.
        public let modelVersion: String
        /// SHA-256 of its weights in lowercase hexadecimal; empty for solvers without weights.
        public let weightsSHA256: String
        /// How long each stage took; nil unless ``CallTracing/wantsTimings`` was set.
        public internal(set) var trace: CallTrace?
    }

    /// The number of people.
    public internal(set) var count: Int
    /// Parent-relative axis-angle, radians; joint 0 is the global orientation.
    public internal(set) var theta: [Float] = []
    /// SMPL `transl`, metres.
    public internal(set) var translation: [Float] = []
    /// The joints of the solved pose, metres.
    public internal(set) var joints: [Float] = []
    /// Norm of the latent error code; 0 for solvers without one.
    public internal(set) var latentNorm: [Float] = []
    /// Mean distance of observed and solved joints after pelvis alignment, millimetres; after effectors the weighted mean distance of
    /// the positional ones from their joints, without alignment.
    public internal(set) var jointResidualMillimetres: [Float] = []
    /// Weighted mean angle by which rotation and look-at effectors are missed, radians; 0 where there were none.
    public internal(set) var orientationResidualRadians: [Float] = []
    /// Largest relative difference between an observed bone's length and the body's.
    public internal(set) var boneLengthChange: [Float] = []
    /// How many of the 29 joints were not observed.
    public internal(set) var unobservedJoints: [Int32] = []
    /// What became of the start pose: 0 the pose is the solver's answer, 1 it is the start pose, which fits the joints better than the
    /// answer, 2 the person was lost and the solver began anew. 0 for models that start from nothing.
    public internal(set) var outcome: [Int32] = []
    /// The people that were not solved, in ascending order; their rows are zero. `item` is a row of the request.
    public internal(set) var itemErrors: [ItemError] = []
    /// The model that answered.
    public internal(set) var model = ""
    /// The calls that the reply was put together from, in row order.
    public internal(set) var parts: [Part] = []
}

extension PoseReply {
    /// A reply with zeroed rows, to be filled by ``fill(_:with:)``.
    init(zeroed count: Int) {
        self.count = count
        theta = Array(repeating: 0, count: count * 72)
        translation = Array(repeating: 0, count: count * 3)
        joints = Array(repeating: 0, count: count * 87)
        latentNorm = Array(repeating: 0, count: count)
        jointResidualMillimetres = Array(repeating: 0, count: count)
        orientationResidualRadians = Array(repeating: 0, count: count)
        boneLengthChange = Array(repeating: 0, count: count)
        unobservedJoints = Array(repeating: 0, count: count)
        outcome = Array(repeating: 0, count: count)
    }

    /// The reply of one call.
    ///
    /// The broker forwards results unread, so a worker that lies is found out here.
    /// - Parameter rows: the people of the call, as rows of the whole request.
    /// - Throws: ``ClientError`` with code `malformedReply` that names the worker, when a shape is not what the method promises or a
    ///   number of a pose is a NaN or an infinity.
    init(_ message: SolvePosesReply, rows: Range<Int>) throws(ClientError) {
        let n = rows.count
        let worker = message.worker
        count = n
        theta = try Self.floats(message.theta, [n, 24, 3], "theta", of: worker)
        translation = try Self.floats(message.translation, [n, 3], "translation", of: worker)
        joints = try Self.floats(message.joints, [n, 29, 3], "joints", of: worker)
        latentNorm = try Self.entries(message.quality.latentNorm, n, "quality.latent_norm", of: worker)
        jointResidualMillimetres = try Self.entries(
            message.quality.jointResidualMillimetres, n, "quality.joint_residual_mm", of: worker)
        let turned = message.quality.orientationResidualRad
        // A worker from before this field sends none.
        orientationResidualRadians =
            turned.isEmpty
            ? Array(repeating: 0, count: n)
            : try Self.entries(turned, n, "quality.orientation_residual_rad", of: worker)
        boneLengthChange = try Self.entries(
            message.quality.boneLengthChange, n, "quality.bone_length_change", of: worker)
        unobservedJoints = try Self.entries(
            message.quality.unobservedJoints, n, "quality.unobserved_joints", of: worker)
        // Workers from before the field say nothing, and start from nothing.
        let outcome = message.quality.outcome
        self.outcome =
            outcome.isEmpty
            ? Array(repeating: 0, count: n) : try Self.entries(outcome, n, "quality.outcome", of: worker)
        for var error in message.itemErrors {
            guard error.item < n else {
                throw ClientError(
                    .malformedReply, "an item error about person \(error.item) of \(n); worker \(message.worker)")
            }
            error.item += UInt32(rows.lowerBound)
            itemErrors.append(error)
        }
        model = message.model
        parts = [
            Part(
                rows: rows, worker: message.worker, batchSize: Int(message.batchSize),
                queueDuration: .microseconds(Int64(clamping: message.queueMicroseconds)),
                computeDuration: .microseconds(Int64(clamping: message.computeMicroseconds)),
                modelVersion: message.modelVersion, weightsSHA256: message.weightsSHA256)
        ]
    }

    /// Puts the rows of a part where they belong.
    mutating func fill(_ rows: Range<Int>, with part: PoseReply) {
        func put<Element>(_ values: [Element], into target: inout [Element], _ columns: Int) {
            target.replaceSubrange(rows.lowerBound * columns..<rows.upperBound * columns, with: values)
        }
        put(part.theta, into: &theta, 72)
        put(part.translation, into: &translation, 3)
        put(part.joints, into: &joints, 87)
        put(part.latentNorm, into: &latentNorm, 1)
        put(part.jointResidualMillimetres, into: &jointResidualMillimetres, 1)
        put(part.orientationResidualRadians, into: &orientationResidualRadians, 1)
        put(part.boneLengthChange, into: &boneLengthChange, 1)
        put(part.unobservedJoints, into: &unobservedJoints, 1)
        put(part.outcome, into: &outcome, 1)
        itemErrors += part.itemErrors
        itemErrors.sort { $0.item < $1.item }
        model = part.model
        parts += part.parts
        parts.sort { $0.rows.lowerBound < $1.rows.lowerBound }
    }

    private static func floats(
        _ tensor: Tensor, _ shape: [Int], _ field: String, of worker: String
    ) throws(ClientError) -> [Float] {
        guard tensor.shape == shape, let values = tensor.floats else {
            throw ClientError(
                .malformedReply,
                "\(field) came as \(tensor.typeAndShape), float32 \(shape) was expected; worker \(worker)", field: field
            )
        }
        if let place = values.firstIndex(where: { !$0.isFinite }) {
            let person = place / max(1, values.count / max(1, shape[0]))
            throw ClientError(
                .malformedReply,
                "\(field) of person \(person) came with \(values[place]), which is no pose; worker \(worker)",
                field: field)
        }
        return values
    }

    private static func entries<Element>(
        _ values: [Element], _ count: Int, _ field: String, of worker: String
    ) throws(ClientError) -> [Element] {
        guard values.count == count else {
            throw ClientError(
                .malformedReply, "\(field) came with \(values.count) entries for \(count) people; worker \(worker)",
                field: field)
        }
        return values
    }
}
