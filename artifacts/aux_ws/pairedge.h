/* Is the first of two handwritten digits less than or equal to the second, how sure is that, and which digits are they?
   Written by pairedge-export from pair.onnx, digit.onnx, compare.onnx; docs/c.md of pairedge explains it.

   The functions do what the graphs of the same names do, for n = N pairs or tiles at once; arrays lie row by row without
   gaps. They keep nothing between calls, so that any number of threads may call them. */
#ifndef PAIREDGE_H
#define PAIREDGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAIREDGE_VERSION "0.1.0"
#define PAIREDGE_VARIANT "aux_ws"
#define PAIREDGE_PRECISION "fp32"
#define PAIREDGE_WEIGHTS_SHA256 "a0e407e778e2afa75f82bb8974d355da178258cbcfa09077a8437cc7eb643117"
#define PAIREDGE_PAIR_SHA256 "b1512d4f73212701d3671f32faf2f78e22303e87149d322a784a19eecf390550"
#define PAIREDGE_DIGIT_SHA256 "0d8ee27bd57991ad0b78db3688f7a569858add8703914bebddbf980af5600c0d"
#define PAIREDGE_COMPARE_SHA256 "16bdc01aabb119577069e04713168e189cf5b27b81005b02b5d5a8fbe8f41c64"
#define PAIREDGE_TILE_SIDE 14
#define PAIREDGE_DIGITS 10
#define PAIREDGE_EMBEDDING 10

/* An answer is uncertain when its confidence is below these. The confidence of a tile is the largest probability of
   its digit; that of a pair is the least of the confidences of its tiles and of leq or 1 - leq, whichever is larger. */
#define PAIREDGE_PAIR_CONFIDENCE 0.6012039268016816
#define PAIREDGE_DIGIT_CONFIDENCE 0.737504729628563

/* Bytes of stack that a call needs, beside at most 1,024 that the compiler adds; bytes of constants. */
#define PAIREDGE_STACK 23040
#define PAIREDGE_CONSTANTS 141256

/* The accuracy, confidence and limitations of the model, in Markdown. */
extern const char pairedge_card[];

/* Compares two handwritten digits: is the first less than or equal to the second? N pairs of tiles in, N
   probabilities out.
     images: N pairs of tiles, uint8 (N, 2, 14, 14); the first tile of a pair is [:, 0]. A tile is a handwritten
       digit in 14x14 pixels: gray levels 0 (background) to 255 (ink), as MNIST's 28x28 pictures averaged over 2x2
       pixels. Rows run from the top, columns from the left.
     leq: P(first <= second), float32 (N,), 0 to 1. The decision is yes from 0.5 on.
     digits: The probability of each digit 0 to 9 for either tile, float32 (N, 2, 10), 0 to 1; the ten sum to 1. */
void pairedge_pair(size_t n, const uint8_t *images, float *leq, float *digits);

/* Encodes single handwritten digits: the probability of each digit, and the embedding that the compare graph of the
   same model takes.
     tiles: N tiles, uint8 (N, 14, 14). A tile is a handwritten digit in 14x14 pixels: gray levels 0 (background) to
       255 (ink), as MNIST's 28x28 pictures averaged over 2x2 pixels. Rows run from the top, columns from the left.
     posterior: The probability of each digit 0 to 9, float32 (N, 10), 0 to 1; the ten sum to 1.
     embedding: What the compare graph needs of a tile, float32 (N, E), of any range. */
void pairedge_digit(size_t n, const uint8_t *tiles, float *posterior, float *embedding);

/* Compares two digits that the digit graph of the same model has encoded: is the first less than or equal to the
   second?
     first: Embeddings of the first tiles, float32 (N, E), from the digit graph.
     second: Embeddings of the second tiles, float32 (N, E), from the digit graph.
     leq: P(first <= second), float32 (N,), 0 to 1. The decision is yes from 0.5 on. */
void pairedge_compare(size_t n, const float *first, const float *second, float *leq);

#ifdef __cplusplus
}
#endif

#endif
