/* Compares two pictures of digits, PGM files of any size, as `pairedge predict` does: ./compare three.pgm seven.pgm */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairedge.h"
#include "reading.h"

enum { TILE = PAIREDGE_TILE_SIDE * PAIREDGE_TILE_SIDE };

static int refuse(const char *path, const char *reason)
{
    fprintf(stderr, "%s: %s\n", path, reason);
    return 1;
}

/* The next number of a header, behind spaces and comments; -1 where there is none. */
static int number(FILE *file)
{
    int value = -1;
    while (fscanf(file, " #%*[^\n]") != EOF && fscanf(file, "%d", &value) == 0 && !feof(file)) {
        const int next = fgetc(file);
        if (next != '#' && next != ' ' && next != '\n')
            break;
        ungetc(next, file);
    }
    return value;
}

/* Reads a picture to a tile; 0 when there is one. */
static int read_tile(const char *path, uint8_t tile[TILE])
{
    static const char *const refusals[] = {
        [PAIREDGE_NO_INK] = "shows no digit",
        [PAIREDGE_SEVERAL] = "shows several digits",
        [PAIREDGE_UNUSABLE] = "is not a picture that can be read",
    };
    FILE *file = fopen(path, "rb");
    if (!file)
        return refuse(path, "cannot be opened");
    char kind[3] = "";
    const int known = fscanf(file, "%2s", kind) == 1 && !strcmp(kind, "P5");
    const int width = known ? number(file) : -1, height = known ? number(file) : -1, white = known ? number(file) : -1;
    fgetc(file); /* the space before the pixels */
    uint8_t *pixels = NULL;
    void *memory = NULL;
    pairedge_reading answer = PAIREDGE_UNUSABLE;
    if (width > 0 && height > 0 && width < 10000 && height < 10000 && white == 255) {
        const size_t size = (size_t)width * (size_t)height, bytes = pairedge_reading_bytes(width, height);
        pixels = malloc(size);
        memory = malloc(bytes);
        if (pixels && memory && fread(pixels, 1, size, file) == size)
            answer = pairedge_read_picture(pixels, width, height, 1, memory, bytes, tile);
    }
    free(memory);
    free(pixels);
    fclose(file);
    return answer == PAIREDGE_READ ? 0 : refuse(path, refusals[answer]);
}

/* The most probable digit. */
static int most_probable(const float probabilities[PAIREDGE_DIGITS])
{
    int best = 0;
    for (int digit = 1; digit < PAIREDGE_DIGITS; digit++)
        best = probabilities[digit] > probabilities[best] ? digit : best;
    return best;
}

int main(int count, char **words)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s FIRST.pgm SECOND.pgm\n", words[0]);
        return 2;
    }
    uint8_t images[2 * TILE];
    if (read_tile(words[1], images) || read_tile(words[2], images + TILE))
        return 1;
    float leq, digits[2 * PAIREDGE_DIGITS];
    pairedge_pair(1, images, &leq, digits);
    const int first = most_probable(digits), second = most_probable(digits + PAIREDGE_DIGITS);
    float confidence = leq > 1 - leq ? leq : 1 - leq;
    confidence = digits[first] < confidence ? digits[first] : confidence;
    confidence = digits[PAIREDGE_DIGITS + second] < confidence ? digits[PAIREDGE_DIGITS + second] : confidence;
    printf("%d %s %d  P(first <= second) = %.4f%s\n", first, leq >= 0.5F ? "<=" : ">", second, leq,
           confidence < PAIREDGE_PAIR_CONFIDENCE ? "  uncertain" : "");
    return 0;
}
