/* Morphology of gray levels and masks. */
#include <string.h>

#include "steps.h"

/* Average each pixel with its neighbors (1 2 1, down and across), so many times, in place. */
void smooth(Gray values, int passes, Memory memory) {
    Gray old = take_gray(&memory, values.height, values.width);
    for (int pass = 0; pass < 2 * passes; pass++) {
        int down = pass % 2 == 0, last = (down ? values.height : values.width) - 1;
        memcpy(old.at, values.at, sizeof(float) * values.height * values.width);
        for (int y = 0; y < values.height; y++)
            for (int x = 0; x < values.width; x++) {
                int i = y * values.width + x, place = down ? y : x, step = down ? values.width : 1;
                float before = old.at[place > 0 ? i - step : i], after = old.at[place < last ? i + step : i];
                values.at[i] = (before + after) / 4 + old.at[i] / 2;
            }
    }
}

/* The highest value within reach on a line of pixels `step` apart: windows of 1, 2, 4 ..., then the rest. */
static void dilate_line(float *values, int count, int step, int reach) {
    float line[2 * LONGEST_SIDE];
    int length = count + 2 * reach, window = 2 * reach + 1;
    for (int i = 0; i < length; i++) line[i] = values[step * shorter(longer(i - reach, 0), count - 1)];
    for (int span = 1; span < window;) {
        int shift = shorter(span, window - span);
        length -= shift;
        for (int i = 0; i < length; i++)
            if (line[i + shift] > line[i]) line[i] = line[i + shift];
        span += shift;
    }
    for (int i = 0; i < count; i++) values[step * i] = line[i];
}

/* The highest value within `reach` rows and columns, in place. */
void dilate(Gray values, int reach) {
    for (int x = 0; x < values.width; x++) dilate_line(values.at + x, values.height, values.width, reach);
    for (int y = 0; y < values.height; y++) dilate_line(values.at + y * values.width, values.width, 1, reach);
}

/* The lowest value within `reach` rows and columns, in place. */
void erode(Gray values, int reach) {
    int count = values.height * values.width;
    for (int i = 0; i < count; i++) values.at[i] = -values.at[i];
    dilate(values, reach);
    for (int i = 0; i < count; i++) values.at[i] = -values.at[i];
}

/* As dilate_line, of 0 and 1: what was set is remembered for `reach` pixels, forward and then back. */
static void dilate_mask_line(unsigned char *mask, int count, int step, int reach) {
    unsigned char line[LONGEST_SIDE];
    int left = 0;
    for (int i = 0; i < count; i++) {
        left = mask[step * i] ? reach + 1 : left - 1;
        line[i] = left > 0;
    }
    left = 0;
    for (int i = count - 1; i >= 0; i--) {
        left = mask[step * i] ? reach + 1 : left - 1;
        mask[step * i] = line[i] || left > 0;
    }
}

void dilate_mask_columns(Mask mask, int reach) {
    for (int x = 0; x < mask.width; x++) dilate_mask_line(mask.at + x, mask.height, mask.width, reach);
}

void dilate_mask(Mask mask, int reach) {
    dilate_mask_columns(mask, reach);
    for (int y = 0; y < mask.height; y++) dilate_mask_line(mask.at + y * mask.width, mask.width, 1, reach);
}

void erode_mask(Mask mask, int reach) {
    int count = mask.height * mask.width;
    for (int i = 0; i < count; i++) mask.at[i] = !mask.at[i];
    dilate_mask(mask, reach);
    for (int i = 0; i < count; i++) mask.at[i] = !mask.at[i];
}

Mask transposed(Memory *memory, Mask from) {
    Mask to = take_mask(memory, from.width, from.height);
    for (int y = 0; y < from.height; y++)
        for (int x = 0; x < from.width; x++) to.at[x * from.height + y] = from.at[y * from.width + x];
    return to;
}

int count_set(Mask mask) {
    int found = 0;
    for (int i = 0; i < mask.height * mask.width; i++) found += mask.at[i];
    return found;
}

static int root(int *parent, int label) {
    while (parent[label] != label) label = parent[label] = parent[parent[label]];
    return label;
}

/* Label the connected components of a mask; pixels that touch at corners are connected.
 *
 * labels  height * width: the part each pixel belongs to, or -1
 * parts   the parts in the order of their first pixels: at most one for every two rows and two columns
 * Returns the number of parts.
 */
int connected_components(Mask mask, int *labels, Part *parts, Memory memory) {
    int height = mask.height, width = mask.width, count = 0, found = 0;
    int *parent = take(&memory, sizeof(int) * ((height + 1) / 2) * ((width + 1) / 2));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int i = y * width + x, label = -1;
            const int before[4][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}};
            for (int k = 0; mask.at[i] && k < 4; k++) {
                int v = y + before[k][0], u = x + before[k][1];
                if (v < 0 || u < 0 || u >= width || labels[v * width + u] < 0) continue;
                int other = root(parent, labels[v * width + u]);
                if (label < 0) label = other;
                parent[longer(label, other)] = shorter(label, other);
                label = shorter(label, other);
            }
            if (mask.at[i] && label < 0) {
                label = count++;
                parent[label] = label;
            }
            labels[i] = label;
        }
    /* A root is the first label of its part, so the parts can be numbered on the way. */
    for (int label = 0; label < count; label++) {
        Part none = {0, height, width, 0, 0};
        if (parent[label] == label) {
            parts[found] = none;
            parent[label] = -1 - found++; /* below 0: the number of a part */
        } else {
            parent[label] = parent[parent[label]];
        }
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int *label = labels + y * width + x;
            if (*label < 0) continue;
            *label = -1 - parent[*label];
            Part *part = parts + *label;
            part->area++;
            part->top = shorter(part->top, y);
            part->left = shorter(part->left, x);
            part->bottom = longer(part->bottom, y + 1);
            part->right = longer(part->right, x + 1);
        }
    return found;
}

/* The area of a mask and the rectangle that holds it; of area 0 where nothing is set. */
Part bounding_box(Mask mask) {
    Part box = {0, mask.height, mask.width, 0, 0};
    for (int y = 0; y < mask.height; y++)
        for (int x = 0; x < mask.width; x++)
            if (mask.at[y * mask.width + x]) {
                box.area++;
                box.top = shorter(box.top, y);
                box.left = shorter(box.left, x);
                box.bottom = longer(box.bottom, y + 1);
                box.right = longer(box.right, x + 1);
            }
    return box;
}
