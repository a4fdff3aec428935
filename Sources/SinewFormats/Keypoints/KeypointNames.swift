internal import SinewBody

/// Tells joints by the names that files give them: `RHip`, `right_hip`, `R_Hip`, `hip_r`, `RightHip`.
enum KeypointNames {
    /// The words of ``JointBlend`` for a file's names; an unknown name stays as it is, in lower case.
    static func canonical(_ name: String) -> String {
        let exact = name.lowercased()
        if Skeleton.smpl29.jointNames.contains(exact) { return exact }
        var words = RigJointNames.words(of: name)
        var side = ""
        for (word, meant) in [("left", "left_"), ("right", "right_"), ("l", "left_"), ("r", "right_")] {
            if let index = words.firstIndex(of: word) {
                side = meant
                words.remove(at: index)
                break
            }
        }
        var stem = words.joined()
        if side.isEmpty, !middle.keys.contains(stem) {
            for (mark, meant) in [("left", "left_"), ("right", "right_"), ("l", "left_"), ("r", "right_")]
            where stem.hasPrefix(mark) && paired[String(stem.dropFirst(mark.count))] != nil {
                side = meant
                stem = String(stem.dropFirst(mark.count))
                break
            }
        }
        if side.isEmpty { return middle[stem] ?? exact }
        return side + (paired[stem] ?? stem)
    }

    /// The known skeleton whose joints have these names in this order; `root`, `foot` and `spine` are MMPose's words for Human3.6M.
    static func skeleton(_ names: [String]) -> Skeleton? {
        let canonical = names.map(canonical)
        return Skeleton.all.first { skeleton in
            guard skeleton.jointCount == canonical.count else { return false }
            let told = Set(skeleton.smplSources.flatMap { $0.terms.map(\.joint) })
            return told.allSatisfy { joint in
                let name = skeleton.jointNames[joint]
                return canonical[joint] == name
                    || name.hasSuffix("_ankle") && canonical[joint] == name.dropLast(5) + "foot"
                    || name == "head_top" && canonical[joint] == "head"
            }
        }
    }

    /// A skeleton for a file's names: a known one, or one of its own; nil where too few of the names are joints.
    static func skeleton(of names: [String], file: String) -> Skeleton? {
        if let known = skeleton(names) { return known }
        var seen: Set<String> = []
        // Files with SMPL's own words mean SMPL's joints; elsewhere the head is its top.
        let isSMPL = names.contains { canonical($0) == "spine1" }
        let unique = names.enumerated().map { index, name -> String in
            let word = canonical(name)
            let meant = word == "head" && !isSMPL ? "head_top" : word
            return seen.insert(meant).inserted ? meant : "\(meant)_\(index)"
        }
        let own = Skeleton(ofFile: file, jointNames: unique, isSMPL: isSMPL)
        let needed = [1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21]
        return needed.count { !own.smplSources[$0].terms.isEmpty } >= 6 ? own : nil
    }

    private static let paired = [
        "hip": "hip", "knee": "knee", "ankle": "ankle", "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist",
        "bigtoe": "big_toe", "smalltoe": "small_toe", "heel": "heel", "eye": "eye", "ear": "ear", "foot": "foot",
        "hand": "hand",
    ]
    private static let middle = [
        "hip": "pelvis", "hips": "pelvis", "midhip": "pelvis", "chip": "pelvis", "root": "pelvis", "pelvis": "pelvis",
        "neck": "neck", "nose": "nose", "head": "head_top", "headtop": "head_top", "spine": "torso", "torso": "torso",
        "thorax": "thorax", "bodycenter": "pelvis",
    ]
}
