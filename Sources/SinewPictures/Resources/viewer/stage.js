"use strict";
/* The three-dimensional view: lights, ground, figures and the order in which they are drawn. */

class Stage {
  constructor(canvas, clip, kinematics) {
    Object.assign(this, { canvas, clip, kinematics });
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
    this.renderer.gammaOutput = true;
    this.renderer.gammaFactor = 2.2;
    this.renderer.autoClear = false;
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = THREE.PCFSoftShadowMap;
    // Skeletons are drawn over the meshes that they lie in, so they have a scene of their own.
    this.bodies = new THREE.Scene();
    this.bones = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(38, 1, 0.05, 200);
    this.needsDrawing = true;
    this.measureClip();
    this.addLights();
    const geometries = new Map();
    this.figures = clip.layers.flatMap((layer) => layer.tracks.map((track) => {
      const figure = { track, skeleton: new SkeletonFigure(clip, track), mesh: null };
      this.bones.add(figure.skeleton.mesh);
      if (track.isPose && track.mesh >= 0) {
        figure.mesh = new MeshFigure(clip, track, geometries);
        this.bodies.add(figure.mesh.mesh);
      }
      return figure;
    }));
    this.orbit = new Orbit(this.camera, canvas, () => { this.needsDrawing = true; });
    this.joints = new Float64Array(87);
  }

  /** Where people are: the box around all joints of all frames. */
  measureClip() {
    this.box = new THREE.Box3();
    const joints = new Float64Array(87), point = new THREE.Vector3();
    const stride = Math.max(1, Math.floor(this.clip.frameCount / 200));
    for (const layer of this.clip.layers) for (const track of layer.tracks) for (let frame = 0; frame < this.clip.frameCount; frame += stride) {
      if (!this.kinematics.joints(track, frame, joints)) continue;
      for (let joint = 0; joint < 29; joint++) {
        if (track.sees(frame, joint)) this.box.expandByPoint(point.set(joints[joint * 3], joints[joint * 3 + 1], joints[joint * 3 + 2]));
      }
    }
    if (this.box.isEmpty()) this.box.set(new THREE.Vector3(-1, 0, -1), new THREE.Vector3(1, 2, 1));
    this.middle = this.box.getCenter(new THREE.Vector3());
    this.extent = this.box.getSize(new THREE.Vector3());
  }

  addLights() {
    const reach = Math.max(this.extent.x, this.extent.z, 2) / 2 + 1;
    this.sun = new THREE.DirectionalLight(0xffffff, 0.72);
    this.sun.position.copy(this.middle).add(new THREE.Vector3(reach * 0.5, reach * 1.6 + 2, reach * 0.9));
    this.sun.target.position.copy(this.middle);
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(2048, 2048);
    this.sun.shadow.radius = 3;
    this.sun.shadow.bias = -0.0006;
    Object.assign(this.sun.shadow.camera, { left: -reach, right: reach, top: reach, bottom: -reach, near: 0.1, far: reach * 5 + 8 });
    const fill = new THREE.DirectionalLight(0xcfe0ff, 0.22);
    fill.position.set(-3, 2, -4);
    this.sky = new THREE.HemisphereLight(0xffffff, 0x8890a0, 0.52);
    this.bodies.add(this.sun, this.sun.target, fill, this.sky);
    this.bones.add(new THREE.HemisphereLight(0xffffff, 0x9aa0ac, 0.85), new THREE.DirectionalLight(0xffffff, 0.25));
    const size = Math.ceil(Math.max(this.extent.x, this.extent.z, 3)) + 4;
    const floor = this.box.min.y - 0.012;
    this.ground = new THREE.Mesh(new THREE.PlaneBufferGeometry(size * 3, size * 3), new THREE.ShadowMaterial({ opacity: 0.24 }));
    this.ground.rotation.x = -Math.PI / 2;
    this.ground.position.set(this.middle.x, floor - 0.002, this.middle.z);
    this.ground.receiveShadow = true;
    this.grid = new THREE.GridHelper(size, size * 2, 0xffffff, 0xffffff);
    this.grid.material.vertexColors = THREE.NoColors;
    this.grid.material.transparent = true;
    this.grid.position.set(Math.round(this.middle.x * 2) / 2, floor - 0.004, Math.round(this.middle.z * 2) / 2);
    this.bodies.add(this.ground, this.grid);
  }

  /** Takes the colours of the page's theme. */
  paint() {
    const paper = new THREE.Color(getComputedStyle(document.documentElement).getPropertyValue("--paper").trim());
    const isDark = paper.r + paper.g + paper.b < 1.5;
    // The colour that clears goes to the screen as it is.
    this.renderer.setClearColor(paper);
    this.grid.material.color.set(isDark ? 0x8b97a8 : 0x9aa3b0).convertSRGBToLinear();
    this.grid.material.opacity = isDark ? 0.28 : 0.4;
    this.ground.material.opacity = isDark ? 0.5 : 0.24;
    this.needsDrawing = true;
  }

  /** From the front, a little from the side and above, everyone in the picture. */
  reset() {
    this.orbit.target.copy(this.middle);
    this.orbit.azimuth = 0.42;
    this.orbit.elevation = 0.2;
    this.resize();
    const half = Math.tan(this.camera.fov * Math.PI / 360);
    const wide = 0.5 * Math.hypot(this.extent.x, this.extent.z * 0.6) / (half * this.camera.aspect);
    this.orbit.distance = 1.12 * Math.max(0.5 * this.extent.y / half, wide, 0.8) + 0.2 * this.extent.z;
    this.orbit.apply();
  }

  resize() {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.needsDrawing = true;
  }

  /** Poses and colours every figure.
   *
   * `look(track)` says what is shown: `{ mesh, skeleton, opacity, body, bones }` with 29 sRGB colours each, or null for nothing. */
  show(frame, look) {
    let count = 0;
    const centre = new THREE.Vector3();
    for (const { track, mesh, skeleton } of this.figures) {
      const wanted = track.present[frame] ? look(track) : null;
      skeleton.mesh.visible = Boolean(wanted && wanted.skeleton);
      if (mesh) mesh.mesh.visible = Boolean(wanted && wanted.mesh);
      if (!wanted) continue;
      this.kinematics.joints(track, frame, this.joints);
      centre.add(new THREE.Vector3(this.joints[0], this.joints[1], this.joints[2]));
      count++;
      if (skeleton.mesh.visible) skeleton.fill(frame, this.joints, wanted.bones);
      if (mesh && mesh.mesh.visible) {
        mesh.pose(frame);
        mesh.colour(wanted.body, wanted.opacity);
      }
    }
    this.centre = count ? centre.divideScalar(count) : null;
    this.needsDrawing = true;
  }

  /** Moves the camera with the people. */
  followPeople() {
    if (!this.centre) return;
    this.orbit.target.x += (this.centre.x - this.orbit.target.x) * 0.15;
    this.orbit.target.z += (this.centre.z - this.orbit.target.z) * 0.15;
    this.orbit.apply();
  }

  draw() {
    if (!this.needsDrawing) return;
    this.needsDrawing = false;
    this.renderer.clear();
    this.renderer.render(this.bodies, this.camera);
    this.renderer.clearDepth();
    this.renderer.render(this.bones, this.camera);
  }
}
