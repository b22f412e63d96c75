/* From ink to the digit's own strokes: ruled lines, specks and the edges of things are left out.
 *
 * Small pictures, up to SMALL pixels, are drawings, scans and thumbnails: they show no shadow and no edge of a
 * page, the digit may fill them from border to border, and few of their strokes are broken. */
#include <math.h>
#include <string.h>

#include "steps.h"

static const double STEEPEST_LINE = 0.12; /* how far ruled lines may rise, pixels for each pixel across */
static const double THICKEST_LINE = 0.02; /* of the picture's longer side */
static const double APART = 0.05; /* of the digit's longer side: parts that are closer are of one stroke */
enum { SLOPES = 13, TINY = 20 };  /* pixels: no picture up to this is of a page with lines */

/* How wide the strokes of a mask are, pixels: twice area divided by length of outline. */
double stroke_width(Mask mask, Memory memory) {
    Mask inner = copy_mask(&memory, mask);
    erode_mask(inner, 1);
    int area = count_set(mask), outline = area - count_set(inner);
    return fmax(1, 2.0 * area / longer(outline, 1));
}

/* ---- ruled paper ---- */

/* Draw the straight lines of one slope that fill the picture from border to border, and are thin in most of
 * it: the bar of a 7 is not. */
static void draw_lines(double slope, Mask near, Mask near_thin, Mask lines) {
    int height = near.height, width = near.width, low = 0, high = 0;
    int rises[LONGEST_SIDE]; /* how far the line lies below its middle, column by column */
    for (int x = 0; x < width; x++) {
        rises[x] = (int)rint(slope * (x - width / 2.0));
        low = shorter(low, rises[x]);
        high = longer(high, rises[x]);
    }
    for (int start = low; start < height + high; start++) {
        int inside = 0, full = 0, thin = 0;
        for (int x = 0; x < width; x++) {
            int y = start + rises[x];
            if (y < 0 || y >= height) continue;
            inside++;
            full += near.at[y * width + x];
            thin += near_thin.at[y * width + x];
        }
        double length = fmax(inside, 0.4 * width);
        if (!(full > 0.9 * length && thin > 0.4 * length)) continue;
        for (int x = 0; x < width; x++) {
            int y = start + rises[x];
            if (y >= 0 && y < height) lines.at[y * width + x] = 1;
        }
    }
}

/* Straight lines from border to border, level or nearly so, and where a mask is as thin as a line. */
static void crossing_lines(Mask mask, Mask lines, Mask thin, Memory memory) {
    int height = mask.height, width = mask.width, count = height * width, columns = 0;
    int reach = longer(1, (int)rint(THICKEST_LINE / 2 * longer(height, width)));
    for (int i = 0; i < count; i++) thin.at[i] = !mask.at[i];
    dilate_mask_columns(thin, reach);
    for (int i = 0; i < count; i++) thin.at[i] = !thin.at[i];
    dilate_mask_columns(thin, reach); /* the bulky part, so far */
    for (int i = 0; i < count; i++) thin.at[i] = mask.at[i] && !thin.at[i];
    memset(lines.at, 0, count);
    for (int x = 0; x < width; x++) {
        int any = 0;
        for (int y = 0; y < height && !any; y++) any = thin.at[y * width + x];
        columns += any;
    }
    if (columns < 0.4 * width) return;
    Mask near = copy_mask(&memory, mask), near_thin = copy_mask(&memory, thin);
    dilate_mask_columns(near, 1);
    dilate_mask_columns(near_thin, 1);
    for (int k = 0; k < SLOPES; k++) {
        double slope = k * (2 * STEEPEST_LINE / (SLOPES - 1)) - STEEPEST_LINE;
        draw_lines(k == SLOPES - 1 ? STEEPEST_LINE : slope, near, near_thin, lines);
    }
    dilate_mask_columns(lines, 1);
}

/* Take from a mask the thin lines that cross the picture. Where a stroke crosses a line, the mask is thicker
 * than a line and stays; where two lines cross, it goes. */
static void remove_lines(Mask mask, Memory memory) {
    int height = mask.height, width = mask.width, count = height * width;
    Mask bare = copy_mask(&memory, mask), level = take_mask(&memory, height, width);
    Mask thin_level = take_mask(&memory, height, width), turned = transposed(&memory, mask);
    Mask upright = take_mask(&memory, width, height), thin_upright = take_mask(&memory, width, height);
    crossing_lines(mask, level, thin_level, memory);
    crossing_lines(turned, upright, thin_upright, memory);
    upright = transposed(&memory, upright);
    thin_upright = transposed(&memory, thin_upright);
    for (int i = 0; i < count; i++)
        if ((level.at[i] && thin_level.at[i]) || (upright.at[i] && (thin_upright.at[i] || level.at[i])))
            bare.at[i] = 0;
    if (count_set(bare)) memcpy(mask.at, bare.at, count);
}

