/// Poses a body's mesh: shape, pose blend shapes where the body has them, then linear blend skinning.
///
/// - Source: models.md §1.3.
public struct LinearBlendSkinning: Sendable {
    private let body: BodyModel
    /// Four coordinates of the mesh to a group: the template, and what the coefficients and the pose features add to it. A group's
    /// entries lie one after the other, in the order in which they are summed.
    private let template: [SIMD4<Float>]
    private let shapeDirections: [SIMD4<Float>]
    private let poseDirections: [SIMD4<Float>]

    /// Prepares a body.
    ///
    /// - Cost: copies the body's directions into another order.
    public init(_ body: BodyModel) {
        self.body = body
        template = Self.grouped(body.template, entryCount: 1)
        shapeDirections = Self.grouped(body.shapeDirections, entryCount: BodyModel.shapeCount)
        poseDirections = Self.grouped(body.poseDirections, entryCount: BodyModel.poseFeatureCount)
    }

    /// `[n, entryCount]` to groups of four rows, `[n / 4, entryCount]`; the last group is filled up with zeros.
    private static func grouped(_ values: [Float], entryCount: Int) -> [SIMD4<Float>] {
        let rowCount = values.count / entryCount
        var groups = [SIMD4<Float>](repeating: .zero, count: (rowCount + 3) / 4 * entryCount)
        for row in 0..<rowCount {
            for entry in 0..<entryCount {
                groups[row / 4 * entryCount + entry][row % 4] = values[row * entryCount + entry]
            }
        }
        return groups
    }

    /// The posed mesh of one person.
    ///
    /// - Shape: `rotations` `[24, 3, 3]` row-major, parent-relative; `betas` at most 10 → `[vertexCount, 3]`, metres.
    /// - Cost: one pass over the vertices; pose blend shapes, where there are any, dominate (207 per coordinate).
    public func vertices(
        rotations: [Float], betas: [Float], translation: SIMD3<Float> = .zero
    ) -> [Float] {
        let pose = Pose(body: body, rotations: rotations, betas: betas)
        let count = body.vertexCount * 3
        var result = [Float](repeating: 0, count: count)
        for group in template.indices {
            let values = shaped(group: group, pose: pose)
            for lane in 0..<min(4, count - group * 4) { result[group * 4 + lane] = values[lane] }
        }
        let offset = SIMD4<Float>(translation, 0)
        for vertex in 0..<body.vertexCount {
            let index = vertex * 3
            let point = skinned(
                SIMD3(result[index], result[index + 1], result[index + 2]), vertex: vertex, pose: pose)
            let moved = point + offset
            for axis in 0..<3 { result[index + axis] = moved[axis] }
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
            var rest = SIMD3<Float>.zero
            for axis in 0..<3 {
                let coordinate = vertex * 3 + axis
                rest[axis] = shaped(group: coordinate / 4, pose: pose)[coordinate % 4]
            }
            let point = skinned(rest, vertex: vertex, pose: pose)
            for axis in 0..<3 { joints[(Skeleton.rotationCount + index) * 3 + axis] = point[axis] }
        }
        return joints
    }

    /// What all vertices of one pose share.
    private struct Pose {
        let betas: [Float]
        let chain: ForwardKinematics.Chain
        /// The four columns of each 3×4 transform `A_i` from rest vertices to posed vertices; the fourth entries are not used.
        let columns: [SIMD4<Float>]
        /// `R_i − I` of joints 1…23, row-major; empty when the body has no pose directions.
        let feature: [Float]

        init(body: BodyModel, rotations: [Float], betas: [Float]) {
            precondition(rotations.count == 216 && betas.count <= BodyModel.shapeCount)
            let rest = body.restJoints(betas: betas)
            let chain = ForwardKinematics.Chain(rotations: rotations, rest: rest)
            self.betas = betas
            self.chain = chain
            var columns: [SIMD4<Float>] = []
            columns.reserveCapacity(4 * Skeleton.rotationCount)
            for joint in 0..<Skeleton.rotationCount {
                let matrix = chain.globals[joint]
                let offset = chain.positions[joint] - matrix * rest.vector(at: joint * 3)
                let (x, y, z) = matrix.columns
                for column in [x, y, z, offset] { columns.append(SIMD4(SIMD4(column, 0))) }
            }
            self.columns = columns
            if body.poseDirections.isEmpty {
                feature = []
            } else {
                feature = (9..<216).map { rotations[$0] - ($0 % 9 % 4 == 0 ? 1 : 0) }
            }
        }
    }

    /// Four coordinates of the shaped mesh, pose blend shapes included.
    @inline(__always)
    private func shaped(group: Int, pose: Pose) -> SIMD4<Float> {
        var values = template[group]
        var entry = group * BodyModel.shapeCount
        for coefficient in pose.betas {
            values += shapeDirections[entry] * coefficient
            entry += 1
        }
        entry = group * BodyModel.poseFeatureCount
        for amount in pose.feature {
            values += poseDirections[entry] * amount
            entry += 1
        }
        return values
    }

    /// A vertex moved by its joints; the fourth entry means nothing.
    @inline(__always)
    private func skinned(_ rest: SIMD3<Float>, vertex: Int, pose: Pose) -> SIMD4<Float> {
        var (x, y, z, offset) = (SIMD4<Float>.zero, SIMD4<Float>.zero, SIMD4<Float>.zero, SIMD4<Float>.zero)
        for entry in body.skinning.entries(of: vertex) {
            let column = body.skinning.columns[entry] * 4
            let weight = body.skinning.values[entry]
            x += weight * pose.columns[column]
            y += weight * pose.columns[column + 1]
            z += weight * pose.columns[column + 2]
            offset += weight * pose.columns[column + 3]
        }
        return (x * rest.x + y * rest.y) + (z * rest.z + offset)
    }
}
