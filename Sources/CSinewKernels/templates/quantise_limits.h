/// `vq_limits` for sets without reductions across lanes.
#pragma once

SINEW_INLINE void vq_limits(vf low, vf high, vf poison, float *min, float *max, float *broken) {
    float lows[VF_LANES], highs[VF_LANES], poisons[VF_LANES];
    vf_store(lows, low);
    vf_store(highs, high);
    vf_store(poisons, poison);
    *min = *max = *broken = 0.0f;
    for (size_t lane = 0; lane < VF_LANES; lane++) {
        if (lows[lane] < *min) *min = lows[lane];
        if (highs[lane] > *max) *max = highs[lane];
        *broken += poisons[lane];
    }
}
