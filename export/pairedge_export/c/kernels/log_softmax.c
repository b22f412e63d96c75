/* Logarithms of probabilities from logits. */
INLINE void log_softmax(const float *restrict in, float *restrict out, int n)
{
    float largest = in[0], sum = 0;
    for (int i = 1; i < n; i++)
        largest = in[i] > largest ? in[i] : largest;
    for (int i = 0; i < n; i++)
        sum += expf(in[i] - largest);
    for (int i = 0; i < n; i++)
        out[i] = in[i] - largest - logf(sum);
}
