/* From colored pixels to ink: what is written, and how strongly, whatever it is written on. */
#include <math.h>
#include <string.h>

#include "steps.h"

static const float LUMINANCE[3] = {0.299f, 0.587f, 0.114f}; /* of red, green and blue */
static const double FAINTEST_INK = 24;

/* ---- light, color, shadow ---- */

static int border_length(int height, int width) { return 2 * (height + width); }

/* The values along the border: first row, last row, first column, last column. */
static float *along_border(Memory *memory, Gray values) {
    int height = values.height, width = values.width;
    float *border = take(memory, sizeof(float) * border_length(height, width)), *next = border;
    for (int x = 0; x < width; x++) *next++ = values.at[x];
    for (int x = 0; x < width; x++) *next++ = values.at[(height - 1) * width + x];
    for (int y = 0; y < height; y++) *next++ = values.at[y * width];
    for (int y = 0; y < height; y++) *next++ = values.at[y * width + width - 1];
    return border;
}

static Gray plane(Pixels pixels, int channel) {
    Gray gray = {pixels.height, pixels.width, pixels.at + (size_t)channel * pixels.height * pixels.width};
    return gray;
}

/* Subtract from each channel the median of the picture's border. */
static void subtract_border(Pixels pixels, Memory memory) {
    int count = pixels.height * pixels.width, length = border_length(pixels.height, pixels.width);
    for (int c = 0; c < pixels.channels; c++) {
        Memory here = memory;
        Gray levels = plane(pixels, c);
        float median = quantile(along_border(&here, levels), length, 0.5);
        for (int i = 0; i < count; i++) levels.at[i] -= median;
    }
}

static Pixels copy_pixels(Memory *memory, Pixels from) {
    size_t bytes = sizeof(float) * from.height * from.width * from.channels;
    Pixels copy = from;
    copy.at = memcpy(take(memory, bytes), from.at, bytes);
    return copy;
}

/* The root of the mean square of a pixel's channels. */
static float distance(Pixels pixels, int i) {
    float total = 0;
    for (int c = 0; c < pixels.channels; c++) {
        float value = plane(pixels, c).at[i];
        total += value * value;
    }
    return sqrtf(total / (float)pixels.channels);
}

/* Whether the paper is one even color: a drawing, a scan, a thumbnail, but no photo.
 * The differences are those from the border. */
static int plain_paper(Pixels differences, Memory memory) {
    int height = differences.height, width = differences.width, count = height * width, found = 0;
    if (longer(height, width) <= SMALL) return 1;
    Gray far = take_gray(&memory, height, width);
    for (int i = 0; i < count; i++) far.at[i] = distance(differences, i);
    double threshold = otsu(far.at, count);
    int length = border_length(height, width), beyond = 0;
    float *border = along_border(&memory, far);
    for (int i = 0; i < length; i++) {
        beyond += border[i] > (float)threshold;
        if (border[i] <= (float)threshold) border[found++] = border[i];
    }
    if (!found || quantile(border, found, 0.5) > 0.08 * threshold) return 0;
    /* A shadow, or the page on a table, takes much of the border and is broader than any stroke. */
    if ((double)beyond / length < 0.3) return 1;
    Mask other = take_mask(&memory, height, width);
    for (int i = 0; i < count; i++) other.at[i] = far.at[i] > (float)threshold;
    erode_mask(other, (int)rint(0.18 * longer(height, width)));
    return count_set(other) == 0;
}

/* Evenly spaced from -1 to 1. */
static double place(int i, int count) {
    if (count == 1 || i == 0) return -1;
    return i == count - 1 ? 1 : i * (2.0 / (count - 1)) - 1;
}

/* Subtract a quadratic surface over -1 to 1 both ways, by Horner's rule in y. */
static void subtract_surface(Gray values, const double coefficients[6]) {
    float level[LONGEST_SIDE], slope[LONGEST_SIDE], bend = (float)coefficients[5];
    for (int x = 0; x < values.width; x++) {
        double across = place(x, values.width);
        level[x] = (float)(coefficients[0] + across * (coefficients[1] + across * coefficients[3]));
        slope[x] = (float)(coefficients[2] + across * coefficients[4]);
    }
    for (int y = 0; y < values.height; y++) {
        float row = (float)place(y, values.height), *at = values.at + y * values.width;
        for (int x = 0; x < values.width; x++) at[x] -= (row * bend + slope[x]) * row + level[x];
    }
}

