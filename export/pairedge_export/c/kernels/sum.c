INLINE float sum(const float *in, int n)
{
    float total = 0;
    for (int i = 0; i < n; i++)
        total += in[i];
    return total;
}
