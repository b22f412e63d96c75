INLINE float selu(float x)
{
    return 1.05070102F * (x > 0 ? x : 1.67326319F * (expf(x) - 1));
}
