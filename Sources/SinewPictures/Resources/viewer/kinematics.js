"use strict";
/* Forward kinematics: T_i = T_parent · [R_i | J_i − J_parent], the body turning about its rest pelvis; leaves move rigidly with their parents. */

/** Writes the 3×3 row-major matrix of the rotation vector at `offset` of `theta` to `out`. */
function rotationMatrix(theta, offset, out) {
  const x = theta[offset], y = theta[offset + 1], z = theta[offset + 2];
  const squared = x * x + y * y + z * z;
  const angle = Math.sqrt(squared);
  const sine = angle < 1e-4 ? 1 - squared / 6 : Math.sin(angle) / angle;
  const versine = angle < 1e-4 ? 0.5 - squared / 24 : (1 - Math.cos(angle)) / squared;
  const cosine = 1 - versine * squared;
  out[0] = cosine + versine * x * x; out[1] = versine * x * y - sine * z; out[2] = versine * x * z + sine * y;
  out[3] = versine * x * y + sine * z; out[4] = cosine + versine * y * y; out[5] = versine * y * z - sine * x;
  out[6] = versine * x * z - sine * y; out[7] = versine * y * z + sine * x; out[8] = cosine + versine * z * z;
}

class Kinematics {
  constructor(parents) {
    this.parents = parents;
    this.local = new Float64Array(9);
    this.globals = new Float64Array(24 * 9);
  }

  /** The 29 joints of a track in a frame, into `out`; false where the person is not there. */
  joints(track, frame, out) {
    if (!track.present[frame]) return false;
    if (!track.isPose) {
      for (let index = 0; index < 87; index++) out[index] = track.joints[frame * 87 + index];
      return true;
    }
    const { rest } = track;
    for (let joint = 0; joint < 29; joint++) {
      const parent = this.parents[joint];
      if (parent < 0) {
        for (let axis = 0; axis < 3; axis++) out[axis] = rest[axis] + track.translation[frame * 3 + axis];
        rotationMatrix(track.theta, frame * 72, this.globals.subarray(0, 9));
        continue;
      }
      const g = parent * 9, p = parent * 3, j = joint * 3;
      const dx = rest[j] - rest[p], dy = rest[j + 1] - rest[p + 1], dz = rest[j + 2] - rest[p + 2];
      for (let row = 0; row < 3; row++) {
        const at = g + row * 3;
        out[j + row] = out[p + row] + this.globals[at] * dx + this.globals[at + 1] * dy + this.globals[at + 2] * dz;
      }
      if (joint >= 24) continue;
      rotationMatrix(track.theta, frame * 72 + joint * 3, this.local);
      for (let row = 0; row < 3; row++) {
        for (let column = 0; column < 3; column++) {
          let sum = 0;
          for (let k = 0; k < 3; k++) sum += this.globals[g + row * 3 + k] * this.local[k * 3 + column];
          this.globals[joint * 9 + row * 3 + column] = sum;
        }
      }
    }
    return true;
  }
}
