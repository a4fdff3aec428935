"""3D joints in, SMPL rotations out: the Python client of Sinew.

>>> import sinew
>>> with sinew.Client() as client:                       # sinew up runs a broker and workers on this machine
...     poses = client.solve(joints, model="niki")       # [n, 29, 3] metres, y up
>>> poses.theta                                          # [n, 24, 3] axis-angle, radians

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Client": "client", "AsyncClient": "aio", "People": "people", "Effector": "effectors", "Poses": "poses", "Part": "poses",
    "ItemError": "poses", "ScenePart": "_plan", "Job": "jobs", "JobResult": "_jobs", "JobStatus": "_jobs", "AsyncJob": "aio", "TaskOutcome": "_jobs", "JobState": "_jobs",
    "Correction": "_correct", "Doubt": "_triage", "Collection": "_collect", "world_rotations": "_rotations", "Skeleton": "skeletons", "SKELETONS": "skeletons", "SMPL24": "skeletons", "SMPL29": "skeletons",
    "SinewError": "errors", "Cancelled": "errors", "UnknownFailure": "errors", "InvalidArgument": "errors",
    "DeadlineExceeded": "errors", "NotFound": "errors", "AlreadyExists": "errors", "PermissionDenied": "errors",
    "ResourceExhausted": "errors", "FailedPrecondition": "errors", "Aborted": "errors", "OutOfRange": "errors",
    "Unimplemented": "errors", "Internal": "errors", "Unavailable": "errors", "DataLoss": "errors", "Unauthenticated": "errors",
    "ErrorCode": "errors",
}
__all__ = [*_HOMES, "__version__", "readers"]  # noqa: PLE0604

if TYPE_CHECKING:
    from . import readers as readers
    from ._collect import Collection as Collection
    from ._correct import Correction as Correction
    from ._plan import ScenePart as ScenePart
    from ._rotations import world_rotations as world_rotations
    from ._triage import Doubt as Doubt
    from ._jobs import JobResult as JobResult, JobState as JobState, JobStatus as JobStatus, TaskOutcome as TaskOutcome
    from .aio import AsyncClient as AsyncClient, AsyncJob as AsyncJob
    from .client import Client as Client
    from .effectors import Effector as Effector
    from .errors import (
        Aborted as Aborted, AlreadyExists as AlreadyExists, Cancelled as Cancelled, DataLoss as DataLoss,
        DeadlineExceeded as DeadlineExceeded, ErrorCode as ErrorCode, FailedPrecondition as FailedPrecondition,
        Internal as Internal, InvalidArgument as InvalidArgument, NotFound as NotFound, OutOfRange as OutOfRange,
        PermissionDenied as PermissionDenied, ResourceExhausted as ResourceExhausted, SinewError as SinewError,
        Unauthenticated as Unauthenticated, Unavailable as Unavailable, Unimplemented as Unimplemented,
        UnknownFailure as UnknownFailure,
    )
    from .jobs import Job as Job
    from .people import People as People
    from .poses import ItemError as ItemError, Part as Part, Poses as Poses
    from .skeletons import SKELETONS as SKELETONS, SMPL24 as SMPL24, SMPL29 as SMPL29, Skeleton as Skeleton


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "readers":
        return import_module(".readers", __name__)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sinew' has no attribute '{name}'")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "readers"})
