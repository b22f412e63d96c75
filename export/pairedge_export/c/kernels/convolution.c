/* A tile of a convolution's output: `count` channels, from `weights` on, of the pixels whose windows begin at
   in[at[0]], in[at[1]], ... The sums stay in registers. `row` is the width of the input in floats, `channels` that of
   the output. Vectors may reach past `count`: what they read there is not stored. */
INLINE void tile(const float *restrict in, const int *restrict at, int row, int channels_in, window kernel,
                 const float *restrict weights, int channels, float *restrict out, int pixels, int count, int relu)
{
    vector sum[PIXELS][VECTORS];
    const int vectors = (count + LANES - 1) / LANES;
    for (int p = 0; p < pixels; p++)
        for (int v = 0; v < vectors; v++)
            sum[p][v] = ((const vector *)weights)[v];
    for (int y = 0; y < kernel.height; y++)
        ROLLED for (int i = y * row; i < y * row + kernel.width * channels_in; i++) {
            weights += channels;
            for (int p = 0; p < pixels; p++)
                for (int v = 0; v < vectors; v++)
                    sum[p][v] += in[at[p] + i] * ((const vector *)weights)[v];
        }
    for (int p = 0; p < pixels; p++, out += channels)
        for (int v = 0; v < vectors; v++) {
            const vector value = relu ? RECTIFIED(sum[p][v]) : sum[p][v];
            if ((v + 1) * LANES <= count)
                ((vector *)out)[v] = value;
            else
                memcpy(out + v * LANES, &value, sizeof(float) * (count % LANES));
        }
}

/* The next `pixels` outputs, of which the first is that at column *x, row *y of the images. */
INLINE void pixels_of(const float *restrict in, shape from, window kernel, const float *restrict weights,
                      float *restrict out, shape to, int first, int pixels, int relu)
{
    int at[PIXELS];
    const int row = from.width * from.channels;
    for (int p = 0; p < pixels; p++) {
        const int x = (first + p) % to.width, y = (first + p) / to.width;
        at[p] = (y / to.height * from.height + y % to.height * kernel.stride) * row + x * kernel.stride * from.channels;
    }
    const int block = VECTORS * LANES, rest = to.channels % block;
    for (int c = 0; c < to.channels - rest; c += block)
        tile(in, at, row, from.channels, kernel, weights + c, to.channels, out + first * to.channels + c, pixels, block, relu);
    if (rest)
        tile(in, at, row, from.channels, kernel, weights + to.channels - rest, to.channels,
             out + (first + 1) * to.channels - rest, pixels, rest, relu);
}

/* A convolution without padding. `weights` has to.channels biases, then a row of to.channels for each input of a
   window, then zeros for vectors that reach past the end. */
INLINE void convolution(const float *restrict in, shape from, window kernel, const float *restrict weights,
                        float *restrict out, shape to, int relu)
{
    const int total = to.images * to.height * to.width, rest = total % PIXELS;
    for (int first = 0; first < total - rest; first += PIXELS)
        pixels_of(in, from, kernel, weights, out, to, first, PIXELS, relu);
    if (rest)
        pixels_of(in, from, kernel, weights, out, to, total - rest, rest, relu);
}
