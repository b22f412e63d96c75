/* The largest value of each window. */
INLINE void max_pool(const float *restrict in, shape from, window kernel, float *restrict out, shape to)
{
    for (int i = 0; i < to.images * to.height * to.width; i++, out += to.channels) {
        const int top = i / to.width % to.height * kernel.stride, left = i % to.width * kernel.stride;
        const float *first = in + ((i / to.width / to.height * from.height + top) * from.width + left) * from.channels;
        for (int c = 0; c < to.channels; c++)
            out[c] = first[c];
        for (int y = 0; y < kernel.height; y++)
            for (int x = 0; x < kernel.width; x++)
                for (int c = 0; c < to.channels; c++) {
                    const float value = first[(y * from.width + x) * from.channels + c];
                    out[c] = value > out[c] ? value : out[c];
                }
    }
}
