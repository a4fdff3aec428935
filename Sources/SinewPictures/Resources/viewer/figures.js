"use strict";
/* What is drawn for one person of one layer: a skinned mesh and a skeleton. */

/** The vertex shader's part that mixes a colour per joint by the skinning weights. */
function colourByJoints(material, jointColours) {
  material.onBeforeCompile = (shader) => {
    shader.uniforms.jointColours = { value: jointColours };
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nuniform vec3 jointColours[24];\nvarying vec3 vJointColour;")
      .replace("#include <skinning_vertex>", `#include <skinning_vertex>
        vJointColour = jointColours[int(skinIndex.x + 0.5)] * skinWeight.x + jointColours[int(skinIndex.y + 0.5)] * skinWeight.y
          + jointColours[int(skinIndex.z + 0.5)] * skinWeight.z + jointColours[int(skinIndex.w + 0.5)] * skinWeight.w;`);
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", "#include <common>\nvarying vec3 vJointColour;")
      .replace("#include <color_fragment>", "#include <color_fragment>\ndiffuseColor.rgb = vJointColour;");
  };
}

class MeshFigure {
  constructor(clip, track, geometries) {
    this.track = track;
    const body = clip.meshes[track.mesh];
    let geometry = geometries.get(track.mesh);
    if (!geometry) {
      geometry = new THREE.BufferGeometry();
      geometry.setAttribute("position", new THREE.BufferAttribute(body.positions, 3));
      geometry.setAttribute("skinIndex", new THREE.BufferAttribute(body.joints, 4));
      geometry.setAttribute("skinWeight", new THREE.BufferAttribute(body.weights, 4, true));
      geometry.setIndex(new THREE.BufferAttribute(body.faces, 1));
      geometry.computeVertexNormals();
      geometries.set(track.mesh, geometry);
    }
    this.jointColours = Array.from({ length: 24 }, () => new THREE.Color());
    this.material = new THREE.MeshStandardMaterial({ skinning: true, roughness: 0.72, metalness: 0 });
    colourByJoints(this.material, this.jointColours);
    this.mesh = new THREE.SkinnedMesh(geometry, this.material);
    this.mesh.frustumCulled = false;
    this.mesh.castShadow = true;
    this.bones = clip.parents.slice(0, 24).map(() => new THREE.Bone());
    for (let joint = 0; joint < 24; joint++) {
      const parent = clip.parents[joint];
      const offset = (axis) => track.rest[joint * 3 + axis] - (parent < 0 ? 0 : track.rest[parent * 3 + axis]);
      this.bones[joint].position.set(offset(0), offset(1), offset(2));
      (parent < 0 ? this.mesh : this.bones[parent]).add(this.bones[joint]);
    }
    this.mesh.updateMatrixWorld(true);
    this.mesh.bind(new THREE.Skeleton(this.bones));
    this.axis = new THREE.Vector3();
  }

  pose(frame) {
    const { theta, translation, rest } = this.track;
    this.bones[0].position.set(...[0, 1, 2].map((axis) => rest[axis] + translation[frame * 3 + axis]));
    for (let joint = 0; joint < 24; joint++) {
      const at = (frame * 24 + joint) * 3;
      this.axis.set(theta[at], theta[at + 1], theta[at + 2]);
      const angle = this.axis.length();
      if (angle > 0) this.axis.divideScalar(angle);
      this.bones[joint].quaternion.setFromAxisAngle(this.axis, angle);
    }
  }

  colour(colours, opacity) {
    for (let joint = 0; joint < 24; joint++) this.jointColours[joint].setRGB(...colours[joint]).convertSRGBToLinear();
    if (this.material.transparent !== opacity < 1) this.material.needsUpdate = true;
    this.material.transparent = opacity < 1;
    this.material.opacity = opacity;
  }
}

