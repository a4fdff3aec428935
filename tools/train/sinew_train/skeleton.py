"""The 29-joint skeleton (24 SMPL joints and 5 leaf vertices) as index tables. Source: models.md 1.1, 2.1."""

PARENTS = [
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,  # 24 joints
    15, 22, 23, 10, 11,  # head top, left and right fingertip, left and right toe tip
]
"""Parent of each joint; -1 for the pelvis. Parents precede their children."""

CHILDREN = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 27, 28, 15, 16, 17, 24, 18, 19, 20, 21, 22, 23, 25, 26,
    -1, -1, -1, -1, -1,
]
"""The child whose bone gives a joint its swing (the neck for spine3); -1 for leaves."""

LEVELS = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12, 13, 14], [15, 16, 17], [18, 19], [20, 21], [22, 23]]
"""Joints 1...23 by depth; those of one level do not depend on each other."""

MIRROR = [
    0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22,
    24, 26, 25, 28, 27,
]
"""The joint on the other side of the body."""

LIMBS = {
    "left leg": [1, 4, 7, 10],
    "right leg": [2, 5, 8, 11],
    "left arm": [13, 16, 18, 20, 22],
    "right arm": [14, 17, 19, 21, 23],
    "head": [12, 15],
}
"""Joints whose rotations may be taken from another pose as one piece."""

JOINT_COUNT = 29
ROTATION_COUNT = 24
TWIST_COUNT = 23
