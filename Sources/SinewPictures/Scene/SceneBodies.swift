package import SinewBody

/// The bodies that the people of a scene wear: each gender's once, each shape once.
package struct SceneBodies: Sendable {
    /// A shape: the vertices and joints of one body for ten coefficients.
    package struct Shape: Sendable {
        package var body: BodyModel
        package var betas: [Float]
        /// `[vertexCount, 3]` in the rest pose.
        package var vertices: [Float]
        /// `[29, 3]` in the rest pose.
        package var restJoints: [Float]
    }

    /// Distinct shapes in order of first use.
    package private(set) var shapes: [Shape] = []
    private var bodies: [Gender: BodyModel] = [:]

    package init() {}

    /// The index into ``shapes`` of a track's shape.
    ///
    /// - Throws: ``BodyError`` when the bundled body cannot be read.
    package mutating func shape(of track: PoseTrack) throws(BodyError) -> Int {
        try shape(gender: track.gender, betas: track.betas)
    }

    package mutating func shape(gender: Gender, betas: [Float]) throws(BodyError) -> Int {
        if let known = shapes.firstIndex(where: { $0.body.gender == gender && $0.betas == betas }) { return known }
        let body: BodyModel
        if let loaded = bodies[gender] {
            body = loaded
        } else {
            body = try BodyModel.bundled(gender)
            bodies[gender] = body
        }
        shapes.append(
            Shape(
                body: body, betas: betas, vertices: body.shapedVertices(betas: betas),
                restJoints: body.restJoints(betas: betas)))
        return shapes.count - 1
    }
}

/// Skinning weights as graphics programs take them: four joints per vertex.
package struct FourWeights: Sendable {
    /// `[vertexCount, 4]`, 0 where a vertex has fewer.
    package var joints: [UInt8]
    /// `[vertexCount, 4]`, each row sums to one.
    package var weights: [Float]

    /// Keeps the four largest weights of each vertex and lets them sum to one again.
    package init(_ body: BodyModel) {
        joints = []
        weights = []
        joints.reserveCapacity(body.vertexCount * 4)
        weights.reserveCapacity(body.vertexCount * 4)
        for vertex in 0..<body.vertexCount {
            let entries = body.skinning.entries(of: vertex).sorted {
                let (a, b) = (body.skinning.values[$0], body.skinning.values[$1])
                return a == b ? $0 < $1 : a > b
            }.prefix(4)
            let sum = entries.reduce(Float(0)) { $0 + body.skinning.values[$1] }
            for place in 0..<4 {
                let entry = place < entries.count ? entries[place] : nil
                joints.append(entry.map { UInt8(body.skinning.columns[$0]) } ?? 0)
                weights.append(entry.map { body.skinning.values[$0] / sum } ?? 0)
            }
        }
    }

    /// The weights in steps of 1/255, rows summing to exactly 255.
    package var bytes: [UInt8] {
        var bytes = weights.map { UInt8(($0 * 255).rounded()) }
        for row in stride(from: 0, to: bytes.count, by: 4) {
            let sum = bytes[row..<(row + 4)].reduce(0) { $0 + Int($1) }
            // The first is the largest and can take what rounding left over.
            bytes[row] = UInt8(Int(bytes[row]) + 255 - sum)
        }
        return bytes
    }
}
