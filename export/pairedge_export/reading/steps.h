/* What the steps of a reading share. Sums and products round as NumPy's do, in the order of NumPy's. */
#ifndef PAIREDGE_STEPS_H
#define PAIREDGE_STEPS_H

#include <stddef.h>

#include "reading.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* a fused multiply-add rounds once where NumPy rounds twice */
#endif

enum { LONGEST_SIDE = PAIREDGE_LONGEST_SIDE, SMALL = 64 };

/* Levels or a mask (0 or 1), row by row. */
typedef struct {
    int height, width;
    float *at;
} Gray;

typedef struct {
    int height, width;
    unsigned char *at;
} Mask;

/* One to three planes of the same size, one after the other. */
typedef struct {
    int height, width, channels;
    float *at;
} Pixels;

/* Memory that is not taken yet. It is passed by value: what a function takes from its copy is free again
 * when the function returns. */
typedef struct {
    unsigned char *free;
} Memory;

typedef struct {
    int area, top, left, bottom, right; /* the last two exclusive */
} Part;

/* memory.c */
void *take(Memory *memory, size_t bytes);
Gray take_gray(Memory *memory, int height, int width);
Mask take_mask(Memory *memory, int height, int width);
Gray copy_gray(Memory *memory, Gray from);
Mask copy_mask(Memory *memory, Mask from);
int longer(int a, int b);
int shorter(int a, int b);

/* statistics.c */
float sum(const float *values, int count);
float largest(const float *values, int count);
float smallest(const float *values, int count);
float quantile(float *values, int count, double share); /* reorders the values */
float nth(float *values, int count, int place);         /* reorders the values */
double otsu(const float *values, int count);

/* resample.c */
typedef enum { BOX, BILINEAR } Filter;
void resize(Gray from, Gray to, Filter filter, Memory memory);
Pixels shrink(Memory *memory, Pixels from, int longest);
void shrink_bytes(const unsigned char *from, int width, int height, int channels, unsigned char *to,
                  int to_width, int to_height);

/* morphology.c */
void smooth(Gray values, int passes, Memory memory);
void dilate(Gray values, int reach);
void erode(Gray values, int reach);
void dilate_mask(Mask mask, int reach);
void dilate_mask_columns(Mask mask, int reach);
void erode_mask(Mask mask, int reach);
Mask transposed(Memory *memory, Mask from);
int count_set(Mask mask);
int connected_components(Mask mask, int *labels, Part *parts, Memory memory);
Part bounding_box(Mask mask);

/* linear.c */
void solve(int count, int targets, double table[6][9]);
double principal_axis(double matrix[3][3], double axis[3]);

/* decode.c, ink.c, digit.c, tile.c: the steps, in their order */
pairedge_reading to_pixels(const unsigned char *picture, int width, int height, int channels, Pixels pixels,
                           Memory memory);
pairedge_reading find_ink(Pixels pixels, Gray ink, Gray darkness, Memory memory);
pairedge_reading segment_digit(Gray ink, Gray darkness, Memory memory);
double stroke_width(Mask mask, Memory memory);
pairedge_reading write_tile(Gray strokes, unsigned char *tile, Memory memory);

#endif
