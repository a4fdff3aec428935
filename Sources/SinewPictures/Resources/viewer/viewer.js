"use strict";
/* The page: its state, and what changes it. `window.sinewViewer` is the same for scripts. */

const PERSON_COLOURS = [[92, 146, 212], [98, 172, 128], [178, 126, 198], [206, 172, 84], [88, 176, 188], [202, 120, 140], [128, 128, 204], [156, 166, 92]];
const LAYER_COLOURS = [[66, 120, 210], [196, 72, 132], [38, 158, 130], [146, 96, 200], [176, 140, 40], [70, 150, 200]];
const OBSERVED_COLOUR = [240, 110, 28];
const shares = (colour) => colour.map((value) => value / 255);

class Viewer {
  constructor(clip) {
    this.clip = clip;
    this.kinematics = new Kinematics(clip.parents);
    this.measures = measuresOf(clip, this.kinematics);
    this.personColours = clip.people.map((_, index) => shares(PERSON_COLOURS[index % PERSON_COLOURS.length]));
    let pose = 0;
    this.layerColours = clip.layers.map((layer) => shares(layer.kind === "joints" ? OBSERVED_COLOUR : LAYER_COLOURS[pose++ % LAYER_COLOURS.length]));
    const first = clip.layers.find((layer) => layer.kind === "poses");
    this.layerStates = clip.layers.map((layer) => {
      const isMain = layer === first && layer.tracks.some((track) => track.mesh >= 0);
      return { visible: layer === first || layer.kind === "joints", mesh: isMain, skeleton: !isMain };
    });
    this.personStates = clip.people.map(() => true);
    this.colour = "person";
    this.measure = this.measures[0] ?? null;
    this.scale = this.measure ? scaleOf(clip, this.measure) : 1;
    this.frame = 0;
    this.speed = 1;
    this.isPlaying = false;
    this.isFollowing = false;
    this.errors = new Float64Array(29);
    this.stage = new Stage(document.getElementById("view"), clip, this.kinematics);
    this.timeline = new Timeline(document.getElementById("timeline"), document.getElementById("tip"), clip, (frame) => this.seek(frame));
    this.panel = new Panel(this);
    this.repaint();
    // Only now has everything its place, and the picture its width and height.
    this.stage.reset();
    new ResizeObserver(() => { this.stage.resize(); this.refresh(); }).observe(document.body);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    document.addEventListener("keydown", (event) => this.pressed(event));
    requestAnimationFrame((now) => this.tick(now));
  }

  // What is shown.

  /** The track that the timeline shows for a person: of the first visible layer of poses, else of the first that has one. */
  measuredTrack(person) {
    const layers = this.clip.layers.filter((layer) => layer.kind === "poses");
    const visible = layers.filter((layer) => this.layerStates[layer.index].visible);
    for (const layer of [...visible, ...layers]) {
      const track = this.clip.track(layer.index, person);
      if (track && (!this.measure || this.measure.appliesTo(track))) return track;
    }
    return this.clip.layers.map((layer) => this.clip.track(layer.index, person)).find(Boolean);
  }

  look(track) {
    const state = this.layerStates[track.layer.index];
    if (!state.visible || !this.personStates[track.person]) return null;
    const [person, layer] = [this.personColours[track.person], this.layerColours[track.layer.index]];
    const isMain = this.layerStates.findIndex((other, index) => other.visible && other.mesh && this.clip.layers[index].kind === "poses") === track.layer.index;
    const shown = { mesh: state.mesh, skeleton: state.skeleton || !track.isPose || track.mesh < 0, opacity: isMain ? 1 : 0.5 };
    if (this.colour === "measure" && track.isPose && this.measure.appliesTo(track)) {
      const colours = this.measuredColours(track);
      return { ...shown, body: colours, bones: colours };
    }
    const body = this.colour === "layer" || !isMain ? layer : person;
    return { ...shown, body: Array(29).fill(body), bones: Array(29).fill(this.colour === "person" && this.poseLayerCount === 1 && track.isPose ? person : layer) };
  }

  /** A colour per joint where the measure knows joints, else one for all. */
  measuredColours(track) {
    const isPerJoint = this.measure instanceof JointError;
    const mean = isPerJoint ? this.measure.joints(track, this.frame, this.errors) : this.measure.values(track)[this.frame];
    const grey = [0.6, 0.6, 0.6];
    const colour = (value) => (Number.isFinite(value) ? rampColour(value / this.scale) : grey);
    return Array.from({ length: 29 }, (_, joint) => colour(isPerJoint ? this.errors[joint] : mean));
  }

  /** Draws the frame anew. */
  refresh() {
    this.poseLayerCount = this.clip.layers.filter((layer) => layer.kind === "poses").length;
    this.stage.show(this.frame, (track) => this.look(track));
    this.panel.update();
    this.panel.updateFrame();
    this.timeline.set(this.clip.people.map((name, person) => {
      const track = this.measuredTrack(person);
      const isMeasured = track && this.measure && this.measure.appliesTo(track);
      return {
        name, colour: css(this.personColours[person]), present: track ? track.present : new Uint8Array(this.clip.frameCount),
        values: isMeasured ? this.measure.values(track) : null, unit: this.measure?.unit ?? "", scale: this.scale,
      };
    }));
  }

  repaint() {
    this.stage.paint();
    this.refresh();
  }

  // What changes it.

  seek(frame) {
    this.frame = Math.min(Math.max(Math.round(frame), 0), this.clip.frameCount - 1);
    this.stage.show(this.frame, (track) => this.look(track));
    this.timeline.draw(this.frame);
    this.panel.updateFrame();
  }

  setLayer(index, change) {
    Object.assign(this.layerStates[index], change);
    this.refresh();
  }

