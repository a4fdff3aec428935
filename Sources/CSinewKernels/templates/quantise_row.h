/// Quantising one row of activations; contract: `sinew_quantise_row_function`.
///
/// Define `QUANTISE_NAME`, `vq_limits(low, high, poison, &min, &max, &sum)` (across the lanes), and
/// `vq_store(q, index, scaled, zero)`, which rounds VF_LANES values and stores them from value `index` on in the form of the
/// set, and `VQ_STORED_ZERO(zero)`, what the row must say; then include under the target attribute.

void QUANTISE_NAME(size_t k, size_t padded, const float *x, void *q, sinew_int8_row *row) {
    vf low = vf_set1(0.0f), high = vf_set1(0.0f), poison = vf_set1(0.0f);
    const size_t whole = k / VF_LANES * VF_LANES;
    for (size_t i = 0; i < whole; i += VF_LANES) {
        const vf value = vf_load(x + i);
        low = vf_min(value, low);
        high = vf_max(value, high);
        // 0 · x is NaN for NaN and infinity, which minimum and maximum may lose.
        poison = vf_fma(value, vf_set1(0.0f), poison);
    }
    vf tail = vf_set1(0.0f);
    if (whole < k) {
        tail = vf_load_first(x + whole, k - whole);
        low = vf_min(tail, low);
        high = vf_max(tail, high);
        poison = vf_fma(tail, vf_set1(0.0f), poison);
    }
    float min, max, broken;
    vq_limits(low, high, poison, &min, &max, &broken);
    const float range = max - min;
    const float inverse = range < 1e-30f ? 0.0f : 255.0f / range;
    const float middle = -min * inverse;
    // Adding and taking away 1.5 · 2^23 rounds to nearest; a range that is not finite has no zero point and needs none.
    const float shifted = middle + 12582912.0f;
    const float rounded = shifted - 12582912.0f;
    const int32_t zero = rounded <= 255.0f ? (int32_t)rounded : 0;
    row->scale = range < 1e-30f ? broken : range / 255.0f + broken;
    row->zero = VQ_STORED_ZERO(zero);
    const vf factor = vf_set1(inverse);
    for (size_t i = 0; i < whole; i += VF_LANES) vq_store(q, i, vf_mul(vf_load(x + i), factor), zero);
    size_t at = whole;
    if (whole < k) {
        vq_store(q, at, vf_mul(tail, factor), zero);
        at += VF_LANES;
    }
    for (; at < padded; at += VF_LANES) vq_store(q, at, vf_set1(0.0f), zero);
}
