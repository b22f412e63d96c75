/* Memory for planes, taken from what the caller gave. */
#include <string.h>

#include "steps.h"

void *take(Memory *memory, size_t bytes) {
    void *taken = memory->free;
    memory->free += (bytes + 7) / 8 * 8; /* as a double wants it */
    return taken;
}

Gray take_gray(Memory *memory, int height, int width) {
    Gray gray = {height, width, take(memory, (size_t)height * width * sizeof(float))};
    return gray;
}

Mask take_mask(Memory *memory, int height, int width) {
    Mask mask = {height, width, take(memory, (size_t)height * width)};
    return mask;
}

Gray copy_gray(Memory *memory, Gray from) {
    Gray copy = take_gray(memory, from.height, from.width);
    memcpy(copy.at, from.at, (size_t)from.height * from.width * sizeof(float));
    return copy;
}

Mask copy_mask(Memory *memory, Mask from) {
    Mask copy = take_mask(memory, from.height, from.width);
    memcpy(copy.at, from.at, (size_t)from.height * from.width);
    return copy;
}

int longer(int a, int b) { return a > b ? a : b; }

int shorter(int a, int b) { return a < b ? a : b; }
