"""The temporal attention keeps what it must keep, its golden vectors are reproduced, and the noise on clips has the presets' size."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from sinew_train.clip_noise import corrupt_clip, drifting, lost_frames
from sinew_train.noise import LOST_PROBABILITY
from sinew_train.rotations import from_axis_angle
from sinew_train.temporal import TemporalAttention, acceleration_error

FIXTURES = Path(__file__).resolve().parents[3] / "Tests" / "SinewModelsTests" / "Fixtures"


def test_a_frame_alone_keeps_its_rotations_and_a_constant_clip_stays():
    generator = torch.Generator().manual_seed(1)
    attention = TemporalAttention(3)
    one = from_axis_angle(torch.randn(1, 24, 3, generator=generator))
    for frames in [1, 9]:
        clip = one.expand(frames, -1, -1, -1)
        sigma = torch.rand(frames, 29, generator=generator)
        with torch.no_grad():
            found = attention(clip, sigma, torch.rand(frames, generator=generator))
        torch.testing.assert_close(found, clip, atol=1e-5, rtol=0)


def test_golden_vectors_are_reproduced():
    golden = load_file(FIXTURES / "niki_temporal.safetensors")
    attention = TemporalAttention(2).double()
    tensors = load_file(FIXTURES / "niki_temporal" / "1" / "weights.safetensors")
    attention.load_state_dict({name.removeprefix("temporal."): value.double() for name, value in tensors.items()})
    for track in golden["tracks"].unique():
        rows = golden["tracks"] == track
        with torch.no_grad():
            found = attention(
                golden["static"][rows].double(), golden["conditioned_sigma"][rows].double(), golden["latent_norm"][rows].double())
        torch.testing.assert_close(found.float(), golden["rotations"][rows], atol=1e-5, rtol=0)


def test_noise_on_clips_has_the_size_of_the_presets():
    generator = torch.Generator().manual_seed(2)
    drawn = drifting(4000, (50,), generator)
    assert abs(drawn.std() - 1) < 0.05
    assert 0.4 < (drawn[1:] * drawn[:-1]).mean() < 0.5
    share = torch.stack([lost_frames(300, generator) > 0 for _ in range(400)]).float().mean()
    assert abs(share - LOST_PROBABILITY) < 0.02
    joints = torch.zeros(300, 29, 3)
    seen = corrupt_clip("standard", joints, torch.zeros(300, 23), generator)
    assert 0.01 < seen.joints.norm(dim=-1).mean() < 0.08 and seen.sigma.max() <= 0.4
    assert acceleration_error(seen.joints, joints).mean() > 1
    assert acceleration_error(joints, joints).mean() == 0
