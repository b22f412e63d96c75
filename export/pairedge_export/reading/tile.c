/* From strokes to a tile: the digit scaled into a 20x20 box, its center of mass put in the middle of 28x28, as
 * MNIST is, then averaged 2x2. And the reading as a whole. */
#include <math.h>
#include <string.h>

#include "steps.h"

enum { TILE = PAIREDGE_TILE_SIDE, MNIST_SIDE = 28, MNIST_BOX = 20, FINE_BOX = 100 };
static const double THIN_STROKE = 0.07, THICK_STROKE = 0.155; /* widths of MNIST's strokes */

static Mask strong(Memory *memory, Gray ink) {
    Mask mask = take_mask(memory, ink.height, ink.width);
    for (int i = 0; i < ink.height * ink.width; i++) mask.at[i] = ink.at[i] >= 0.5f;
    return mask;
}

/* The smallest rectangle that holds all ink of at least half strength; of height 0 where there is none. */
static Gray crop(Memory *memory, Gray ink) {
    Memory here = *memory;
    Part box = bounding_box(strong(&here, ink));
    Gray to = {0, 0, NULL};
    if (!box.area) return to;
    to = take_gray(memory, box.bottom - box.top, box.right - box.left);
    for (int y = 0; y < to.height; y++) /* the mask's memory is overwritten: it is not needed any more */
        memcpy(to.at + y * to.width, ink.at + (box.top + y) * ink.width + box.left, sizeof(float) * to.width);
    return to;
}

static Gray padded(Memory *memory, Gray ink, int margin) {
    Gray to = take_gray(memory, ink.height + 2 * margin, ink.width + 2 * margin);
    memset(to.at, 0, sizeof(float) * to.height * to.width);
    for (int y = 0; y < ink.height; y++)
        memcpy(to.at + (margin + y) * to.width + margin, ink.at + y * ink.width, sizeof(float) * ink.width);
    return to;
}

/* Ink with a longer side of so many pixels: averaged to shrink, interpolated to grow. */
static Gray scaled(Memory *memory, Gray ink, int longest) {
    double scale = (double)longest / longer(ink.height, ink.width);
    int height = longer(1, (int)rint(ink.height * scale)), width = longer(1, (int)rint(ink.width * scale));
    Gray to = take_gray(memory, height, width);
    resize(ink, to, scale < 1 ? BOX : BILINEAR, *memory);
    return to;
}

/* Widen strokes that are thinner than MNIST's, thin those that are thicker; leave the others alone. */
static Gray normalize_stroke_width(Memory *memory, Gray ink) {
    Gray fine = scaled(memory, ink, FINE_BOX);
    Memory here = *memory;
    double width = stroke_width(strong(&here, padded(&here, fine, 1)), here);
    double normal = fmin(fmax(width, THIN_STROKE * FINE_BOX), THICK_STROKE * FINE_BOX);
    int reach = (int)rint((normal - width) / 2);
    if (reach == 0) return ink;
    fine = padded(memory, fine, reach > 0 ? reach : -reach);
    if (reach > 0) {
        dilate(fine, reach);
        return fine;
    }
    erode(fine, -reach);
    Gray thinned = crop(memory, fine);
    return thinned.height ? thinned : ink;
}

/* Where ink starts, along one way, when its center of mass is in the middle, as far as it stays inside. */
static int start_of(const float *sums, int count, double mass) {
    double moment = 0;
    for (int i = 0; i < count; i++) moment += sums[i] * (i + 0.5);
    int start = (int)rint(MNIST_SIDE / 2 - moment / mass);
    return shorter(longer(start, 0), MNIST_SIDE - count);
}

static void center(Gray ink, float field[MNIST_SIDE][MNIST_SIDE]) {
    float rows[MNIST_BOX] = {0}, columns[MNIST_BOX] = {0};
    double mass = sum(ink.at, ink.height * ink.width);
    for (int y = 0; y < ink.height; y++) {
        rows[y] = sum(ink.at + y * ink.width, ink.width);
        for (int x = 0; x < ink.width; x++) columns[x] += ink.at[y * ink.width + x];
    }
    int top = start_of(rows, ink.height, mass), left = start_of(columns, ink.width, mass);
    for (int y = 0; y < ink.height; y++)
        for (int x = 0; x < ink.width; x++) field[top + y][left + x] = ink.at[y * ink.width + x] * 255;
}

pairedge_reading write_tile(Gray strokes, unsigned char *tile, Memory memory) {
    float field[MNIST_SIDE][MNIST_SIDE] = {{0}};
    Gray ink = crop(&memory, strokes);
    if (!ink.height) return PAIREDGE_NO_INK;
    ink = normalize_stroke_width(&memory, ink);
    center(scaled(&memory, ink, MNIST_BOX), field);
    for (int i = 0; i < TILE * TILE; i++) {
        const float *upper = &field[i / TILE * 2][i % TILE * 2], *lower = upper + MNIST_SIDE;
        tile[i] = (unsigned char)rintf((upper[0] + upper[1] + lower[0] + lower[1]) / 4);
    }
    return PAIREDGE_READ;
}

/* The size of the pixels that a picture is read from. */
static Pixels reading_size(int width, int height, int channels) {
    double scale = fmin(1.0, (double)LONGEST_SIDE / longer(width, height));
    Pixels pixels = {height, width, channels == 1 ? 1 : 3, NULL};
    if (scale < 1) {
        pixels.height = longer(1, (int)rint(height * scale));
        pixels.width = longer(1, (int)rint(width * scale));
    }
    return pixels;
}

size_t pairedge_reading_bytes(int width, int height) {
    if (width <= 0 || height <= 0) return 0;
    Pixels size = reading_size(width, height, 3);
    return PAIREDGE_READING_BYTES(size.width * size.height);
}

pairedge_reading pairedge_read_picture(const unsigned char *picture, int width, int height, int channels,
                                       void *memory, size_t bytes,
                                       unsigned char tile[PAIREDGE_TILE_SIDE * PAIREDGE_TILE_SIDE]) {
    size_t needed = pairedge_reading_bytes(width, height);
    if (!needed || bytes < needed || (channels != 1 && channels != 3 && channels != 4)) return PAIREDGE_UNUSABLE;
    Memory free = {memory};
    Pixels pixels = reading_size(width, height, channels);
    Gray ink = take_gray(&free, pixels.height, pixels.width);
    Gray darkness = take_gray(&free, pixels.height, pixels.width);
    pairedge_reading reading;
    {
        Memory here = free;
        pixels.at = take(&here, sizeof(float) * pixels.height * pixels.width * pixels.channels);
        reading = to_pixels(picture, width, height, channels, pixels, here);
        if (reading == PAIREDGE_READ) reading = find_ink(pixels, ink, darkness, here);
    }
    if (reading == PAIREDGE_READ) reading = segment_digit(ink, darkness, free);
    if (reading == PAIREDGE_READ) reading = write_tile(ink, tile, free);
    return reading;
}
