INLINE float relu(float x)
{
    return x > 0 ? x : 0;
}
