/* From the pixels of a picture to the tile that the network reads.
 *
 * A port of the Python package pairedge/image, step by step: each C file here ports the Python file of its
 * name (`steps.h` declares what they share), so that the two can be read side by side. C99, no dependencies
 * but the standard library's mathematics, and no memory but what the caller gives.
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

/* Bytes of memory that reading a picture of so many pixels takes; 0 where a side is not positive. Pictures
 * are shrunk to a longest side of 400 pixels first: no picture takes more than a square one of that side. */
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
