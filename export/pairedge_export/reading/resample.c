/* Resizing as Pillow does it: means over whole pixels to shrink, linear interpolation to grow. */
#include <math.h>

#include "steps.h"

/* Which pixels of `size` one of `to_size` is made of, from *first on, and their weights; how many. */
static int weigh(int place, int size, int to_size, Filter filter, int *first, double *weights) {
    double scale = (double)size / to_size, stretch = scale < 1 ? 1 : scale;
    double support = (filter == BOX ? 0.5 : 1.0) * stretch, middle = (place + 0.5) * scale, total = 0;
    int start = longer((int)(middle - support + 0.5), 0);
    int count = shorter((int)(middle + support + 0.5), size) - start;
    for (int i = 0; i < count; i++) {
        double x = (i + start - middle + 0.5) * (1.0 / stretch);
        if (filter == BOX)
            weights[i] = x > -0.5 && x <= 0.5 ? 1 : 0;
        else
            weights[i] = fabs(x) < 1 ? 1 - fabs(x) : 0;
        total += weights[i];
    }
    for (int i = 0; i < count; i++) weights[i] /= total;
    *first = start;
    return count;
}

/* Across first, then down, the rows between rounded to float32. */
void resize(Gray from, Gray to, Filter filter, Memory memory) {
    double weights[LONGEST_SIDE + 2];
    int first;
    Gray between = take_gray(&memory, from.height, to.width);
    for (int x = 0; x < to.width; x++) {
        int count = weigh(x, from.width, to.width, filter, &first, weights);
        for (int y = 0; y < from.height; y++) {
            double total = 0;
            for (int i = 0; i < count; i++) total += from.at[y * from.width + first + i] * weights[i];
            between.at[y * to.width + x] = (float)total;
        }
    }
    for (int y = 0; y < to.height; y++) {
        int count = weigh(y, from.height, to.height, filter, &first, weights);
        for (int x = 0; x < to.width; x++) {
            double total = 0;
            for (int i = 0; i < count; i++) total += between.at[(first + i) * to.width + x] * weights[i];
            to.at[y * to.width + x] = (float)total;
        }
    }
}

/* Average levels down to a longest side; smaller ones keep theirs. */
Pixels shrink(Memory *memory, Pixels from, int longest) {
    double scale = fmin(1.0, (double)longest / longer(from.height, from.width));
    int width = longer(1, (int)rint(from.width * scale)), height = longer(1, (int)rint(from.height * scale));
    Pixels to = {height, width, from.channels, NULL};
    to.at = take(memory, sizeof(float) * height * width * from.channels);
    for (int c = 0; c < from.channels; c++) {
        Gray plane = {from.height, from.width, from.at + (size_t)c * from.height * from.width};
        Gray small = {height, width, to.at + (size_t)c * height * width};
        resize(plane, small, BOX, *memory);
    }
    return to;
}

/* The pixels from *first on that one of `to_size` is the mean of; how many. */
static int box(int place, int size, int to_size, int *first) {
    double scale = (double)size / to_size, middle = (place + 0.5) * scale, support = 0.5 * scale;
    int start = longer((int)(middle - support + 0.5), 0);
    int end = shorter((int)(middle + support + 0.5), size);
    while ((start - middle + 0.5) * (1.0 / scale) <= -0.5) start++;
    while ((end - 1 - middle + 0.5) * (1.0 / scale) > 0.5) end--;
    *first = start;
    return end - start;
}

enum { BITS = 22 }; /* after the point, of Pillow's weights */

/* A level of a pixel, its color times its opacity where it has one, as Pillow rounds that. */
static int level(const unsigned char *pixel, int channels, int c) {
    if (channels < 4 || c == 3) return pixel[c];
    int product = pixel[c] * pixel[3] + 128;
    return ((product >> 8) + product) >> 8;
}

/* The mean of weighted levels, rounded. */
static int rounded(long long total) { return (int)((total + (1 << (BITS - 1))) >> BITS); }

/* Average bytes down: across first, then down, the rows between rounded to bytes. Colors count by their
 * opacity. */
void shrink_bytes(const unsigned char *from, int width, int height, int channels, unsigned char *to,
                  int to_width, int to_height) {
    for (int y = 0; y < to_height; y++) {
        int top, rows = box(y, height, to_height, &top);
        int down = (int)(1.0 / rows * (1 << BITS) + 0.5);
        for (int x = 0; x < to_width; x++, to += channels) {
            int left, columns = box(x, width, to_width, &left);
            int across = (int)(1.0 / columns * (1 << BITS) + 0.5);
            for (int c = 0; c < channels; c++) {
                long long total = 0;
                for (int row = top; row < top + rows; row++) {
                    const unsigned char *pixel = from + ((size_t)row * width + left) * channels;
                    long long levels = 0;
                    for (int i = 0; i < columns; i++, pixel += channels) levels += level(pixel, channels, c);
                    total += (long long)shorter(rounded(levels * across), 255) * down;
                }
                to[c] = (unsigned char)shorter(rounded(total), 255);
            }
            if (channels == 4 && to[3] != 0 && to[3] != 255)
                for (int c = 0; c < 3; c++) to[c] = (unsigned char)shorter(255 * to[c] / to[3], 255);
        }
    }
}
