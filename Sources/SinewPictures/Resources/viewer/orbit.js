"use strict";
/* A camera on a sphere around a point: drag to orbit, right or shift drag to pan, wheel or pinch to zoom. */
class Orbit {
  constructor(camera, element, changed) {
    Object.assign(this, { camera, element, changed, target: new THREE.Vector3(), azimuth: 0, elevation: 0.2, distance: 5 });
    this.pointers = new Map();
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(Math.min(Math.max(event.deltaY, -200), 200) * 0.0015));
    }, { passive: false });
  }

  move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (others.length) {
      const [before, after] = [last, { x: event.clientX, y: event.clientY }]
        .map((point) => Math.hypot(point.x - others[0].x, point.y - others[0].y));
      if (before > 0 && after > 0) this.zoom(before / after);
      this.pan(dx / 2, dy / 2);
    } else if (event.shiftKey || event.buttons & 6) {
      this.pan(dx, dy);
    } else {
      const speed = 2 * Math.PI / Math.max(this.element.clientHeight, 1);
      this.azimuth -= dx * speed;
      this.elevation = Math.min(Math.max(this.elevation + dy * speed, -1.5), 1.5);
      this.apply();
    }
    Object.assign(last, { x: event.clientX, y: event.clientY });
  }

  zoom(factor) {
    this.distance = Math.min(Math.max(this.distance * factor, 0.3), 200);
    this.apply();
  }

  pan(dx, dy) {
    const perPixel = 2 * this.distance * Math.tan(this.camera.fov * Math.PI / 360) / Math.max(this.element.clientHeight, 1);
    const right = new THREE.Vector3().setFromMatrixColumn(this.camera.matrix, 0);
    const up = new THREE.Vector3().setFromMatrixColumn(this.camera.matrix, 1);
    this.target.addScaledVector(right, -dx * perPixel).addScaledVector(up, dy * perPixel);
    this.apply();
  }

  apply() {
    const flat = Math.cos(this.elevation);
    this.camera.position.set(Math.sin(this.azimuth) * flat, Math.sin(this.elevation), Math.cos(this.azimuth) * flat)
      .multiplyScalar(this.distance).add(this.target);
    this.camera.lookAt(this.target);
    this.camera.near = Math.max(this.distance / 200, 0.01);
    this.camera.far = this.distance * 20 + 60;
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
    this.changed();
  }
}
