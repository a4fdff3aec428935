"""The fixtures say what the networks do in float32 too, within the Swift tests' tolerance."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sinew_train import conditioning
from sinew_train.body import REPOSITORY
from sinew_train.checkpoint import read_model
from sinew_train.conditioning import Observations

FIXTURES = REPOSITORY / "Tests" / "SinewModelsTests" / "Fixtures"
CASES = ["niki_ts_none", "niki_ts_heading", "niki_one_stage_none", "niki_one_stage_heading", "mlp_ik_heading", "inn_heading"]


@pytest.mark.parametrize("name", CASES)
def test_float32_run_agrees_with_the_recorded_vectors(name):
    z = load_file(FIXTURES / f"{name}.safetensors")
    model, described = read_model(FIXTURES / name / "1")
    seen = Observations(z["joints"], z["sigma"], z["observed"].bool(), z["twists"], z["has_twists"].bool())
    bones = described["conditioning"] == "heading-bones"
    given = conditioning.heading_bones(seen, z["rest"]) if bones else conditioning.root_relative(seen)
    rotation6d, swing6d, latent = model.inverse(given, z["betas"])
    expected_input = given.mlp_input() if name.startswith("mlp") else given.flow_input()
    torch.testing.assert_close(expected_input, z["input"], atol=1e-5, rtol=0)
    scale = z["rotation6d"].abs().max()
    torch.testing.assert_close(rotation6d, z["rotation6d"], atol=1e-5 * float(scale), rtol=0)
    if name.startswith("mlp"):
        return
    observation, fk_swing6d, _ = model.forward(z["fk_rotation6d"], z["fk_latent"], z["betas"])
    torch.testing.assert_close(observation, z["fk_observation"], atol=2e-5, rtol=0)
    back, _, _ = _inverse_of(model, observation, z, fk_swing6d)
    torch.testing.assert_close(back, z["fk_rotation6d"], atol=1e-5, rtol=0)


def _inverse_of(model, observation, z, fk_swing6d):
    class Given:
        phi = z.get("fk_phi")

        @staticmethod
        def flow_input(padding):
            return observation

    return model.inverse(Given, z["betas"])
