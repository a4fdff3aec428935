"""A small view for notebooks: skeletons as lines, to turn and to play. One page that stands alone and asks no network."""

from __future__ import annotations

import base64
import html
import json
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .skeletons import SMPL29

if TYPE_CHECKING:
    from .poses import Poses

#: Rows that a view holds; a longer clip is thinned evenly.
ROWS_MAX = 2000

_PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{title}</title><style>
html,body{{margin:0;height:100%;font:13px system-ui,sans-serif;background:#fff;color:#222}}
@media(prefers-color-scheme:dark){{html,body{{background:#181a1b;color:#ddd}}}}
canvas{{width:100%;height:calc(100% - 34px);display:block;touch-action:none;cursor:grab}}
div{{height:34px;display:flex;gap:8px;align-items:center;padding:0 8px}}input{{flex:1}}
</style></head><body><canvas></canvas><div><button>play</button><input type="range" min="0" value="0"><span></span></div><script>
const data={data};
const bytes=Uint8Array.from(atob(data.joints),c=>c.charCodeAt(0));
const joints=new Float32Array(bytes.buffer),J=data.parents.length;
const canvas=document.querySelector('canvas'),slider=document.querySelector('input'),text=document.querySelector('span'),
button=document.querySelector('button'),g=canvas.getContext('2d');
let yaw=0.5,pitch=0.15,zoom=1,playing=0,frame=0;
slider.max=data.frames.length-1;
function draw(){{
  const ratio=devicePixelRatio||1,w=canvas.clientWidth*ratio,h=canvas.clientHeight*ratio;
  if(canvas.width!=w||canvas.height!=h){{canvas.width=w;canvas.height=h}}
  g.clearRect(0,0,w,h);
  const scale=zoom*Math.min(w,h)/data.size,cy=Math.cos(yaw),sy=Math.sin(yaw),cp=Math.cos(pitch),sp=Math.sin(pitch);
  const place=(x,y,z)=>{{x-=data.centre[0];y-=data.centre[1];z-=data.centre[2];
    const u=cy*x+sy*z,v=-sy*x+cy*z;return[w/2+scale*u,h/2-scale*(cp*y+sp*v*-1)]}};
  g.lineWidth=1*ratio;g.strokeStyle='#8886';
  for(let i=-4;i<=4;i++)for(const[a,b]of[[[i/2,-2],[i/2,2]],[[-2,i/2],[2,i/2]]]){{
    const p=place(a[0]+data.centre[0],data.floor,a[1]+data.centre[2]),q=place(b[0]+data.centre[0],data.floor,b[1]+data.centre[2]);
    g.beginPath();g.moveTo(...p);g.lineTo(...q);g.stroke()}}
  for(const row of data.frames[frame]){{
    const at=j=>place(joints[(row*J+j)*3],joints[(row*J+j)*3+1],joints[(row*J+j)*3+2]);
    g.lineWidth=3*ratio;g.strokeStyle=`hsl(${{data.hue[row]}} 70% 50%)`;g.lineCap='round';
    for(let j=1;j<J;j++){{g.beginPath();g.moveTo(...at(data.parents[j]));g.lineTo(...at(j));g.stroke()}}}}
  text.textContent=data.labels[frame];slider.value=frame}}
let last=0,hold=0;
function tick(now){{if(!playing)return;hold+=now-last;last=now;const step=1000/data.fps;
  while(hold>=step){{frame=(frame+1)%data.frames.length;hold-=step}}draw();requestAnimationFrame(tick)}}
button.onclick=()=>{{playing^=1;button.textContent=playing?'pause':'play';last=performance.now();hold=0;requestAnimationFrame(tick)}};
slider.oninput=()=>{{frame=+slider.value;draw()}};
canvas.onpointerdown=e=>canvas.setPointerCapture(e.pointerId);
canvas.onpointermove=e=>{{if(e.buttons){{yaw-=e.movementX*.01;pitch=Math.max(-1.5,Math.min(1.5,pitch+e.movementY*.01));draw()}}}};
canvas.onwheel=e=>{{e.preventDefault();zoom*=Math.exp(-e.deltaY*.001);draw()}};
onresize=draw;draw();
</script></body></html>"""


def page(poses: Poses) -> str:
    """The page. Rows of one frame are shown together, green where they fit their joints and red where they do not."""
    chosen = np.flatnonzero(poses.solved)
    if chosen.size > ROWS_MAX:
        chosen = chosen[:: -(-chosen.size // ROWS_MAX)]
    joints = np.ascontiguousarray(poses.joints[chosen], "<f4")
    numbers = chosen if poses.frames is None else poses.frames[chosen]
    frames: dict[int, list[int]] = {}
    for place, number in enumerate(numbers.tolist()):
        frames.setdefault(number, []).append(place)
    ordered = sorted(frames)
    places = joints.reshape(-1, 3) if chosen.size else np.array([[0, 0, 0], [1, 1, 1]], np.float32)
    low, high = places.min(0), places.max(0)
    residual = poses.joint_residual_mm[chosen]
    data = {
        "joints": base64.b64encode(joints.tobytes()).decode(), "parents": list(SMPL29.parents), "frames": [frames[key] for key in ordered],
        "labels": [f"frame {key}, residual {residual[frames[key]].mean():.1f} mm" for key in ordered],
        "hue": [int(120 * (1 - min(value / 60, 1))) for value in residual.tolist()], "centre": ((low + high) / 2).tolist(),
        "floor": float(low[1]), "size": max(float(np.linalg.norm(high - low)), 0.5) * 1.1, "fps": poses.fps or 30,
    }
    if not ordered:
        data["frames"], data["labels"] = [[]], ["no pose was solved"]
    return _PAGE.format(title=html.escape(f"{len(poses)} poses of {poses.model or 'nobody'}"), data=json.dumps(data).replace("<", "\\u003c"))


def frame(poses: Poses) -> str:
    """The page inside a notebook's cell."""
    return (
        f'<iframe srcdoc="{html.escape(page(poses))}" style="width:100%;height:420px;border:1px solid #8884" '
        'sandbox="allow-scripts"></iframe>')


def show(poses: Poses) -> Any:
    """The view of a notebook, or a page in a browser."""
    try:
        from IPython import get_ipython  # type: ignore[import-not-found, unused-ignore]
        from IPython.display import HTML  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        get_ipython = None
    if get_ipython is not None and get_ipython() is not None:
        return HTML(frame(poses))
    with tempfile.NamedTemporaryFile("w", suffix=".html", prefix="sinew-", delete=False, encoding="utf-8") as file:
        file.write(page(poses))
    webbrowser.open(Path(file.name).as_uri())
    return file.name
