"use strict";
/* The controls beside the picture. Names come from files of strangers: they are only ever set as text. */

function element(kind, properties = {}, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

class Panel {
  constructor(viewer) {
    this.viewer = viewer;
    const { clip } = viewer;
    document.title = `${clip.title} – Sinew`;
    this.byId("title").textContent = clip.title;
    const seconds = clip.frameCount / clip.framesPerSecond;
    this.byId("subtitle").textContent = [
      `${clip.people.length} ${clip.people.length === 1 ? "person" : "people"}`, `${clip.frameCount} frames`,
      clip.frameCount > 1 ? `${seconds.toFixed(1)} s at ${Number(clip.framesPerSecond.toFixed(2))} a second` : "",
    ].filter(Boolean).join(" · ");
    this.layerRows = clip.layers.map((layer) => this.layerRow(layer));
    this.personRows = clip.people.map((name, index) => this.personRow(name, index));
    this.byId("layers").append(...this.layerRows.map((row) => row.item));
    this.byId("people").append(...this.personRows.map((row) => row.item));
    this.fillSelects();
    if (clip.notes.length) {
      this.byId("notes").append(...clip.notes.map((note) => element("li", { textContent: note })));
      this.byId("notes-section").hidden = false;
    }
    this.connect();
  }

  byId(id) {
    return document.getElementById(id);
  }

  layerRow(layer) {
    const { viewer } = this;
    const box = element("input", { type: "checkbox", id: `layer-${layer.index}` });
    box.addEventListener("change", () => viewer.setLayer(layer.index, { visible: box.checked }));
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = css(viewer.layerColours[layer.index]);
    const label = element("label", { title: layer.name }, box, swatch, element("span", { className: "name", textContent: layer.name }));
    const buttons = {};
    const item = element("li", {}, label);
    for (const kind of layer.kind === "poses" ? ["mesh", "skeleton"] : []) {
      if (kind === "mesh" && !layer.tracks.some((track) => track.mesh >= 0)) continue;
      buttons[kind] = element("button", { type: "button", textContent: kind === "mesh" ? "Mesh" : "Bones" });
      buttons[kind].dataset.kind = kind;
      buttons[kind].addEventListener("click", () => viewer.setLayer(layer.index, { [kind]: !viewer.layerStates[layer.index][kind] }));
      item.append(buttons[kind]);
    }
    return { item, box, buttons };
  }

  personRow(name, index) {
    const { viewer } = this;
    const box = element("input", { type: "checkbox", id: `person-${index}` });
    box.addEventListener("change", () => viewer.setPerson(index, box.checked));
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = css(viewer.personColours[index]);
    const value = element("span", { className: "value" });
    return {
      item: element("li", {}, element("label", { title: name }, box, swatch, element("span", { className: "name", textContent: name })), value), box, value,
    };
  }

  fillSelects() {
    const { viewer } = this;
    const option = (value, textContent) => element("option", { value, textContent });
    this.byId("colour").append(option("person", "Person"), option("layer", "Layer"));
    if (viewer.measures.length) this.byId("colour").append(option("measure", "Measure"));
    this.byId("measure").append(...viewer.measures.map((measure) => option(measure.key, measure.name)));
    this.byId("measure").parentElement.hidden = viewer.measures.length === 0;
    this.byId("legend").hidden = viewer.measures.length === 0;
    const context = this.byId("ramp").getContext("2d");
    for (let x = 0; x < 256; x++) {
      context.fillStyle = css(rampColour(x / 255));
      context.fillRect(x, 0, 1, 1);
    }
    this.byId("colour").addEventListener("change", (event) => viewer.setColour(event.target.value));
    this.byId("measure").addEventListener("change", (event) => viewer.setMeasure(event.target.value));
  }

  connect() {
    const { viewer } = this;
    this.byId("play").addEventListener("click", () => viewer.setPlaying(!viewer.isPlaying));
    this.byId("speed").addEventListener("change", (event) => { viewer.speed = Number(event.target.value); });
    this.byId("reset").addEventListener("click", () => viewer.stage.reset());
    this.byId("follow").addEventListener("click", () => viewer.setFollowing(!viewer.isFollowing));
    this.byId("theme").addEventListener("click", () => viewer.toggleTheme());
    this.byId("help-open").addEventListener("click", () => this.byId("help").showModal());
  }

  /** Shows the state that the viewer is in. */
  update() {
    const { viewer } = this;
    this.layerRows.forEach(({ box, buttons }, index) => {
      const state = viewer.layerStates[index];
      box.checked = state.visible;
      for (const [kind, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(state[kind]));
    });
    this.personRows.forEach(({ box }, index) => { box.checked = viewer.personStates[index]; });
    this.byId("colour").value = viewer.colour;
    if (viewer.measure) {
      this.byId("measure").value = viewer.measure.key;
      this.byId("ramp-low").textContent = formatted(0, viewer.measure.unit);
      this.byId("ramp-high").textContent = `≥ ${formatted(viewer.scale, viewer.measure.unit)}`;
    }
    this.byId("follow").setAttribute("aria-pressed", String(viewer.isFollowing));
    this.byId("play").classList.toggle("playing", viewer.isPlaying);
    this.byId("play").setAttribute("aria-label", viewer.isPlaying ? "Pause" : "Play");
  }

  /** Shows what changes with every frame. */
  updateFrame() {
    const { viewer } = this;
    const { clip, frame } = viewer;
    const clock = this.byId("clock");
    clock.textContent = `Frame ${clip.frameNumbers[frame]}`;
    clock.append(element("small", { textContent: `  ${(frame / clip.framesPerSecond).toFixed(2)} s` }));
    this.personRows.forEach(({ value }, person) => {
      const track = viewer.measuredTrack(person);
      value.textContent = track && viewer.measure && track.present[frame]
        ? formatted(viewer.measure.values(track)[frame], viewer.measure.unit) : track && !track.present[frame] ? "no pose" : "";
    });
  }
}