/* Subtract the paper of a photo: a quadratic polynomial of the place, fitted on a small copy while what lies
 * far from it (the ink) counts for less and less. */
static void subtract_background(Pixels pixels, Memory memory) {
    static const int terms_of_step[8] = {3, 3, 3, 6, 6, 6, 6, 6};
    Pixels small = shrink(&memory, pixels, SMALL), rest = copy_pixels(&memory, small);
    int width = small.width, count = small.height * width, channels = small.channels;
    double coefficients[3][6];
    float *terms = take(&memory, sizeof(float) * 6 * count);
    float *far = take(&memory, sizeof(float) * count), *weights = take(&memory, sizeof(float) * count);
    float *product = take(&memory, sizeof(float) * count);
    for (int i = 0; i < count; i++) {
        double y = place(i / width, small.height), x = place(i % width, width);
        double each[6] = {1, x, y, x * x, x * y, y * y};
        for (int k = 0; k < 6; k++) terms[k * count + i] = (float)each[k];
    }
    subtract_border(rest, memory);
    for (int step = 0; step < 8; step++) {
        int used = terms_of_step[step];
        for (int i = 0; i < count; i++) {
            far[i] = 0;
            for (int c = 0; c < channels; c++) far[i] += plane(rest, c).at[i] * plane(rest, c).at[i];
            product[i] = far[i];
        }
        float scale = (float)(4 * fmax(quantile(product, count, 0.5), 1.0));
        for (int i = 0; i < count; i++) {
            float closeness = 1 + far[i] / scale;
            weights[i] = 1 / (closeness * closeness);
        }
        double table[6][9];
        for (int k = 0; k < used; k++)
            for (int j = 0; j < used + channels; j++) {
                const float *other = j < used ? terms + j * count : plane(small, j - used).at;
                for (int i = 0; i < count; i++) product[i] = terms[k * count + i] * weights[i] * other[i];
                table[k][j] = sum(product, count);
            }
        solve(used, channels, table);
        memcpy(rest.at, small.at, sizeof(float) * count * channels);
        for (int c = 0; c < channels; c++) {
            for (int k = 0; k < 6; k++) coefficients[c][k] = k < used ? table[k][used + c] : 0;
            subtract_surface(plane(rest, c), coefficients[c]);
        }
    }
    for (int c = 0; c < channels; c++) subtract_surface(plane(pixels, c), coefficients[c]);
}

static float project(Pixels colors, int i, const float direction[3]) {
    return plane(colors, 0).at[i] * direction[0] + plane(colors, 1).at[i] * direction[1] +
           plane(colors, 2).at[i] * direction[2];
}

/* Whether the difference in luminance shows all of the ink, also its least bright part. */
static int luminance_shows(Pixels small, const float *far, float strong, Memory memory) {
    int count = small.height * small.width, found = 0;
    float *shown = take(&memory, sizeof(float) * count);
    for (int i = 0; i < count; i++)
        if (far[i] > strong) shown[found++] = fabsf(project(small, i, LUMINANCE)) / fmaxf(far[i], 1e-6f);
    return !found || quantile(shown, found, 0.1) > 0.65f;
}

/* One number a pixel: how far it is from the paper, and to which side. That is the difference in luminance
 * where that shows all of the ink; else the difference along the ink's own direction of color or, for ink of
 * several colors, the distance alone. */
static void to_contrast(Pixels difference, Gray contrast, Memory memory) {
    int count = contrast.height * contrast.width;
    if (difference.channels == 1) {
        memcpy(contrast.at, difference.at, sizeof(float) * count);
        return;
    }
    Pixels small = shrink(&memory, difference, 100); /* which has little noise */
    int few = small.height * small.width;
    float *far = take(&memory, sizeof(float) * few), *sorted = take(&memory, sizeof(float) * few);
    float direction[3] = {LUMINANCE[0], LUMINANCE[1], LUMINANCE[2]};
    for (int i = 0; i < few; i++) sorted[i] = far[i] = distance(small, i);
    if (!luminance_shows(small, far, (float)(0.5 * quantile(sorted, few, 0.995)), memory)) {
        double spread[3][3], axis[3];
        for (int k = 0; k < 9; k++) {
            spread[k / 3][k % 3] = 0;
            for (int i = 0; i < few; i++) {
                float a = plane(small, k / 3).at[i] * far[i], b = plane(small, k % 3).at[i] * far[i];
                spread[k / 3][k % 3] += (double)a * b;
            }
        }
        double length = principal_axis(spread, axis);
        if (!(length > 0.9 * (spread[0][0] + spread[1][1] + spread[2][2]))) {
            for (int i = 0; i < count; i++) contrast.at[i] = -distance(difference, i);
            return;
        }
        for (int c = 0; c < 3; c++) direction[c] = (float)axis[c];
    }
    for (int i = 0; i < count; i++) contrast.at[i] = project(difference, i, direction);
}

