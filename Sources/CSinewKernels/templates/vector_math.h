/// exp, tanh and the activations on one vector. Include after a `vector__<isa>.h`, under its target attribute.
///
/// Needs: `vf`, `VF_LANES`, `vf_set1 vf_add vf_sub vf_mul vf_div vf_fma(a,b,c) = a·b + c`, `vf_min vf_max` (give the
/// second argument where it is NaN), `vf_round`, `vf_pow2` (2^n for integral n in [-126, 127]), `vf_abs`,
/// `vf_copysign(magnitude, sign)`, `vf_select_less(x, y, a, b) = x < y ? a : b`.
#pragma once

/// Cephes `expf` (Moshier): n = round(x / ln 2), then a polynomial of degree 6 on the remainder in ±ln 2 / 2.
SINEW_INLINE vf v_exp(vf x) {
    x = vf_min(vf_set1(88.0f), x);
    x = vf_max(vf_set1(-87.0f), x);
    const vf n = vf_round(vf_mul(x, vf_set1(1.44269504088896341f)));
    // ln 2 in two parts, the first with few bits so that n times it is exact.
    vf r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    vf p = vf_set1(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set1(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set1(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set1(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set1(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set1(5.0000001201e-1f));
    p = vf_add(vf_fma(p, vf_mul(r, r), r), vf_set1(1.0f));
    return vf_mul(p, vf_pow2(n));
}

/// Cephes `tanhf`: an odd polynomial below 0.625, above it 1 − 2 / (exp(2|x|) + 1).
SINEW_INLINE vf v_tanh(vf x) {
    const vf magnitude = vf_abs(x);
    const vf z = vf_mul(x, x);
    vf p = vf_set1(-5.70498872745e-3f);
    p = vf_fma(p, z, vf_set1(2.06390887954e-2f));
    p = vf_fma(p, z, vf_set1(-5.37397155531e-2f));
    p = vf_fma(p, z, vf_set1(1.33314422036e-1f));
    p = vf_fma(p, z, vf_set1(-3.33332819422e-1f));
    const vf small = vf_fma(vf_mul(p, z), x, x);
    const vf e = v_exp(vf_add(magnitude, magnitude));
    const vf large = vf_sub(vf_set1(1.0f), vf_div(vf_set1(2.0f), vf_add(e, vf_set1(1.0f))));
    return vf_select_less(magnitude, vf_set1(0.625f), small, vf_copysign(large, x));
}

SINEW_INLINE vf v_activate(vf x, sinew_activation activation) {
    switch (activation) {
    case SINEW_ACTIVATION_IDENTITY:
        return x;
    case SINEW_ACTIVATION_LEAKY_RELU:
        // Equal to the definition because the slope is below 1: the larger of the two is the right branch.
        return vf_max(vf_mul(x, vf_set1(0.01f)), x);
    case SINEW_ACTIVATION_TANH:
        return v_tanh(x);
    case SINEW_ACTIVATION_RELU:
        return vf_max(vf_set1(0.0f), x);
    }
    return x;
}
