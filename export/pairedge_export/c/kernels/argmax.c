/* The place of the largest value, the first of equal ones. */
INLINE float argmax(const float *in, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = in[i] > in[best] ? i : best;
    return (float)best;
}
