/* Sums, order statistics and Otsu's threshold, as NumPy computes them in float32. */
#include <math.h>

#include "steps.h"

/* NumPy's pairwise summation: eight sums side by side in blocks of up to 128 values. */
float sum(const float *values, int count) {
    if (count > 128) {
        int half = count / 2 - count / 2 % 8;
        return sum(values, half) + sum(values + half, count - half);
    }
    float result = 0, parts[8];
    int i = 0;
    if (count >= 8) {
        for (; i < 8; i++) parts[i] = values[i];
        for (; i + 8 <= count; i += 8)
            for (int k = 0; k < 8; k++) parts[k] += values[i + k];
        result = ((parts[0] + parts[1]) + (parts[2] + parts[3])) +
                 ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    }
    for (; i < count; i++) result += values[i];
    return result;
}

float largest(const float *values, int count) {
    float most = values[0];
    for (int i = 1; i < count; i++)
        if (values[i] > most) most = values[i];
    return most;
}

float smallest(const float *values, int count) {
    float least = values[0];
    for (int i = 1; i < count; i++)
        if (values[i] < least) least = values[i];
    return least;
}

/* The value at a place of the sorted values: quickselect (Hoare, 1961). */
float nth(float *values, int count, int place) {
    int low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (pivot < values[j]) j--;
            if (i <= j) {
                float other = values[i];
                values[i++] = values[j];
                values[j--] = other;
            }
        }
        if (place <= j)
            high = j;
        else if (place >= i)
            low = i;
        else
            break;
    }
    return values[place];
}

float quantile(float *values, int count, double share) {
    return nth(values, count, shorter((int)(count * share), count - 1));
}

enum { BINS = 256 };

/* The edges and counts of numpy.histogram with 256 bins. */
static void histogram(const float *values, int count, float edges[BINS + 1], double counts[BINS]) {
    float first = smallest(values, count), last = largest(values, count);
    if (first == last) {
        first -= 0.5f;
        last += 0.5f;
    }
    float range = last - first, step = range / BINS;
    for (int k = 0; k < BINS; k++) {
        edges[k] = (float)k * step + first;
        counts[k] = 0;
    }
    edges[BINS] = last;
    for (int i = 0; i < count; i++) {
        int k = (int)((values[i] - first) / range * BINS);
        if (k == BINS) k--;
        if (values[i] < edges[k]) k--;
        if (k != BINS - 1 && values[i] >= edges[k + 1]) k++;
        counts[k]++;
    }
}

/* The threshold that parts values into the two classes of least inner variance (Otsu, 1979): the middle one of
 * those that are as good, where an empty gap lies between the classes. 0 of no values. */
double otsu(const float *values, int count) {
    if (!count) return 0;
    float edges[BINS + 1], best[BINS];
    double counts[BINS], sums[BINS], below[BINS], between[BINS], most = 0;
    histogram(values, count, edges, counts);
    for (int k = 0; k < BINS; k++) {
        double middle = (edges[k] + edges[k + 1]) / 2.0f;
        below[k] = counts[k] + (k ? below[k - 1] : 0);
        sums[k] = counts[k] * middle + (k ? sums[k - 1] : 0);
    }
    for (int k = 0; k < BINS; k++) {
        double above = count - below[k];
        double distance = sums[k] / fmax(below[k], 1) - (sums[BINS - 1] - sums[k]) / fmax(above, 1);
        between[k] = below[k] * above * (distance * distance);
        most = fmax(most, between[k]);
    }
    int found = 0;
    for (int k = 0; k < BINS; k++)
        if (between[k] >= most * (1 - 1e-9)) best[found++] = edges[k + 1];
    return sum(best, found) / (float)found;
}
