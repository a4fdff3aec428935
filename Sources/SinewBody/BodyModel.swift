/// A shaped, skinned body on the SMPL skeleton: template, shape directions, joint regressor and skinning weights.
///
/// Loaded once and shared; nothing in it changes. The open body ships with the package (``bundled(_:)``), SMPL's own files are read by
/// ``init(smplLayoutNPZ:gender:)`` where the user has a licence for them.
/// - Frame: model frame: y up, the person faces +z, the person's left is +x. Metres.
public struct BodyModel: Sendable {
    /// The body's name, for example `open`.
    public let name: String
    /// Which of the three bodies it is.
    public let gender: Gender
    /// The licence of the data, as its file states it; empty when the file does not.
    public let licence: String
    /// Vertices of the mean shape in the rest pose, `[vertexCount, 3]`.
    public let template: [Float]
    /// How each shape coefficient moves each vertex, `[vertexCount, 3, 10]`.
    public let shapeDirections: [Float]
    /// How each of the 207 pose features moves each vertex, `[vertexCount, 3, 207]`; empty for bodies without.
    public let poseDirections: [Float]
    /// Triangles, `[faceCount, 3]` vertex indices.
    public let faces: [UInt32]
    /// The vertices of the five leaves: head top, left and right finger tip, left and right big toe.
    public let leafVertices: [Int]
    /// Joints from vertices, 24 rows.
    package let jointRegressor: SparseRows
    /// Vertices from joints, one row per vertex.
    package let skinning: SparseRows
    /// The 29 joints as a function of the shape.
    package let restJointTable: RestJointTable

    /// Shape coefficients that are read; files with more give their first ten.
    public static let shapeCount = 10
    /// Numbers of one person's pose feature: 23 local rotations minus the identity.
    public static let poseFeatureCount = 207

    /// The number of vertices.
    public var vertexCount: Int { template.count / 3 }

    /// Puts a body together from arrays that a loader has already checked against each other.
    package init(
        name: String, gender: Gender, licence: String, template: [Float], shapeDirections: [Float],
        poseDirections: [Float], faces: [UInt32], leafVertices: [Int], jointRegressor: SparseRows, skinning: SparseRows
    ) {
        self.name = name
        self.gender = gender
        self.licence = licence
        self.template = template
        self.shapeDirections = shapeDirections
        self.poseDirections = poseDirections
        self.faces = faces
        self.leafVertices = leafVertices
        self.jointRegressor = jointRegressor
        self.skinning = skinning

        // J(β) = J(0) + (regressor · directions) β: a table of 29×3×10 instead of the whole mesh per person (models.md §1.3).
        var joints = [Double](repeating: 0, count: 87)
        var directions = [Double](repeating: 0, count: 870)
        func add(vertex: Int, weight: Double, to joint: Int) {
            for axis in 0..<3 {
                joints[joint * 3 + axis] += weight * Double(template[vertex * 3 + axis])
                for beta in 0..<10 {
                    directions[(joint * 3 + axis) * 10 + beta] +=
                        weight * Double(shapeDirections[(vertex * 3 + axis) * 10 + beta])
                }
            }
        }
        for joint in 0..<Skeleton.rotationCount {
            for entry in jointRegressor.entries(of: joint) {
                add(vertex: jointRegressor.columns[entry], weight: Double(jointRegressor.values[entry]), to: joint)
            }
        }
        for (index, vertex) in leafVertices.enumerated() {
            add(vertex: vertex, weight: 1, to: Skeleton.rotationCount + index)
        }
        restJointTable = RestJointTable(template: joints, directions: directions)
    }

    /// The 29 joints of a shape in the rest pose.
    ///
    /// - Shape: `betas` at most 10 numbers (missing ones are zero) → `[29, 3]`.
    public func restJoints(betas: [Float]) -> [Float] {
        var joints = [Float](repeating: 0, count: 87)
        restJoints(betas: betas[...], into: &joints, at: 0)
        return joints
    }

    /// Writes the 29 rest joints of a shape to `joints[offset..<offset + 87]`.
    public func restJoints(betas: ArraySlice<Float>, into joints: inout [Float], at offset: Int) {
        restJointTable.write(betas: betas, into: &joints, at: offset)
    }

    /// The vertices of a shape in the rest pose, `[vertexCount, 3]`.
    public func shapedVertices(betas: [Float]) -> [Float] {
        precondition(betas.count <= Self.shapeCount, "a body has \(Self.shapeCount) shape coefficients")
        var vertices = template
        for index in vertices.indices {
            var offset: Float = 0
            for (beta, coefficient) in betas.enumerated() { offset += shapeDirections[index * 10 + beta] * coefficient }
            vertices[index] += offset
        }
        return vertices
    }
}
