"use strict";
/* A row per person, coloured by the measure, to click and drag in. */

const ROW = 22, LABEL = 150, GAP = 3;

class Timeline {
  constructor(canvas, tip, clip, seek) {
    Object.assign(this, { canvas, tip, clip, seek, rows: [], frame: 0 });
    const over = (event) => this.frameAt(event.offsetX);
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.isDragging = true;
      this.seek(over(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.isDragging) this.seek(over(event));
      this.showTip(event);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.isDragging = false; });
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.setAttribute("aria-valuemax", String(clip.frameCount - 1));
  }

  frameAt(x) {
    const width = this.canvas.clientWidth - LABEL;
    return Math.min(Math.max(Math.floor((x - LABEL) / width * this.clip.frameCount), 0), this.clip.frameCount - 1);
  }

  showTip(event) {
    const row = this.rows[Math.floor(event.offsetY / ROW)];
    if (!row || event.offsetX < LABEL) { this.tip.hidden = true; return; }
    const frame = this.frameAt(event.offsetX);
    const what = !row.present[frame] ? "no pose" : row.values ? formatted(row.values[frame], row.unit) : "";
    this.tip.textContent = `frame ${this.clip.frameNumbers[frame]}${what ? " · " + what : ""}`;
    this.tip.hidden = false;
    this.tip.style.left = `${Math.min(Math.max(event.offsetX + 14, 90), this.canvas.clientWidth - 60)}px`;
    this.tip.style.top = `${this.canvas.offsetTop + Math.floor(event.offsetY / ROW) * ROW - 4 - this.canvas.parentElement.scrollTop}px`;
  }

  /** Draws the strips anew.
   *
   * `rows`: `{ name, present, values, unit, scale, colour }`, values null where there is nothing to measure. */
  set(rows) {
    this.rows = rows;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [this.canvas.clientWidth || 600, Math.max(rows.length, 1) * ROW + 4];
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.strips = document.createElement("canvas");
    this.strips.width = this.canvas.width;
    this.strips.height = this.canvas.height;
    const context = this.strips.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, line] = ["--ink", "--soft", "--line"].map((name) => style.getPropertyValue(name).trim());
    this.ink = ink;
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    rows.forEach((row, index) => {
      const top = index * ROW + GAP, tall = ROW - 2 * GAP;
      context.fillStyle = row.colour;
      context.beginPath();
      context.arc(5, top + tall / 2, 4, 0, 7);
      context.fill();
      context.fillStyle = soft;
      context.fillText(this.fitting(context, row.name, LABEL - 26), 15, top + tall / 2 + 0.5);
      context.fillStyle = line;
      context.fillRect(LABEL, top + tall / 2 - 0.5, width - LABEL, 1);
      this.fillStrip(context, row, top, tall, width - LABEL, soft);
    });
    this.draw(this.frame);
  }

  /** One bar for each pixel or frame, whichever is wider; the worst frame of a bar decides its colour. */
  fillStrip(context, row, top, tall, width, soft) {
    const bars = Math.min(this.clip.frameCount, Math.floor(width));
    for (let bar = 0; bar < bars; bar++) {
      const [first, end] = [bar, bar + 1].map((edge) => Math.floor(edge * this.clip.frameCount / bars));
      let worst = NaN, isPresent = false;
      for (let frame = first; frame < end; frame++) {
        if (!row.present[frame]) continue;
        isPresent = true;
        const value = row.values ? row.values[frame] : NaN;
        if (Number.isFinite(value) && !(worst >= value)) worst = value;
      }
      if (!isPresent) continue;
      context.fillStyle = Number.isFinite(worst) ? css(rampColour(worst / row.scale)) : soft;
      const [left, right] = [bar, bar + 1].map((edge) => Math.round(LABEL + edge * width / bars));
      context.fillRect(left, top, Math.max(right - left - (width / bars > 6 ? 1 : 0), 1), tall);
    }
  }

  fitting(context, text, width) {
    if (context.measureText(text).width <= width) return text;
    let cut = text.length;
    while (cut > 1 && context.measureText(`${text.slice(0, cut)}…`).width > width) cut--;
    return `${text.slice(0, cut)}…`;
  }

  /** The strips with a line at the frame. */
  draw(frame) {
    this.frame = frame;
    if (!this.strips) return;
    const context = this.canvas.getContext("2d");
    const ratio = this.canvas.width / (this.canvas.clientWidth || 600);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.strips, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const x = LABEL + (frame + 0.5) / this.clip.frameCount * (this.canvas.clientWidth - LABEL);
    context.fillStyle = this.ink;
    context.fillRect(x - 1, 0, 2, this.canvas.clientHeight);
    this.canvas.setAttribute("aria-valuenow", String(frame));
    this.canvas.setAttribute("aria-valuetext", `frame ${this.clip.frameNumbers[frame]}`);
  }
}

function css(colour) {
  return `rgb(${colour.map((value) => Math.round(value * 255)).join(" ")})`;
}
