internal import SinewArrayFiles

extension BodyModel {
    /// The format that ``write(safetensors:)`` writes and ``init(safetensors:)`` reads.
    private static let format = "sinew-body/1"

    /// Reads a body file.
    ///
    /// - Throws: ``BodyError`` naming the file and what is wrong with it.
    public init(safetensors path: String) throws(BodyError) {
        do throws(ArrayFileError) {
            let file = try SafetensorsFile(path: path)
            let parts = try Self.parts(of: file)
            try self.init(parts: parts, path: path)
        } catch {
            throw Self.bodyError(error)
        }
    }

    /// Validation has its own error type; this carries it through a reader's.
    private init(parts: Parts, path: String) throws(ArrayFileError) {
        do throws(BodyError) {
            try self.init(validating: parts, path: path)
        } catch {
            throw ArrayFileError(.wrongShape, error.message)
        }
    }

    private static func parts(of file: SafetensorsFile) throws(ArrayFileError) -> Parts {
        guard file.metadata["format"] == format else {
            throw ArrayFileError(
                .wrongShape,
                "\(file.path) is no body file: its metadata says format \"\(file.metadata["format"] ?? "")\", not \"\(format)\""
            )
        }
        guard let gender = Gender(rawValue: file.metadata["gender"] ?? "") else {
            throw ArrayFileError(
                .wrongShape,
                "\(file.path) has the gender \"\(file.metadata["gender"] ?? "")\"; it must be neutral, female or male")
        }
        func tensor(_ name: String, _ shape: [Int]) throws(ArrayFileError) -> NDArray {
            try file.tensor(name).expecting(shape: shape, name: "tensor \"\(name)\" in \(file.path)")
        }
        let template = try tensor("template", [-1, 3])
        let vertexCount = template.shape[0]
        let poseDirections =
            file.contains("pose_directions")
            ? try tensor("pose_directions", [vertexCount, 3, poseFeatureCount]).floats() : []
        let regressor = SparseRows(
            rowStarts: try tensor("joint_regressor.row_starts", [25]).ints(),
            columns: try tensor("joint_regressor.columns", [-1]).ints(),
            values: try tensor("joint_regressor.values", [-1]).floats(), rowCount: 24, columnCount: vertexCount)
        let skinning = SparseRows(
            rowStarts: try tensor("skinning.row_starts", [vertexCount + 1]).ints(),
            columns: try tensor("skinning.joints", [-1]).ints(),
            values: try tensor("skinning.weights", [-1]).floats(), rowCount: vertexCount, columnCount: 24)
        guard let regressor, let skinning else {
            throw ArrayFileError(.wrongShape, "\(file.path): the sparse rows of regressor or skinning are inconsistent")
        }
        return Parts(
            name: file.metadata["name"] ?? "", gender: gender, licence: file.metadata["licence"] ?? "",
            template: try template.floats(),
            shapeDirections: try tensor("shape_directions", [vertexCount, 3, shapeCount]).floats(),
            poseDirections: poseDirections,
            faces: try faceIndices(tensor("faces", [-1, 3]), name: "tensor \"faces\" in \(file.path)"),
            leafVertices: try tensor("leaf_vertices", [5]).ints(), jointRegressor: regressor, skinning: skinning,
            parents: try tensor("parents", [24]).ints())
    }

    /// Writes the body to a file that ``init(safetensors:)`` reads; it appears complete or not at all.
    public func write(safetensors path: String) throws(BodyError) {
        func int32(_ values: [Int]) -> NDArray { .int32(values.map(Int32.init), shape: [values.count]) }
        var tensors: [(name: String, array: NDArray)] = [
            ("template", .float32(template, shape: [vertexCount, 3])),
            ("shape_directions", .float32(shapeDirections, shape: [vertexCount, 3, Self.shapeCount])),
            ("joint_regressor.row_starts", int32(jointRegressor.rowStarts)),
            ("joint_regressor.columns", int32(jointRegressor.columns)),
            ("joint_regressor.values", .float32(jointRegressor.values, shape: [jointRegressor.values.count])),
            ("skinning.row_starts", int32(skinning.rowStarts)),
            ("skinning.joints", .uint8(skinning.columns.map(UInt8.init), shape: [skinning.columns.count])),
            ("skinning.weights", .float32(skinning.values, shape: [skinning.values.count])),
            ("parents", int32(Skeleton.smpl24.parents)),
            ("faces", .int32(faces.map { Int32(bitPattern: $0) }, shape: [faces.count / 3, 3])),
            ("leaf_vertices", int32(leafVertices)),
        ]
        if !poseDirections.isEmpty {
            let shape = [vertexCount, 3, Self.poseFeatureCount]
            tensors.append(("pose_directions", .float32(poseDirections, shape: shape)))
        }
        do throws(ArrayFileError) {
            try SafetensorsFile.write(
                tensors,
                metadata: [
                    ("format", Self.format), ("name", name), ("gender", gender.rawValue), ("licence", licence),
                ], to: path)
        } catch {
            throw Self.bodyError(error)
        }
    }
}