/* Whether the ink is darker than the paper: it is on the side where the larger differences are. */
static int dark_ink(Gray contrast, Memory memory) {
    int count = contrast.height * contrast.width;
    float *squares = take(&memory, sizeof(float) * count), sides[2];
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < count; i++) {
            float value = contrast.at[i];
            squares[i] = (value < 0) == (side == 0) ? value * value : 0;
        }
        sides[side] = sum(squares, count);
    }
    return sides[0] >= sides[1];
}

/* Where a place beyond the border is reflected to, or the border itself where the picture is too narrow. */
static int inside(int place, int count, int reflect) {
    if (place < 0) return reflect ? -place : 0;
    if (place >= count) return reflect ? 2 * (count - 1) - place : count - 1;
    return place;
}

/* How places of a small copy differ from the median of a wide neighborhood, which follows shadows. */
static Gray beside_surroundings(Memory *memory, Gray contrast) {
    enum { REACH = 10, WINDOW = 2 * REACH + 1 };
    Pixels whole = {contrast.height, contrast.width, 1, contrast.at}, small = shrink(memory, whole, 40);
    Gray from = plane(small, 0), rest = take_gray(memory, from.height, from.width);
    int reflect = shorter(from.height, from.width) > REACH;
    float around[WINDOW * WINDOW];
    for (int y = 0; y < from.height; y++)
        for (int x = 0; x < from.width; x++) {
            float *next = around;
            for (int v = y - REACH; v <= y + REACH; v++)
                for (int u = x - REACH; u <= x + REACH; u++)
                    *next++ = from.at[inside(v, from.height, reflect) * from.width +
                                      inside(u, from.width, reflect)];
            int i = y * from.width + x;
            rest.at[i] = from.at[i] - nth(around, WINDOW * WINDOW, WINDOW * WINDOW / 2);
        }
    return rest;
}

/* From a contrast in which paper is high and ink low to ink, in place. The paper is what remains when all
 * that is narrower than a window is filled (a morphological closing). */
static void remove_shadows(Gray contrast, Memory memory) {
    int count = contrast.height * contrast.width;
    int reach = longer(2, (int)rint(0.2 * shorter(contrast.height, contrast.width)));
    Gray paper = copy_gray(&memory, contrast);
    smooth(paper, 2, memory);
    dilate(paper, reach);
    erode(paper, reach);
    for (int i = 0; i < count; i++) contrast.at[i] = paper.at[i] - contrast.at[i];
    /* The filling follows the brightest grains of the paper: its middle level is a little lower. */
    memcpy(paper.at, contrast.at, sizeof(float) * count);
    float median = quantile(paper.at, count, 0.5);
    for (int i = 0; i < count; i++) contrast.at[i] = fmaxf(contrast.at[i] - median, 0);
}

/* The standard deviation of what varies from pixel to pixel, from the median step to the neighbor. */
static double noise_level(Gray contrast, Memory memory) {
    int steps = contrast.width - 1;
    if (steps < 1) return 0;
    float *step = take(&memory, sizeof(float) * contrast.height * steps);
    for (int y = 0; y < contrast.height; y++)
        for (int x = 0; x < steps; x++) {
            const float *at = contrast.at + y * contrast.width + x;
            step[y * steps + x] = fabsf(at[1] - at[0]);
        }
    return quantile(step, contrast.height * steps, 0.5) * 1.05; /* of normal noise */
}

/* Which share of the picture's border is ink. */
static double at_border(Gray ink, Memory memory) {
    int length = border_length(ink.height, ink.width), found = 0;
    float *border = along_border(&memory, ink), faint = 0.3f * largest(ink.at, ink.height * ink.width);
    for (int i = 0; i < length; i++) found += border[i] > faint;
    return (double)found / length;
}

/* The ink near ink, or an empty page would outweigh a small digit; how many pixels. */
static int near_ink(Gray ink, double faint, float *values, Memory memory) {
    int count = ink.height * ink.width, found = 0;
    Mask near = take_mask(&memory, ink.height, ink.width);
    for (int i = 0; i < count; i++) near.at[i] = ink.at[i] > (float)faint;
    dilate_mask(near, 4);
    for (int i = 0; i < count; i++)
        if (near.at[i]) values[found++] = ink.at[i];
    return found;
}

