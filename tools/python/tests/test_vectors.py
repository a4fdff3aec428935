"""The generated messages against proto/vectors, whose bytes another msgpack implementation made."""

from __future__ import annotations

import pathlib

import msgpack
import numpy as np
import pytest

from sinew._codec import CodecError, Message
from sinew._generated import error, fleet, health, jobs, pose_solver, trace, worker
from sinew._head import Head
from sinew._tensor import Tensor

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "proto" / "vectors"
KINDS: dict[str, type[Message]] = {
    "append-tasks-request": jobs.AppendTasksRequest, "call-metadata": trace.CallMetadata,
    "lenient-call-metadata": trace.CallMetadata, "reply-metadata": trace.ReplyMetadata, "error-detail": error.ErrorDetail,
    "error-detail-required": error.ErrorDetail, "fleet-status-reply": fleet.FleetStatusReply,
    "health-check-reply": health.HealthCheckReply, "job-results-reply": jobs.JobResultsReply,
    "job-status": jobs.JobStatus, "lenient-solve-poses-request": pose_solver.SolvePosesRequest,
    "list-models-reply": fleet.ListModelsReply, "solve-effectors-request": pose_solver.SolveEffectorsRequest,
    "solve-poses-reply": pose_solver.SolvePosesReply, "solve-poses-request": pose_solver.SolvePosesRequest,
    "submit-job-request": jobs.SubmitJobRequest, "worker-hello": worker.WorkerHello,
    "worker-welcome": worker.WorkerWelcome,
}


def vector(name: str) -> bytes:
    lines = (VECTORS / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line.partition("#")[0] for line in lines))


def names() -> list[str]:
    return sorted(path.stem for path in VECTORS.glob("*.hex"))


@pytest.mark.parametrize("name", [name for name in names() if "head-" not in name])
def test_a_golden_vector_is_read_and_written_back(name: str) -> None:
    data = vector(name)
    # A vector without a class here would be one that nobody reads.
    message = KINDS[name].decode(data)
    if name.startswith("lenient"):
        again = KINDS[name].decode(message.encode())
        assert again == message
    else:
        assert message.encode() == data


@pytest.mark.parametrize("name", [name for name in names() if "head-" in name])
def test_a_golden_head_is_read_and_written_back(name: str) -> None:
    data = vector(name)
    head = Head.decode(data)
    if not name.startswith("lenient"):
        assert head.encode() == data


def test_the_values_of_a_vector_are_those_of_the_message() -> None:
    reply = pose_solver.SolvePosesReply.decode(vector("solve-poses-reply"))
    assert reply.theta.array.tolist() == [[[0.5, -0.5, 3.25]], [[0, 0, 0]]]
    assert reply.quality.latent_norm == [0.75, 0.0] and reply.quality.unobserved_joints == [3, 0]
    assert reply.item_errors[0].message == "joint 4 is NaN" and reply.worker == "anna-17"
    lenient = pose_solver.SolvePosesRequest.decode(vector("lenient-solve-poses-request"))
    assert lenient.sigma is None and lenient.joints.array.dtype == np.float64
    result = jobs.JobResultsReply.decode(vector("job-results-reply")).results[1]
    assert result.outcome is jobs.TaskOutcome.DEAD and result.payload == b"\x81\xa1a\x01"


def test_a_received_tensor_is_a_view_into_the_frame() -> None:
    frame = bytearray(vector("solve-poses-reply"))
    theta = pose_solver.SolvePosesReply.decode(frame).theta.array
    at = frame.index(np.float32(3.25).tobytes())
    frame[at:at + 4] = np.float32(7.5).tobytes()
    assert theta[0, 0, 2] == 7.5 and not theta.flags.writeable


@pytest.mark.parametrize("name", [name for name in names() if "head-" not in name])
def test_every_truncation_and_every_flipped_byte_is_refused_or_read(name: str) -> None:
    data = vector(name)
    for end in range(len(data)):
        with pytest.raises(CodecError):
            KINDS[name].decode(data[:end])
    for at in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            try:
                KINDS[name].decode(data[:at] + bytes([data[at] ^ mask]) + data[at + 1:])
            except CodecError:
                pass  # The one way in which reading may fail.


@pytest.mark.parametrize(("fields", "said"), [
    ({"joints": {"dtype": "float16", "shape": [1], "data": b"\0\0"}}, "float16"),
    ({"joints": {"dtype": "float32", "shape": [2], "data": b"\0\0"}}, "needs 8"),
    ({"joints": {"dtype": "float32", "shape": [2**32 - 1] * 8, "data": b""}}, "needs"),
    ({"joints": {"dtype": "float32", "shape": [1] * 9, "data": b"\0\0\0\0"}}, "9 axes"),
    ({"joints": {"dtype": "float32", "shape": [0]}}, "without data"),
    ({"skeleton": 7}, "skeleton: a string was expected"),
    ({"tracks": [1, -1]}, "tracks: an array of integers"),
    ({"refine": True}, "refine: an integer"),
    ({"genders": "male"}, "genders: an array of strings"),
    ({"x" * 129: 1}, "128 bytes"),
    ({7: 1}, "field's name"),
])
def test_a_wrong_field_is_named(fields: dict[object, object], said: str) -> None:
    with pytest.raises(CodecError, match="SolvePosesRequest") as caught:
        pose_solver.SolvePosesRequest.decode(msgpack.packb(fields))
    assert said in str(caught.value)


def test_what_does_not_fit_a_field_is_not_written() -> None:
    with pytest.raises(CodecError, match="ErrorDetail.code"):
        error.ErrorDetail(code=-1).encode()
    with pytest.raises(CodecError, match="TaskBlock.index"):
        jobs.TaskBlock(index=1 << 64).encode()
    with pytest.raises(CodecError, match="SolvePosesRequest.tracks"):
        pose_solver.SolvePosesRequest(tracks=[1, 1 << 32]).encode()
    with pytest.raises(CodecError, match="float16"):
        pose_solver.SolvePosesRequest(joints=Tensor(np.zeros(3, np.float16))).encode()


def test_a_number_of_a_later_version_is_kept() -> None:
    data = msgpack.packb({"state": 99, "label": "x"})
    status = jobs.JobStatus.decode(data)
    assert status.state == 99 and status.state.name == "UNRECOGNIZED_99"
    assert jobs.JobStatus.decode(status.encode()) == status


@pytest.mark.parametrize("elements", [
    [2] + [0] * 12, [1, 1], [1, 99, "", "", 0, None, 0, 1, 0, "", 0, 0, 0], [1, 5, "", "", 0, None, 0, 1, 0, "", 0, 17, 0],
    [1, 5, "", "", -1, None, 0, 1, 0, "", 0, 0, 0], [1, 5, "m" * 129, "", 0, None, 0, 1, 0, "", 0, 0, 0],
    [1, 5, "", "", 0, None, 0, 1, 0, 4, 0, 0, 0], [1, 5, "", "", 0, None, 0, 256, 0, "", 0, 0, 0], [], ["x"],
])
def test_a_head_that_is_none_is_refused(elements: list[object]) -> None:
    with pytest.raises(CodecError, match="head"):
        Head.decode(msgpack.packb(elements))