  setPerson(index, isVisible) {
    this.personStates[index] = isVisible;
    this.refresh();
  }

  setColour(colour) {
    this.colour = colour;
    this.refresh();
  }

  setMeasure(key) {
    this.measure = this.measures.find((measure) => measure.key === key) ?? this.measure;
    this.scale = scaleOf(this.clip, this.measure);
    this.worst = null;
    this.refresh();
  }

  setPlaying(isPlaying) {
    this.isPlaying = isPlaying && this.clip.frameCount > 1;
    if (this.isPlaying && this.frame === this.clip.frameCount - 1) this.seek(0);
    this.played = null;
    this.panel.update();
  }

  setFollowing(isFollowing) {
    this.isFollowing = isFollowing;
    this.panel.update();
  }

  toggleTheme() {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    this.repaint();
  }

  /** Goes to the worst frame by the measure; called again without another change between, to the next worst that is not beside one already shown. */
  seekWorst() {
    if (!this.measure) return;
    if (!this.worst || this.worst.frames[this.worst.at] !== this.frame) this.worst = { frames: this.worstFrames(), at: -1 };
    if (!this.worst.frames.length) return;
    this.worst.at = (this.worst.at + 1) % this.worst.frames.length;
    this.seek(this.worst.frames[this.worst.at]);
  }

  worstFrames() {
    const found = [];
    this.clip.people.forEach((_, person) => {
      const track = this.measuredTrack(person);
      if (!track || !this.personStates[person] || !this.measure.appliesTo(track)) return;
      this.measure.values(track).forEach((value, frame) => { if (Number.isFinite(value)) found.push({ value, frame }); });
    });
    const apart = Math.max(1, Math.min(Math.round(this.clip.framesPerSecond / 3), Math.floor(this.clip.frameCount / 10)));
    const frames = [];
    for (const { frame } of found.sort((a, b) => b.value - a.value)) {
      if (frames.every((other) => Math.abs(other - frame) >= apart)) frames.push(frame);
      if (frames.length === 20) break;
    }
    return frames;
  }

  tick(now) {
    if (this.isPlaying) {
      this.played ??= { now, frame: this.frame };
      const frame = this.played.frame + Math.floor((now - this.played.now) / 1000 * this.clip.framesPerSecond * this.speed);
      if (frame >= this.clip.frameCount) { this.seek(0); this.played = null; } else if (frame !== this.frame) this.seek(frame);
      if (this.isFollowing) this.stage.followPeople();
    }
    this.stage.draw();
    requestAnimationFrame((next) => this.tick(next));
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || document.getElementById("help").open) return;
    if (event.target.matches("select")) return;
    const step = event.shiftKey ? 10 : 1;
    const toggled = (kind) => {
      const visible = this.layerStates.filter((state, index) => state.visible && this.clip.layers[index].kind === "poses");
      const isOn = visible.some((state) => state[kind]);
      for (const state of visible) state[kind] = !isOn;
      this.refresh();
    };
    const actions = {
      " ": () => this.setPlaying(!this.isPlaying), ArrowLeft: () => this.step(-step), ArrowRight: () => this.step(step),
      Home: () => this.step(-Infinity), End: () => this.step(Infinity), m: () => toggled("mesh"), s: () => toggled("skeleton"),
      c: () => this.nextColour(), w: () => this.seekWorst(), r: () => this.stage.reset(), f: () => this.setFollowing(!this.isFollowing),
      l: () => this.toggleTheme(), "?": () => document.getElementById("help").showModal(),
    };
    const layer = Number(event.key) - 1;
    if (this.layerStates[layer]) this.setLayer(layer, { visible: !this.layerStates[layer].visible });
    else if (event.key === " " && event.target.matches("button, input")) return;
    else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
  }

  step(frames) {
    this.setPlaying(false);
    this.seek(Math.min(Math.max(this.frame + frames, 0), this.clip.frameCount - 1));
  }

  nextColour() {
    const ways = [...document.getElementById("colour").options].map((option) => option.value);
    this.setColour(ways[(ways.indexOf(this.colour) + 1) % ways.length]);
  }

  // For scripts.

  /** The 29 joints of a layer's person in a frame, `[29][3]` metres, or null where there is no pose. */
  jointPositions(layer, person, frame) {
    const joints = new Float64Array(87);
    const track = this.clip.track(layer, person);
    if (!track || !this.kinematics.joints(track, frame, joints)) return null;
    return Array.from({ length: 29 }, (_, joint) => Array.from(joints.subarray(joint * 3, joint * 3 + 3)));
  }

  /** Where the mesh's bones are now, `[24][3]` metres. */
  bonePositions(layer, person) {
    const figure = this.stage.figures.find(({ track }) => track.layer.index === layer && track.person === person);
    figure.mesh.mesh.updateMatrixWorld(true);
    return figure.mesh.bones.map((bone) => new THREE.Vector3().setFromMatrixPosition(bone.matrixWorld).toArray());
  }
}

function tellTrouble(text) {
  const trouble = document.getElementById("trouble");
  trouble.textContent = text;
  trouble.hidden = false;
}

(async () => {
  if (typeof DecompressionStream === "undefined") return tellTrouble("This browser cannot expand the page's data. Any of 2023 or later can.");
  let clip;
  try {
    clip = await Clip.read();
  } catch (error) {
    return tellTrouble(`The page's data is damaged; write it again with sinew view. (${error.message})`);
  }
  try {
    window.sinewViewer = new Viewer(clip);
  } catch (error) {
    tellTrouble(`This browser shows no WebGL, which the picture needs. Turn on hardware acceleration, or use another. (${error.message})`);
  }
})();
