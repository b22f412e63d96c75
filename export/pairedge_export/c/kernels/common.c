/* Vectors of floats as wide as the processor's registers, and how many pixels and vectors of channels a tile of a
   convolution has, so that its sums fill these registers. A compiler without vectors works with single floats. */
#if defined(__GNUC__) && !defined(PAIREDGE_NO_VECTORS)
#if defined(__AVX512F__)
#define LANES 16
#define PIXELS 8
#define VECTORS 2
#elif defined(__AVX__)
#define LANES 8
#define PIXELS 4
#define VECTORS 2
#else
#define LANES 4
#define PIXELS 4
#define VECTORS 2
#endif
typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
#define RECTIFIED(x) (vector)((mask)(x) & ((x) > 0))
#else
#define LANES 1
#define PIXELS 4
#define VECTORS 4
typedef float vector;
#define RECTIFIED(x) ((x) > 0 ? (x) : 0)
#endif

/* Clang would unroll loops of full tiles: no faster, and three times the code. */
#if defined(__clang__)
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define ROLLED
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define ALIGNED __attribute__((aligned(64)))
#else
#define INLINE static inline
#define ALIGNED
#endif

/* Pictures lie one after another, row by row, the channels of a pixel side by side. */
typedef struct {
    int images, height, width, channels;
} shape;

typedef struct {
    int height, width, stride;
} window;

enum { LINEAR, RELU };
