"use strict";
/* The clip of this page: what the two data blocks hold, as typed arrays.
 *
 * Block "scene" is JSON that describes people, layers and bodies; block "numbers" is a deflated, base64-coded run of little-endian numbers to which the JSON
 * points by byte offsets. Metres, y up; rotations are rotation vectors in radians against the parent joint. */

/** Expands the number block. */
async function readNumbers() {
  const text = document.getElementById("numbers").textContent;
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}

/** One person of one layer: poses through time, or observed joints. */
class Track {
  constructor(description, layer, numbers, frameCount) {
    this.layer = layer;
    this.person = description.person;
    this.isPose = layer.kind === "poses";
    this.present = new Uint8Array(numbers, description.present, frameCount);
    if (this.isPose) {
      this.mesh = description.mesh;
      this.theta = new Float32Array(numbers, description.theta, frameCount * 72);
      this.translation = new Float32Array(numbers, description.translation, frameCount * 3);
      this.rest = new Float32Array(numbers, description.rest, 87);
    } else {
      this.joints = new Float32Array(numbers, description.joints, frameCount * 87);
      this.observed = new Uint32Array(numbers, description.observed, frameCount);
    }
    this.series = (description.series || []).map((series) => ({
      key: series.key, name: series.name, unit: series.unit, values: new Float32Array(numbers, series.values, frameCount),
    }));
  }

  /** Whether joint `joint` has a place in a frame. */
  sees(frame, joint) {
    return this.present[frame] === 1 && (this.isPose || ((this.observed[frame] >>> joint) & 1) === 1);
  }
}

/** The mesh of one shape, and what all meshes share. */
class BodyMesh {
  constructor(description, topology, numbers) {
    const count = topology.vertexCount;
    const packed = new Uint16Array(numbers, description.positions, count * 3);
    this.positions = new Float32Array(count * 3);
    for (let index = 0; index < packed.length; index++) {
      this.positions[index] = description.low[index % 3] + packed[index] * description.step;
    }
    this.joints = new Uint8Array(numbers, topology.joints, count * 4);
    this.weights = new Uint8Array(numbers, topology.weights, count * 4);
    this.faces = topology.wide
      ? new Uint32Array(numbers, topology.faces, topology.faceCount * 3)
      : new Uint16Array(numbers, topology.faces, topology.faceCount * 3);
  }
}

class Clip {
  constructor(description, numbers) {
    Object.assign(this, {
      title: description.title, framesPerSecond: description.framesPerSecond, frameNumbers: description.frameNumbers, people: description.people,
      notes: description.notes, parents: description.skeleton.parents, jointNames: description.skeleton.names,
    });
    this.frameCount = this.frameNumbers.length;
    this.meshes = description.meshes.map((mesh) => new BodyMesh(mesh, description.topology, numbers));
    this.layers = description.layers.map((layer, index) => {
      const made = { index, name: layer.name, kind: layer.kind, tracks: [] };
      made.tracks = layer.tracks.map((track) => new Track(track, made, numbers, this.frameCount));
      return made;
    });
  }

  static async read() {
    const description = JSON.parse(document.getElementById("scene").textContent);
    return new Clip(description, await readNumbers());
  }

  track(layer, person) {
    return this.layers[layer].tracks.find((track) => track.person === person);
  }
}
