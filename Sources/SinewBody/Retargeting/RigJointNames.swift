/// Which joint of SMPL a rig's joint is, told by its name.
///
/// Knows SMPL's own names, and the words of Mixamo, BVH from CMU's asf files, Unity, Unreal, Blender and VRM rigs with any mark of the side.
package enum RigJointNames {
    private enum Side { case left, right, middle }

    /// The SMPL joint of each of the rig's joints; nil where the name says nothing or a better one says the same.
    static func matches(_ names: [String], parents: [Int]) -> [Int?] {
        let exact = names.map { Skeleton.smpl24.index(of: $0) }
        // A file that uses SMPL's names uses them in SMPL's sense: left_foot is the joint below left_ankle.
        if exact.count(where: { $0 != nil }) >= 18 { return exact }
        let parsed = names.map(parse)
        var found = [Int?](repeating: nil, count: names.count)
        var taken: Set<Int> = []
        func take(_ joint: Int, _ candidates: [Int]) {
            guard let rigJoint = candidates.first(where: { found[$0] == nil }), taken.insert(joint).inserted else {
                return
            }
            found[rigJoint] = joint
        }
        func named(_ side: Side, _ stems: [String]) -> [Int] {
            stems.flatMap { stem in parsed.indices.filter { parsed[$0].side == side && parsed[$0].stem == stem } }
        }
        take(0, named(.middle, ["pelvis", "hips", "hip", "root"]))
        take(12, named(.middle, ["neck", "neck1", "neck01", "lowerneck"]))
        take(15, named(.middle, ["head"]))
        for (side, offset) in [(Side.left, 0), (.right, 1)] {
            take(1 + offset, named(side, ["hip", "upleg", "upperleg", "thigh", "femur", "legupper"]))
            take(4 + offset, named(side, ["knee", "leg", "lowerleg", "shin", "calf", "tibia", "leglower"]))
            take(7 + offset, named(side, ["ankle", "foot"]))
            take(10 + offset, named(side, ["foot", "toebase", "toes", "toe", "ball"]))
            // "Shoulder" is the collar where another joint is the arm.
            take(16 + offset, named(side, ["upperarm", "uparm", "arm", "humerus", "armupper", "shldr", "shoulder"]))
            take(13 + offset, named(side, ["collar", "clavicle", "shoulder"]))
            take(18 + offset, named(side, ["elbow", "forearm", "lowerarm", "radius", "armlower"]))
            take(20 + offset, named(side, ["wrist", "hand"]))
            take(22 + offset, named(side, ["hand", "handmiddle1", "middle1", "middle01", "middleproximal", "fingers"]))
        }
        for (rigJoint, joint) in spine(
            parsed.map(\.stem), sides: parsed.map { $0.side == .middle }, parents: parents, found)
        {
            if taken.insert(joint).inserted { found[rigJoint] = joint }
        }
        return found
    }

    /// The joints between pelvis and neck, by depth: three or more are the lowest, a middle one and the highest; two the lowest and the
    /// highest; a single one is the highest, because the arms hang on it.
    private static func spine(
        _ stems: [String], sides: [Bool], parents: [Int], _ found: [Int?]
    ) -> [(Int, Int)] {
        let words = ["spine", "chest", "torso", "back", "thorax", "abdomen", "waist"]
        let chain = stems.indices.filter { index in
            found[index] == nil && sides[index] && words.contains { stems[index].contains($0) }
        }
        guard let last = chain.last else { return [] }
        // Only what lies on the way from the last one to the root: other joints may be named after the chest, too.
        var path: [Int] = []
        var at = last
        while at >= 0 {
            if chain.contains(at) { path.insert(at, at: 0) }
            at = parents[at]
        }
        switch path.count {
        case 1: return [(path[0], 9)]
        case 2: return [(path[0], 3), (path[1], 9)]
        case let count: return [(path[0], 3), (path[count / 2], 6), (path[count - 1], 9)]
        }
    }

    /// Side and bare word of a name: `mixamorig:LeftUpLeg`, `thigh_l`, `Bip01 L Thigh`, `lfemur`, `J_Bip_L_UpperLeg`.
    private static func parse(_ name: String) -> (side: Side, stem: String) {
        let own = name.split(separator: ":").last.map(String.init) ?? name
        var words = words(of: own).filter {
            !["j", "bip", "bip01", "bip001", "def", "c", "m", "mixamorig"].contains($0)
        }
        var side = Side.middle
        for (word, meant) in [("left", Side.left), ("right", .right), ("l", .left), ("r", .right)] {
            if let index = words.firstIndex(of: word) {
                side = meant
                words.remove(at: index)
                break
            }
        }
        var stem = words.joined()
        if side == .middle {
            for (mark, meant) in [("left", Side.left), ("right", .right)] where stem.hasPrefix(mark) {
                side = meant
                stem = String(stem.dropFirst(mark.count))
            }
        }
        let short = [
            "femur", "tibia", "foot", "toes", "clavicle", "humerus", "radius", "wrist", "hand", "thigh", "shin", "hip",
            "knee",
            "ankle", "collar", "shoulder", "elbow", "fingers",
        ]
        if side == .middle, let first = stem.first, first == "l" || first == "r",
            short.contains(String(stem.dropFirst()))
        {
            side = first == "l" ? .left : .right
            stem = String(stem.dropFirst())
        }
        return (side, stem)
    }

    /// Lower-case words: split at anything but letters and digits, and where a small letter is followed by a capital.
    package static func words(of name: String) -> [String] {
        var words: [String] = []
        var word = ""
        var previousIsSmall = false
        for character in name {
            let isPart = character.isASCII && (character.isLetter || character.isNumber)
            if !isPart || (character.isUppercase && previousIsSmall) {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if isPart { word.append(contentsOf: character.lowercased()) }
            previousIsSmall = character.isLowercase
        }
        if !word.isEmpty { words.append(word) }
        return words
    }
}
