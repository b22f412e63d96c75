/* What the page asks of WebAssembly: read a picture into one of two places, and answer for what is there.
 * The page reaches all arrays through their addresses. */
#include <stdint.h>

#include "pairedge.h"
#include "reading.h"

#define EXPORT(name) __attribute__((export_name(#name)))

enum { PLACES = 2, LONGEST = 800, TILE = PAIREDGE_TILE_SIDE * PAIREDGE_TILE_SIDE };

static uint8_t picture[LONGEST * LONGEST * 4]; /* red, green, blue, opacity; the page shrinks what is larger */
static uint8_t tiles[PLACES][TILE];
static double memory[PAIREDGE_MOST_READING_BYTES / sizeof(double)]; /* of a reading */
static float probability, posteriors[PLACES][PAIREDGE_DIGITS], embedding[PAIREDGE_EMBEDDING];
static const float thresholds[2] = {PAIREDGE_PAIR_CONFIDENCE, PAIREDGE_DIGIT_CONFIDENCE};
static const char facts[] =
    PAIREDGE_VERSION "\n" PAIREDGE_VARIANT "\n" PAIREDGE_PRECISION "\n" PAIREDGE_WEIGHTS_SHA256;

EXPORT(longest) int longest(void) { return LONGEST; }
EXPORT(picture_at) void *picture_at(void) { return picture; }
EXPORT(tile_at) void *tile_at(int place) { return tiles[place]; }
EXPORT(leq_at) const float *leq_at(void) { return &probability; }
EXPORT(posterior_at) const float *posterior_at(int place) { return posteriors[place]; }
EXPORT(thresholds_at) const float *thresholds_at(void) { return thresholds; }
EXPORT(facts_at) const char *facts_at(void) { return facts; }
EXPORT(card_at) const char *card_at(void) { return pairedge_card; }

/* Read the picture, of this size, into a place: 0 or why it is refused, as in reading.h. */
EXPORT(read) int read_picture(int place, int width, int height) {
    return pairedge_read_picture(picture, width, height, 4, memory, sizeof memory, tiles[place]);
}

/* The probability of each digit for the tile at one place. */
EXPORT(classify) void classify(int place) { pairedge_digit(1, tiles[place], posteriors[place], embedding); }

/* P(first <= second), and the probability of each digit for both tiles. */
EXPORT(compare) void compare(void) { pairedge_pair(1, tiles[0], &probability, posteriors[0]); }