/** Spheres at the joints and tapered rods between them, in one geometry that is filled anew for each frame. */
class SkeletonFigure {
  constructor(clip, track) {
    this.clip = clip;
    this.track = track;
    const sphere = new THREE.SphereBufferGeometry(1, 10, 7), rod = new THREE.CylinderBufferGeometry(1, 1, 1, 8, 1, true);
    this.parts = [];
    const counts = { vertices: 0, indices: 0 };
    const add = (template, part) => {
      this.parts.push({ ...part, template, start: counts.vertices });
      counts.vertices += template.attributes.position.count;
      counts.indices += template.index.count;
    };
    for (let joint = 0; joint < 29; joint++) add(sphere, { joint, parent: -1 });
    for (let joint = 1; joint < 29; joint++) add(rod, { joint, parent: clip.parents[joint] });
    const index = new Uint16Array(counts.indices);
    let filled = 0;
    for (const part of this.parts) for (const vertex of part.template.index.array) index[filled++] = part.start + vertex;
    this.geometry = new THREE.BufferGeometry();
    for (const name of ["position", "normal", "color"]) {
      this.geometry.setAttribute(name, new THREE.BufferAttribute(new Float32Array(counts.vertices * 3), 3));
    }
    this.geometry.setIndex(new THREE.BufferAttribute(index, 1));
    this.mesh = new THREE.Mesh(this.geometry, new THREE.MeshLambertMaterial({ vertexColors: THREE.VertexColors }));
    this.mesh.frustumCulled = false;
    this.matrix = new THREE.Matrix4();
    this.turn = new THREE.Quaternion();
    this.up = new THREE.Vector3(0, 1, 0);
  }

  /** Fills the geometry; a joint that was not seen, and what hangs on it, shrinks to nothing. */
  fill(frame, joints, colours) {
    const colour = new THREE.Color(), place = new THREE.Vector3(), size = new THREE.Vector3(), way = new THREE.Vector3();
    const radius = this.track.isPose ? 0.012 : 0.017;
    for (const { joint, parent, template, start } of this.parts) {
      const seen = this.track.sees(frame, joint) && (parent < 0 || this.track.sees(frame, parent));
      place.set(joints[joint * 3], joints[joint * 3 + 1], joints[joint * 3 + 2]);
      if (parent < 0) {
        const small = joint >= 24 ? 0.7 : 1;
        size.setScalar(seen ? radius * small : 0);
        this.turn.set(0, 0, 0, 1);
      } else {
        way.set(joints[parent * 3], joints[parent * 3 + 1], joints[parent * 3 + 2]).sub(place);
        const length = way.length();
        place.addScaledVector(way, 0.5);
        this.turn.setFromUnitVectors(this.up, length > 0 ? way.divideScalar(length) : this.up);
        const thin = seen ? radius * 0.48 : 0;
        size.set(thin, seen ? length : 0, thin);
      }
      this.matrix.compose(place, this.turn, size);
      colour.setRGB(...colours[joint]).convertSRGBToLinear();
      this.write(template, start, colour);
    }
    for (const name of ["position", "normal", "color"]) this.geometry.attributes[name].needsUpdate = true;
  }

  write(template, start, colour) {
    const m = this.matrix.elements, [from, normals] = [template.attributes.position.array, template.attributes.normal.array];
    const { position, normal, color } = this.geometry.attributes;
    const q = this.turn;
    const turned = new THREE.Vector3();
    for (let vertex = 0; vertex < template.attributes.position.count; vertex++) {
      const [f, t] = [vertex * 3, (start + vertex) * 3];
      const [x, y, z] = [from[f], from[f + 1], from[f + 2]];
      position.array[t] = m[0] * x + m[4] * y + m[8] * z + m[12];
      position.array[t + 1] = m[1] * x + m[5] * y + m[9] * z + m[13];
      position.array[t + 2] = m[2] * x + m[6] * y + m[10] * z + m[14];
      turned.set(normals[f], normals[f + 1], normals[f + 2]).applyQuaternion(q);
      normal.array[t] = turned.x; normal.array[t + 1] = turned.y; normal.array[t + 2] = turned.z;
      color.array[t] = colour.r; color.array[t + 1] = colour.g; color.array[t + 2] = colour.b;
    }
  }
}
