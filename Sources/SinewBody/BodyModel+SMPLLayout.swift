package import SinewArrayFiles

extension BodyModel {
    /// The leaf vertices on SMPL's own mesh (models.md §1.1).
    private static let smplLeafVertices = [411, 2445, 5905, 3216, 6617]
    private static let smplVertexCount = 6890

    /// Imports an SMPL-layout `.npz`: `v_template`, `shapedirs`, `posedirs`, `J_regressor`, `weights`, `kintree_table`, `f`, and
    /// `leaf_vertex_ids` where the mesh is not SMPL's.
    ///
    /// Files with more than ten shape directions give their first ten. The body is named after the file.
    /// - Parameter gender: which body it is; nil asks the file's name (`…_female.npz`), then its `gender` array.
    /// - Throws: ``BodyError`` naming the file, the array, and what to do.
    public init(smplLayoutNPZ path: String, gender: Gender? = nil) throws(BodyError) {
        let file: NPZFile
        do throws(ArrayFileError) { file = try NPZFile(path: path) } catch { throw Self.bodyError(error) }
        try self.init(
            smplLayout: SMPLLayoutArrays(
                path: path, names: Set(file.names),
                array: { (name) throws(ArrayFileError) in
                    try file.array(name)
                }), gender: gender)
    }

    /// Imports the same arrays from wherever a reader found them; see ``init(smplLayoutNPZ:gender:)``.
    package init(smplLayout file: SMPLLayoutArrays, gender: Gender? = nil) throws(BodyError) {
        let parts: Parts
        do throws(ArrayFileError) {
            parts = try Self.parts(of: file, gender: gender)
        } catch {
            throw Self.bodyError(error)
        }
        try self.init(validating: parts, path: file.path)
    }

    private static func parts(of file: SMPLLayoutArrays, gender: Gender?) throws(ArrayFileError) -> Parts {
        func array(_ name: String, _ shape: [Int]) throws(ArrayFileError) -> NDArray {
            try file.array(name).expecting(shape: shape, name: "\"\(name)\" in \(file.path)")
        }
        let template = try array("v_template", [-1, 3])
        let vertexCount = template.shape[0]
        let regressor = try array("J_regressor", [24, vertexCount]).floats()
        let weights = try array("weights", [vertexCount, 24]).floats()
        guard (regressor + weights).allSatisfy(\.isFinite), weights.allSatisfy({ $0 >= 0 }) else {
            throw ArrayFileError(
                .wrongShape, "\(file.path): a regressor entry or skinning weight is negative or not finite")
        }
        let fileName = file.path.split(separator: "/").last.map(String.init) ?? file.path
        let chosen: Gender
        if let gender { chosen = gender } else { chosen = try Self.gender(of: file, fileName: fileName) }
        return Parts(
            name: [".npz", ".pkl"].contains { fileName.hasSuffix($0) } ? String(fileName.dropLast(4)) : fileName,
            gender: chosen, licence: "", template: try template.floats(),
            shapeDirections: try shapeDirections(of: file, vertexCount: vertexCount),
            poseDirections: try poseDirections(of: file, vertexCount: vertexCount),
            faces: try faceIndices(array("f", [-1, 3]), name: "\"f\" in \(file.path)"),
            leafVertices: try leafVertices(of: file, vertexCount: vertexCount),
            jointRegressor: SparseRows(dense: regressor, columnCount: vertexCount),
            skinning: SparseRows(dense: weights, columnCount: 24),
            parents: try parents(of: array("kintree_table", [2, 24])))
    }

    private static func shapeDirections(of file: SMPLLayoutArrays, vertexCount: Int) throws(ArrayFileError) -> [Float] {
        let name = "\"shapedirs\" in \(file.path)"
        let array = try file.array("shapedirs").expecting(shape: [vertexCount, 3, -1], name: name)
        let available = array.shape[2]
        guard available >= shapeCount else {
            throw ArrayFileError(.wrongShape, "\(name) has \(available) shape directions; \(shapeCount) are needed")
        }
        let values = try array.floats()
        guard available > shapeCount else { return values }
        return (0..<(vertexCount * 3)).flatMap { values[($0 * available)..<($0 * available + shapeCount)] }
    }

    private static func poseDirections(of file: SMPLLayoutArrays, vertexCount: Int) throws(ArrayFileError) -> [Float] {
        guard file.contains("posedirs") else { return [] }
        let array = try file.array("posedirs")
        if array.shape == [vertexCount, 3, 0] { return [] }
        return try array.expecting(shape: [vertexCount, 3, poseFeatureCount], name: "\"posedirs\" in \(file.path)")
            .floats()
    }

    private static func leafVertices(of file: SMPLLayoutArrays, vertexCount: Int) throws(ArrayFileError) -> [Int] {
        if file.contains("leaf_vertex_ids") {
            return try file.array("leaf_vertex_ids")
                .expecting(shape: [5], name: "\"leaf_vertex_ids\" in \(file.path)").ints()
        }
        guard vertexCount == smplVertexCount else {
            throw ArrayFileError(
                .wrongShape,
                "\(file.path) has \(vertexCount) vertices, not SMPL's \(smplVertexCount), and no \"leaf_vertex_ids\"; add the five "
                    + "vertices of head top, left and right finger tip, left and right big toe under that name")
        }
        return smplLeafVertices
    }

    private static func parents(of table: NDArray) throws(ArrayFileError) -> [Int] {
        var parents = Array(try table.ints()[..<24])
        // SMPL's files store the root's missing parent as 2³² − 1.
        if parents[0] == 0xFFFF_FFFF { parents[0] = -1 }
        return parents
    }

    private static func gender(of file: SMPLLayoutArrays, fileName: String) throws(ArrayFileError) -> Gender {
        let name = fileName.lowercased()
        // "female" contains "male", so it is looked for first.
        for gender in [Gender.female, .male, .neutral] where name.contains(gender.rawValue) { return gender }
        if file.contains("gender"), let gender = Gender(rawValue: try file.array("gender").strings().first ?? "") {
            return gender
        }
        throw ArrayFileError(
            .wrongShape, "\(file.path) does not say its gender; name it …_neutral.npz, …_female.npz or …_male.npz")
    }
}

/// The named arrays of a file in SMPL's layout, read when they are asked for.
package struct SMPLLayoutArrays: Sendable {
    /// What messages call the file.
    package let path: String
    private let names: Set<String>
    private let read: @Sendable (String) throws(ArrayFileError) -> NDArray

    /// Creates a view of a file's arrays.
    ///
    /// - Parameter array: reads one of `names`; its error names the file.
    package init(
        path: String, names: Set<String>, array: @escaping @Sendable (String) throws(ArrayFileError) -> NDArray
    ) {
        self.path = path
        self.names = names
        read = array
    }

    func contains(_ name: String) -> Bool { names.contains(name) }

    func array(_ name: String) throws(ArrayFileError) -> NDArray { try read(name) }
}
