/// Weighted sums of rows; contract: `sinew_mix_rows_function`. Define `MIX_ROWS_NAME`, then include under the target attribute.

/// `count` sums of one list from value `at` on; `count` is VF_LANES, or what is left of a row.
SINEW_INLINE vf mix_vector(
    const sinew_row_lists *lists, size_t list, const float *source, size_t stride, size_t at, size_t count) {
    vf sum = vf_set1(0.0f);
    for (size_t term = lists->starts[list]; term < lists->starts[list + 1]; term++) {
        const float *row = source + lists->rows[term] * stride + at;
        const vf values = count == VF_LANES ? vf_load(row) : vf_load_first(row, count);
        sum = vf_fma(values, vf_set1(lists->weights[term]), sum);
    }
    return sum;
}

void MIX_ROWS_NAME(const sinew_row_lists *lists, size_t frames, size_t width, const float *source, float *mixed) {
    const size_t stride = frames * width;
    for (size_t first = 0; first < lists->count; first += lists->group) {
        for (size_t frame = 0; frame < frames; frame++) {
            for (size_t list = first; list < first + lists->group; list++) {
                size_t at = 0;
                for (; at + VF_LANES <= width; at += VF_LANES)
                    vf_store(mixed + at, mix_vector(lists, list, source + frame * width, stride, at, VF_LANES));
                if (at < width)
                    vf_store_first(
                        mixed + at, width - at, mix_vector(lists, list, source + frame * width, stride, at, width - at));
                mixed += width;
            }
        }
    }
}
