"use strict";
/* What can be measured of a pose in a frame, and the colours for it. */

/* Blue is good, red is bad; the middle stays light, so that the order is seen without red and green. */
const RAMP = [[49, 104, 199], [73, 165, 204], [166, 214, 190], [247, 226, 138], [240, 147, 66], [196, 40, 46]];

/** The colour of a share of the scale, sRGB 0…1. */
function rampColour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const low = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[low].map((value, index) => (value + (at - low) * (RAMP[low + 1][index] - value)) / 255);
}

/** The distance of each joint from another layer's, millimetres: mean per frame, and per joint. Only joints that both have count. */
class JointError {
  constructor(clip, kinematics, reference) {
    this.clip = clip;
    this.kinematics = kinematics;
    this.reference = reference;
    this.key = `error-${reference.index}`;
    this.name = `Distance to ${reference.name}`;
    this.unit = "mm";
    this.a = new Float64Array(87);
    this.b = new Float64Array(87);
    this.perTrack = new Map();
  }

  /** Distances of the 29 joints into `out`, NaN where there is none; their mean over SMPL's 24, or NaN. */
  joints(track, frame, out) {
    out.fill(NaN);
    const other = this.clip.track(this.reference.index, track.person);
    if (!other || other === track) return NaN;
    if (!this.kinematics.joints(track, frame, this.a) || !this.kinematics.joints(other, frame, this.b)) return NaN;
    let sum = 0, count = 0;
    for (let joint = 0; joint < 29; joint++) {
      if (!track.sees(frame, joint) || !other.sees(frame, joint)) continue;
      const j = joint * 3;
      out[joint] = 1000 * Math.hypot(this.a[j] - this.b[j], this.a[j + 1] - this.b[j + 1], this.a[j + 2] - this.b[j + 2]);
      if (joint < 24) { sum += out[joint]; count++; }
    }
    return count ? sum / count : NaN;
  }

  values(track) {
    let values = this.perTrack.get(track);
    if (!values) {
      const row = new Float64Array(29);
      values = Float32Array.from({ length: this.clip.frameCount }, (_, frame) => this.joints(track, frame, row));
      this.perTrack.set(track, values);
    }
    return values;
  }

  appliesTo(track) {
    return track.layer !== this.reference && Boolean(this.clip.track(this.reference.index, track.person));
  }
}

/** Numbers that came with the poses. */
class GivenSeries {
  constructor({ key, name, unit }) {
    Object.assign(this, { key, name, unit });
  }

  find(track) {
    return track.series.find((series) => series.key === this.key);
  }

  values(track) {
    return this.find(track)?.values ?? new Float32Array(track.present.length).fill(NaN);
  }

  appliesTo(track) {
    return Boolean(this.find(track));
  }
}

/** Every measure that the clip has something for: first the distances to observed joints, then what came with the poses, then distances to poses. */
function measuresOf(clip, kinematics) {
  const given = [];
  for (const layer of clip.layers) for (const track of layer.tracks) for (const series of track.series) {
    if (!given.some((other) => other.key === series.key)) given.push(new GivenSeries(series));
  }
  const errors = clip.layers.map((layer) => new JointError(clip, kinematics, layer));
  const measures = [
    ...errors.filter((error) => error.reference.kind === "joints"), ...given, ...errors.filter((error) => error.reference.kind === "poses"),
  ];
  const tracks = clip.layers.flatMap((layer) => layer.tracks);
  return measures.filter((measure) => tracks.some((track) => track.isPose && measure.appliesTo(track)));
}

/** The end of a measure's scale: what 98 of 100 frames stay below, rounded up to one digit. */
function scaleOf(clip, measure) {
  const values = clip.layers.flatMap((layer) => layer.tracks).filter((track) => track.isPose && measure.appliesTo(track))
    .flatMap((track) => Array.from(measure.values(track)).filter(Number.isFinite)).sort((a, b) => a - b);
  const high = values.length ? values[Math.min(values.length - 1, Math.floor(values.length * 0.98))] : 0;
  if (!(high > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(high));
  return Math.ceil(high / power) * power;
}

function formatted(value, unit) {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return `${value.toFixed(Math.abs(value) === 0 ? 0 : digits)}${unit ? "\u202f" + unit : ""}`;
}
