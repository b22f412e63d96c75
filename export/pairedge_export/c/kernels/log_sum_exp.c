/* The logarithm of the sum of exponentials. */
INLINE float log_sum_exp(const float *in, int n)
{
    float largest = in[0], sum = 0;
    for (int i = 1; i < n; i++)
        largest = in[i] > largest ? in[i] : largest;
    for (int i = 0; i < n; i++)
        sum += expf(in[i] - largest);
    return largest + logf(sum);
}
