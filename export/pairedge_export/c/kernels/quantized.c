/* The int8 nearest to a value, of two equally near ones the even one; what lies beyond the ends becomes these. */
INLINE int8_t quantized(float value, int zero)
{
    const float integer = rintf(value) + (float)zero;
    return (int8_t)(integer > INT8_MIN ? integer < INT8_MAX ? integer : INT8_MAX : INT8_MIN);
}