/* Whether a mask without lines is a digit with paper around it, in a small picture: where a digit fills its
 * picture, the bar of a 7 or the side of a 0 may be a line from border to border. */
static int is_framed(Mask mask, Mask strong) {
    Part box = bounding_box(mask);
    int inside = box.top > 0 && box.left > 0 && box.bottom < mask.height && box.right < mask.width;
    return 2 * box.area >= count_set(strong) && longer(mask.height, mask.width) > TINY && inside;
}

/* ---- parts ---- */

/* The rectangle that holds all kept parts, and their area. */
static Part all_kept(const Part *parts, const unsigned char *kept, int count, int height, int width) {
    Part all = {0, height, width, 0, 0};
    for (int k = 0; k < count; k++)
        if (kept[k]) {
            all.area += parts[k].area;
            all.top = shorter(all.top, parts[k].top);
            all.left = shorter(all.left, parts[k].left);
            all.bottom = longer(all.bottom, parts[k].bottom);
            all.right = longer(all.right, parts[k].right);
        }
    return all;
}

/* Keep the fit parts, too, that are no farther from the kept ones than a share of their size. */
static void keep_neighbors(const Part *parts, unsigned char *kept, const unsigned char *fit, int count,
                           double share, Mask mask, Memory memory) {
    unsigned char *more = take(&memory, count);
    int changed = 1;
    while (changed) {
        Part all = all_kept(parts, kept, count, mask.height, mask.width);
        changed = 0;
        for (int k = 0; k < count; k++) {
            int down = longer(all.top - parts[k].bottom, parts[k].top - all.bottom);
            int across = longer(all.left - parts[k].right, parts[k].left - all.right);
            int size = longer(all.bottom - all.top, all.right - all.left);
            more[k] = kept[k] || (fit[k] && longer(down, across) <= share * size);
            changed |= more[k] != kept[k];
        }
        memcpy(kept, more, count);
    }
}

/* Whether a part is a digit of its own, beside or below the main one, by their boxes: it is about as high, and
 * stands apart. The halves of a broken digit are closer, or end at different heights as those of a 4 do, or are
 * together no wider than one digit. In a small picture broken strokes are rare. */
static int is_another(Part main, Part other, int small) {
    int tall = main.bottom - main.top, other_tall = other.bottom - other.top;
    int beside = longer(other.left - main.right, main.left - other.right);
    int below = longer(other.top - main.bottom, main.top - other.bottom);
    int wide = longer(main.right, other.right) - shorter(main.left, other.left);
    int high = longer(main.bottom, other.bottom) - shorter(main.top, other.top);
    if (shorter(tall, other_tall) < 0.6 * longer(tall, other_tall)) return 0;
    if (beside > 0.5 * tall || below > 0.5 * tall) return 1;
    int level = -below >= 0.5 * longer(tall, other_tall);
    double narrowest = small || beside > 0.12 * tall ? 0.6 : 1.0;
    return level && beside > APART * tall && wide > narrowest * high;
}

/* ---- shadows ---- */

static Mask crop_mask(Memory *memory, Mask from, Part box) {
    Mask to = take_mask(memory, box.bottom - box.top, box.right - box.left);
    for (int y = 0; y < to.height; y++)
        memcpy(to.at + y * to.width, from.at + (box.top + y) * from.width + box.left, to.width);
    return to;
}

/* Which share of a mask lies close to something about as dark, ruled lines left aside: a stroke has paper on
 * all sides, the edge of a shadow has it on one, and grain is dark here and there. */
static double along_darkness(Mask mask, Mask lines, Gray darkness, Memory memory) {
    int reach = longer(5, (int)rint(stroke_width(mask, memory)) + 2), margin = 2 * reach + 2, close = 0;
    Part box = bounding_box(mask); /* nothing beyond counts, but for a margin */
    box.top = longer(box.top - margin, 0);
    box.left = longer(box.left - margin, 0);
    box.bottom = shorter(box.bottom + margin, mask.height);
    box.right = shorter(box.right + margin, mask.width);
    mask = crop_mask(&memory, mask, box);
    int height = mask.height, width = mask.width, count = height * width;
    Mask own = crop_mask(&memory, lines, box), around = copy_mask(&memory, mask);
    Gray paper = take_gray(&memory, height, width), full = take_gray(&memory, height, width);
    for (int y = 0; y < height; y++)
        memcpy(paper.at + y * width, darkness.at + (box.top + y) * darkness.width + box.left,
               sizeof(float) * width);
    Gray dark = copy_gray(&memory, paper);
    float least = smallest(paper.at, count);
    for (int i = 0; i < count; i++) {
        own.at[i] = own.at[i] || mask.at[i];
        full.at[i] = mask.at[i] ? paper.at[i] : least;
    }
    dilate_mask(around, reach);
    dilate_mask(own, 2);
    dilate(full, reach);
    erode(paper, reach + 2);
    for (int i = 0; i < count; i++)
        around.at[i] = around.at[i] && !own.at[i] &&
                       dark.at[i] > paper.at[i] + 0.6f * (full.at[i] - paper.at[i]);
    dilate_mask(around, reach);
    for (int i = 0; i < count; i++) close += around.at[i] && mask.at[i];
    return (double)close / count_set(mask);
}

