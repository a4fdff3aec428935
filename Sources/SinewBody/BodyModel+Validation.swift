internal import SinewArrayFiles

extension BodyModel {
    /// The arrays of a body as a loader found them, before anything is known about them.
    struct Parts {
        var name: String
        var gender: Gender
        var licence: String
        var template: [Float]
        var shapeDirections: [Float]
        var poseDirections: [Float]
        var faces: [UInt32]
        var leafVertices: [Int]
        var jointRegressor: SparseRows
        var skinning: SparseRows
        var parents: [Int]
    }

    /// Checks what every body must satisfy, so that nothing later can fail or read outside an array.
    ///
    /// - Parameter path: where the arrays came from, for messages.
    init(validating parts: Parts, path: String) throws(BodyError) {
        func invalid(_ what: String) -> BodyError { BodyError(.invalidBody, "\(path) is no usable body: \(what)") }
        let vertexCount = parts.template.count / 3
        guard vertexCount > 0, (parts.template + parts.shapeDirections + parts.poseDirections).allSatisfy(\.isFinite)
        else { throw invalid("a vertex or a direction is not a finite number") }
        guard parts.parents == Skeleton.smpl24.parents else {
            throw invalid("its joints are not SMPL's 24-joint tree; only bodies on that tree are read")
        }
        guard parts.leafVertices.count == 5, parts.leafVertices.allSatisfy({ (0..<vertexCount).contains($0) }) else {
            throw invalid("its five leaf vertices \(parts.leafVertices) must lie in 0..<\(vertexCount)")
        }
        if let face = parts.faces.firstIndex(where: { $0 >= vertexCount }) {
            throw invalid("face \(face / 3) names vertex \(parts.faces[face]) of \(vertexCount)")
        }
        guard parts.jointRegressor.rowCount == 24, parts.skinning.rowCount == vertexCount else {
            throw invalid("regressor or skinning weights have the wrong number of rows")
        }
        for joint in 0..<24 where abs(parts.jointRegressor.sum(of: joint) - 1) > 1e-3 {
            let sum = parts.jointRegressor.sum(of: joint)
            throw invalid("the regressor row of \(Skeleton.smpl24.jointNames[joint]) sums to \(sum) instead of 1")
        }
        for vertex in 0..<vertexCount where abs(parts.skinning.sum(of: vertex) - 1) > 1e-3 {
            throw invalid(
                "the skinning weights of vertex \(vertex) sum to \(parts.skinning.sum(of: vertex)) instead of 1")
        }
        self.init(
            name: parts.name, gender: parts.gender, licence: parts.licence, template: parts.template,
            shapeDirections: parts.shapeDirections, poseDirections: parts.poseDirections, faces: parts.faces,
            leafVertices: parts.leafVertices, jointRegressor: parts.jointRegressor, skinning: parts.skinning)
        let rest = restJoints(betas: [])
        for joint in 1..<Skeleton.positionCount {
            let parent = Skeleton.smpl29.parents[joint]
            let bone = length(rest.vector(at: joint * 3) - rest.vector(at: parent * 3))
            let name = Skeleton.smpl29.jointNames[joint]
            guard bone > 1e-4 else { throw invalid("the bone to \(name) has no length") }
            guard bone < 2 else {
                throw invalid("the bone to \(name) is \(bone) m long; bodies are in metres")
            }
        }
    }

    /// Rewords a file error as a body error.
    static func bodyError(_ error: ArrayFileError) -> BodyError {
        switch error.reason {
        case .missingFile: BodyError(.missingFile, error.message)
        case .wrongShape: BodyError(.invalidBody, error.message)
        case .truncated, .malformed, .unsupported, .io: BodyError(.unusableFile, error.message)
        }
    }

    /// Face indices as a file gives them, negative ones and those beyond 32 bits refused.
    static func faceIndices(_ array: NDArray, name: String) throws(ArrayFileError) -> [UInt32] {
        try array.expecting(shape: [-1, 3], name: name)
        var faces: [UInt32] = []
        faces.reserveCapacity(array.count)
        for value in try array.ints() {
            guard let index = UInt32(exactly: value) else {
                throw ArrayFileError(.malformed, "\(name) holds the vertex index \(value)")
            }
            faces.append(index)
        }
        return faces
    }
}
