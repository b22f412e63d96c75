/* Reads pictures from standard input and writes what became of each: for benchmarks/reading_in_c.py.
 *
 * In: width, height, channels (32-bit integers of this machine), then the pixels; again and again.
 * Out: a byte, the answer of pairedge_read_picture, then the tile. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

int main(void) {
    int32_t size[3];
    while (fread(size, sizeof size, 1, stdin) == 1) {
        size_t count = (size_t)size[0] * size[1] * size[2], bytes = pairedge_reading_bytes(size[0], size[1]);
        unsigned char *pixels = malloc(count), *memory = malloc(bytes), tile[14 * 14] = {0};
        if (!pixels || !memory || fread(pixels, 1, count, stdin) != count) return 1;
        memset(memory, 0xA5, bytes); /* what it reads, it has to have written */
        unsigned char answer =
            (unsigned char)pairedge_read_picture(pixels, size[0], size[1], size[2], memory, bytes, tile);
        fwrite(&answer, 1, 1, stdout);
        fwrite(tile, sizeof tile, 1, stdout);
        free(pixels);
        free(memory);
    }
    return 0;
}