/* Whether a mask is the edge of a darker area rather than strokes. */
static int is_edge(Mask mask, Mask lines, Gray darkness, Memory memory) {
    return along_darkness(mask, lines, darkness, memory) > 0.4;
}

/* ---- the digit ---- */

/* Find the parts that are the digit, and set `own` where they are. */
static pairedge_reading find_digit(Mask mask, Mask lines, Gray darkness, int small, Mask own, double *thick,
                                   Memory memory) {
    int height = mask.height, width = mask.width, pixels = height * width, main = 0;
    int *labels = take(&memory, sizeof(int) * pixels);
    Part *parts = take(&memory, sizeof(Part) * ((height + 1) / 2) * ((width + 1) / 2));
    int count = connected_components(mask, labels, parts, memory);
    if (!count) return PAIREDGE_NO_INK;
    unsigned char *kept = take(&memory, count), *fit = take(&memory, count), *sides = take(&memory, count);
    unsigned char *large = take(&memory, count);
    /* What touches the border is rather a shadow or the edge of the page, unless nothing else is there. */
    double most = 0;
    for (int k = 0; k < count; k++) {
        Part part = parts[k];
        sides[k] = (part.top == 0) + (part.left == 0) + (part.bottom == height) + (part.right == width);
        if (small) sides[k] = 0;
        double mass = part.area * (sides[k] ? 0.15 : 1.0);
        if (mass > most) {
            most = mass;
            main = k;
        }
    }
    for (int i = 0; i < pixels; i++) own.at[i] = labels[i] == main;
    *thick = stroke_width(own, memory);
    for (int k = 0; k < count; k++) {
        kept[k] = k == main;
        large[k] = parts[k].area >= 0.5 * *thick * *thick;
        fit[k] = large[k] && (!sides[k] || sides[main]);
    }
    keep_neighbors(parts, kept, fit, count, APART, mask, memory);
    Part whole = all_kept(parts, kept, count, height, width);
    for (int k = 0; k < count; k++) {
        if (!large[k] || sides[k] >= 2 || kept[k] || parts[k].area < 0.25 * whole.area) continue;
        if (!is_another(whole, parts[k], small)) continue;
        for (int i = 0; i < pixels; i++) own.at[i] = labels[i] == k;
        if (!sides[k] || !is_edge(own, lines, darkness, memory)) return PAIREDGE_SEVERAL;
    }
    keep_neighbors(parts, kept, fit, count, 0.35, mask, memory);
    for (int i = 0; i < pixels; i++) own.at[i] = labels[i] >= 0 && kept[labels[i]];
    return PAIREDGE_READ;
}

/* Leave in the ink what belongs to the digit. */
pairedge_reading segment_digit(Gray ink, Gray darkness, Memory memory) {
    int height = ink.height, width = ink.width, count = height * width, small = longer(height, width) <= SMALL;
    Mask strong = take_mask(&memory, height, width), own = take_mask(&memory, height, width);
    for (int i = 0; i < count; i++) strong.at[i] = ink.at[i] >= 0.5f;
    Mask mask = copy_mask(&memory, strong);
    remove_lines(mask, memory);
    if (small && !is_framed(mask, strong)) memcpy(mask.at, strong.at, count);
    Mask lines = take_mask(&memory, height, width);
    for (int i = 0; i < count; i++) lines.at[i] = strong.at[i] && !mask.at[i];
    double thick;
    pairedge_reading reading = find_digit(mask, lines, darkness, small, own, &thick, memory);
    if (reading != PAIREDGE_READ) return reading;
    if (!small && is_edge(own, lines, darkness, memory)) return PAIREDGE_NO_INK;
    /* Their soft edges too, and the small holes where lines crossed, but nothing of what was left out. */
    Mask near = copy_mask(&memory, own);
    dilate_mask(near, longer(2, (int)rint(thick / 2)));
    for (int i = 0; i < count; i++) strong.at[i] = strong.at[i] && !own.at[i]; /* the others */
    dilate_mask(strong, 1);
    dilate_mask(own, 2);
    for (int i = 0; i < count; i++)
        if (!own.at[i] && !(near.at[i] && !strong.at[i])) ink.at[i] = 0;
    return PAIREDGE_READ;
}
