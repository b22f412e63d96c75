/* From bytes to pixels: small, and on paper where the picture is transparent. */
#include "steps.h"

/* Lay colors with opacity on the paper that shows them: white or black. When less than half is transparent,
 * what is opaque is a page of its own, whose color goes on below. */
static pairedge_reading on_paper(Pixels pixels, const unsigned char *layers, Memory memory) {
    int count = pixels.height * pixels.width;
    float *opacity = take(&memory, sizeof(float) * count), ground[3], mean[3] = {0, 0, 0};
    for (int i = 0; i < count; i++) opacity[i] = (float)layers[4 * i + 3] / 255;
    float total = sum(opacity, count), covered = total / (float)count;
    if (covered == 0) return PAIREDGE_NO_INK;
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < count; i++) mean[c] += (float)layers[4 * i + c] * opacity[i];
        mean[c] /= total;
    }
    float level = (mean[0] + mean[1] + mean[2]) / 3;
    for (int c = 0; c < 3; c++) ground[c] = covered > 0.5f ? mean[c] : level > 127 ? 0 : 255;
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < count; i++)
            pixels.at[c * count + i] =
                (float)layers[4 * i + c] * opacity[i] + ground[c] * (1 - opacity[i]);
    return PAIREDGE_READ;
}

/* The pixels have the size that they are shrunk to, and one or three planes. */
pairedge_reading to_pixels(const unsigned char *picture, int width, int height, int channels, Pixels pixels,
                           Memory memory) {
    int count = pixels.height * pixels.width;
    if (pixels.width != width || pixels.height != height) {
        unsigned char *small = take(&memory, (size_t)count * channels);
        shrink_bytes(picture, width, height, channels, small, pixels.width, pixels.height);
        picture = small;
    }
    if (channels == 4) return on_paper(pixels, picture, memory);
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < count; i++) pixels.at[c * count + i] = picture[channels * i + c];
    return PAIREDGE_READ;
}