/* Levels of ink to shares of a full stroke, 0 to 1, in place. Otsu's threshold parts strokes from paper; the
 * ramp around it keeps the soft edges that MNIST's digits have. */
static pairedge_reading soft_threshold(Gray ink, double floor, Memory memory) {
    int count = ink.height * ink.width, found = 0;
    float full = largest(ink.at, count), *values = take(&memory, sizeof(float) * count);
    double threshold, stroke = full;
    if (full < floor) return PAIREDGE_NO_INK;
    if (longer(ink.height, ink.width) > SMALL) {
        found = near_ink(ink, fmax(floor, (double)full / 4), values, memory);
        threshold = fmax(otsu(values, found), floor);
    } else {
        threshold = otsu(ink.at, count);
    }
    found = 0;
    for (int i = 0; i < count; i++)
        if (ink.at[i] > (float)threshold) values[found++] = ink.at[i];
    if (found) stroke = quantile(values, found, 0.5);
    /* The ramp is symmetric around the threshold: it leaves paper at 0 and gives the typical stroke 1. */
    double reach = fmin(stroke - threshold, threshold) + 1e-6;
    float start = (float)(threshold - reach), length = (float)(2 * reach);
    for (int i = 0; i < count; i++) ink.at[i] = fminf(fmaxf((ink.at[i] - start) / length, 0), 1);
    return PAIREDGE_READ;
}

static void negate(Gray values) {
    for (int i = 0; i < values.height * values.width; i++) values.at[i] = -values.at[i];
}

/* Even paper needs nothing but the side on which the ink is. */
static pairedge_reading find_on_plain(Pixels differences, Gray ink, Gray darkness, Memory memory) {
    int count = ink.height * ink.width, photo = longer(ink.height, ink.width) > SMALL;
    to_contrast(differences, darkness, memory);
    double floor = photo ? fmax(FAINTEST_INK / 3, 6 * noise_level(darkness, memory)) : FAINTEST_INK;
    if (dark_ink(darkness, memory)) negate(darkness);
    for (int i = 0; i < count; i++) ink.at[i] = fmaxf(darkness.at[i], 0);
    return soft_threshold(ink, floor, memory);
}

/* A photo: the noise is averaged away first, the more the less the ink stands out from it. */
static pairedge_reading find_in_photo(Pixels differences, Gray ink, Gray darkness, Memory memory) {
    int count = ink.height * ink.width;
    Gray soft = darkness, dark = ink, light = take_gray(&memory, ink.height, ink.width);
    to_contrast(differences, soft, memory);
    double noise = noise_level(soft, memory);
    for (int i = 0; i < count; i++) light.at[i] = fabsf(soft.at[i]);
    double full = nth(light.at, count, count - 9);
    int passes = (int)fmin(fmax(noise / fmax(full, 1) * 40 - 1, 0), 6);
    Memory here = memory;
    int is_dark = dark_ink(beside_surroundings(&here, soft), here), whole_is_dark = dark_ink(soft, memory);
    smooth(soft, passes, memory);
    for (int i = 0; i < count; i++) {
        dark.at[i] = soft.at[i];
        light.at[i] = -soft.at[i];
    }
    remove_shadows(dark, memory);
    remove_shadows(light, memory);
    /* Around a digit that fills its picture, taken the wrong way, the paper is ink along much of the border. */
    double along_dark = at_border(dark, memory), along_light = at_border(light, memory);
    int ambiguous = fmin(along_dark, along_light) > 0.05 || is_dark != whole_is_dark;
    if (ambiguous && fabs(along_dark - along_light) > 0.3) is_dark = along_dark < along_light;
    if (is_dark)
        negate(darkness);
    else
        memcpy(ink.at, light.at, sizeof(float) * count);
    return soft_threshold(ink, fmax(FAINTEST_INK / 4, 4 * noise / (1 + passes)), memory);
}

/* How much ink each pixel holds, 0 to 1, and how dark it is, shadows included. */
pairedge_reading find_ink(Pixels pixels, Gray ink, Gray darkness, Memory memory) {
    Pixels differences = copy_pixels(&memory, pixels);
    subtract_border(differences, memory);
    if (plain_paper(differences, memory)) return find_on_plain(differences, ink, darkness, memory);
    subtract_background(pixels, memory);
    return find_in_photo(pixels, ink, darkness, memory);
}
