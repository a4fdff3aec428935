/// Poses a body's mesh: shape, pose blend shapes where the body has them, then linear blend skinning.
///
/// - Source: models.md §1.3.
public struct LinearBlendSkinning: Sendable {
    private let body: BodyModel

    /// Prepares a body.
    public init(_ body: BodyModel) { self.body = body }

    /// The posed mesh of one person.
    ///
    /// - Shape: `rotations` `[24, 3, 3]` row-major, parent-relative; `betas` at most 10 → `[vertexCount, 3]`, metres.
    /// - Cost: one pass over the vertices; pose blend shapes, where there are any, dominate (207 per coordinate).
    public func vertices(
        rotations: [Float], betas: [Float], translation: SIMD3<Float> = .zero
    ) -> [Float] {
        let pose = Pose(body: body, rotations: rotations, betas: betas)
        var result = [Float](repeating: 0, count: body.vertexCount * 3)
        for vertex in 0..<body.vertexCount {
            let point = position(of: vertex, pose: pose) + translation
            for axis in 0..<3 { result[vertex * 3 + axis] = point[axis] }
        }
        return result
    }

    /// The 29 joints of one person with leaves that lie exactly on the skinned mesh.
    ///
    /// - Cost: five vertices instead of the whole mesh.
    public func joints(rotations: [Float], betas: [Float]) -> [Float] {
        let pose = Pose(body: body, rotations: rotations, betas: betas)
        var joints = [Float](repeating: 0, count: 87)
        for joint in 0..<Skeleton.rotationCount { joints.store(pose.chain.positions[joint], at: joint * 3) }
        for (index, vertex) in body.leafVertices.enumerated() {
            let point = position(of: vertex, pose: pose)
            for axis in 0..<3 { joints[(Skeleton.rotationCount + index) * 3 + axis] = point[axis] }
        }
        return joints
    }

    /// What all vertices of one pose share.
    private struct Pose {
        let betas: [Float]
        let chain: ForwardKinematics.Chain
        /// Rows of the 3×4 transforms `A_i` from rest vertices to posed vertices.
        let transforms: [(SIMD4<Float>, SIMD4<Float>, SIMD4<Float>)]
        /// `R_i − I` of joints 1…23, row-major; empty when the body has no pose directions.
        let feature: [Float]

        init(body: BodyModel, rotations: [Float], betas: [Float]) {
            precondition(rotations.count == 216 && betas.count <= BodyModel.shapeCount)
            let rest = body.restJoints(betas: betas)
            let chain = ForwardKinematics.Chain(rotations: rotations, rest: rest)
            self.betas = betas
            self.chain = chain
            transforms = (0..<Skeleton.rotationCount).map { joint in
                let matrix = chain.globals[joint]
                let offset = chain.positions[joint] - matrix * rest.vector(at: joint * 3)
                return (
                    SIMD4(SIMD4(matrix.row0, offset.x)), SIMD4(SIMD4(matrix.row1, offset.y)),
                    SIMD4(SIMD4(matrix.row2, offset.z))
                )
            }
            if body.poseDirections.isEmpty {
                feature = []
            } else {
                feature = (9..<216).map { rotations[$0] - ($0 % 9 % 4 == 0 ? 1 : 0) }
            }
        }
    }

    private func position(of vertex: Int, pose: Pose) -> SIMD3<Float> {
        var point = SIMD4<Float>(0, 0, 0, 1)
        for axis in 0..<3 {
            let index = vertex * 3 + axis
            var value = body.template[index]
            for (beta, coefficient) in pose.betas.enumerated() {
                value += body.shapeDirections[index * BodyModel.shapeCount + beta] * coefficient
            }
            for (entry, amount) in pose.feature.enumerated() {
                value += body.poseDirections[index * BodyModel.poseFeatureCount + entry] * amount
            }
            point[axis] = value
        }
        var (row0, row1, row2) = (SIMD4<Float>.zero, SIMD4<Float>.zero, SIMD4<Float>.zero)
        for entry in body.skinning.entries(of: vertex) {
            let transform = pose.transforms[body.skinning.columns[entry]]
            let weight = body.skinning.values[entry]
            row0 += weight * transform.0
            row1 += weight * transform.1
            row2 += weight * transform.2
        }
        return SIMD3((row0 * point).sum(), (row1 * point).sum(), (row2 * point).sum())
    }
}
