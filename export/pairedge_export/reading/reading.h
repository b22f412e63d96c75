/* From the pixels of a picture to the tile that the network reads.
 *
 * A port of the Python package pairedge/image: decode.c, ink.c, digit.c, tile.c, morphology.c and linear.c port
 * the files of their names step by step, so that the two can be read side by side; statistics.c, resample.c and
 * memory.c stand in for NumPy and Pillow. C99, no dependencies but the standard library's mathematics, and no
 * memory but what the caller gives.
 */
#ifndef PAIREDGE_READING_H
#define PAIREDGE_READING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAIREDGE_TILE_SIDE 14

typedef enum {
    PAIREDGE_READ = 0,     /* the tile is written */
    PAIREDGE_NO_INK = 1,   /* the picture is blank, too faint, or shows nothing like a digit */
    PAIREDGE_SEVERAL = 2,  /* it shows more than one digit */
    PAIREDGE_UNUSABLE = 3  /* no pixels, another number of channels, or too little memory */
} pairedge_reading;

/* Pictures are shrunk to a longest side of so many pixels first. */
#define PAIREDGE_LONGEST_SIDE 400

/* Bytes of memory that reading so many pixels takes: the planes that are there at once while a photo is read
 * (ink, darkness, three of the pixels, three of their differences from the paper, and three of a smoothed copy
 * on its way), and small copies, at most 100 pixels long. */
#define PAIREDGE_READING_BYTES(pixels) ((size_t)(pixels) * 11 * sizeof(float) + 400000)
#define PAIREDGE_MOST_READING_BYTES PAIREDGE_READING_BYTES(PAIREDGE_LONGEST_SIDE * PAIREDGE_LONGEST_SIDE)

/* The same for a picture of this size, which may be shrunk; 0 where a side is not positive. */
size_t pairedge_reading_bytes(int width, int height);

/* Read one picture.
 *
 * pixels    width * height * channels levels, 0 to 255, row by row from the top
 * channels  1: gray; 3: red, green, blue; 4: the same and opacity
 * memory    what `pairedge_reading_bytes` asks for, aligned as for a double; its content does not matter
 * tile      14 * 14 levels, 0 to 255, white ink on black; written only when the answer is PAIREDGE_READ
 */
pairedge_reading pairedge_read_picture(const unsigned char *pixels, int width, int height, int channels,
                                       void *memory, size_t bytes,
                                       unsigned char tile[PAIREDGE_TILE_SIDE * PAIREDGE_TILE_SIDE]);

#ifdef __cplusplus
}
#endif

#endif
