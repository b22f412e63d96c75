/* How many channels are computed at once. Compilers keep so many sums in vectors; without vectors, in registers. */
enum { CHANNELS = LANES > 1 ? 32 : 4 };

/* `count` channels of one pixel, from `weights` on; `row` is the width of the input in elements. */
INLINE void quantized_channels(const int8_t *restrict in, int row, int channels_in, window kernel,
                               const int8_t *restrict weights, const int32_t *restrict biases,
                               const float *restrict scales, int zero, int channels, int8_t *restrict out, int count)
{
    int32_t sum[CHANNELS];
    for (int c = 0; c < count; c++)
        sum[c] = biases[c];
    for (int y = 0; y < kernel.height; y++)
        for (int i = y * row; i < y * row + kernel.width * channels_in; i++, weights += channels)
            for (int c = 0; c < count; c++)
                sum[c] += in[i] * weights[c];
    for (int c = 0; c < count; c++)
        out[c] = quantized((float)sum[c] * scales[c], zero);
}

/* A convolution of integers without padding. `weights` has a row of to.channels for each input of a window. */
INLINE void quantized_convolution(const int8_t *restrict in, shape from, window kernel, const int8_t *restrict weights,
                                  const int32_t *restrict biases, const float *restrict scales, int zero,
                                  int8_t *restrict out, shape to)
{
    const int row = from.width * from.channels, rest = to.channels % CHANNELS, full = to.channels - rest;
    for (int i = 0; i < to.images * to.height * to.width; i++, out += to.channels) {
        const int top = i / to.width % to.height * kernel.stride, left = i % to.width * kernel.stride;
        const int8_t *first = in + ((i / to.width / to.height * from.height + top) * from.width + left) * from.channels;
        for (int c = 0; c < full; c += CHANNELS)
            quantized_channels(first, row, from.channels, kernel, weights + c, biases + c, scales + c, zero,
                               to.channels, out + c, CHANNELS);
        if (rest)
            quantized_channels(first, row, from.channels, kernel, weights + full, biases + full, scales + full, zero,
                               to.channels, out + full, rest);
    }
}
