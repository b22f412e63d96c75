/* Compares pairs of tiles on a Cortex-M with a floating-point unit and no operating system.
 *
 * Under an emulator or a debugger, semihosting lends it the files of the host: it reads pairs, each 2 x 14 x 14 bytes,
 * from pairs.bin and prints the digits and P(first <= second) of each. On a board, a camera takes the place of
 * next_pair() and a display that of print(). */
#include <stddef.h>
#include <stdint.h>

#include "pairedge.h"

enum { PAIR = 2 * PAIREDGE_TILE_SIDE * PAIREDGE_TILE_SIDE };

/* Asks the host for a service: Arm's "Semihosting for AArch32 and AArch64". */
enum { OPEN = 1, WRITE_STRING = 4, READ = 6, EXIT = 24, READ_BINARY = 1, FINISHED = 0x20026 };

static intptr_t host(intptr_t service, const void *arguments)
{
    register intptr_t r0 __asm__("r0") = service;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static int next_pair(uint8_t images[PAIR])
{
    static intptr_t file = -1;
    static const char name[] = "pairs.bin";
    if (file < 0)
        file = host(OPEN, (const intptr_t[]){(intptr_t)name, READ_BINARY, sizeof name - 1});
    return file >= 0 && host(READ, (const intptr_t[]){file, (intptr_t)images, PAIR}) == 0;
}

static void print(int first, int second, float leq)
{
    const int millionths = (int)(leq * 1000000 + 0.5F);
    char line[] = "a b 0.000000\n";
    line[0] = (char)('0' + first);
    line[2] = (char)('0' + second);
    line[4] = (char)('0' + millionths / 1000000);
    for (int place = 11, rest = millionths % 1000000; place > 5; place--, rest /= 10)
        line[place] = (char)('0' + rest % 10);
    host(WRITE_STRING, line);
}

static int most_probable(const float probabilities[PAIREDGE_DIGITS])
{
    int best = 0;
    for (int digit = 1; digit < PAIREDGE_DIGITS; digit++)
        best = probabilities[digit] > probabilities[best] ? digit : best;
    return best;
}

int main(void)
{
    static uint8_t images[PAIR];
    float leq, digits[2 * PAIREDGE_DIGITS];
    while (next_pair(images)) {
        pairedge_pair(1, images, &leq, digits);
        print(most_probable(digits), most_probable(digits + PAIREDGE_DIGITS), leq);
    }
    return 0;
}

/* What a processor needs before main: values in memory, and permission to use floats. */
extern uint32_t data_values[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

void reset(void)
{
    for (uint32_t *to = data_start, *from = data_values; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20; /* CPACR: full access to the floating-point unit */
    __asm__ volatile("dsb\n\tisb");
    main();
    host(EXIT, (const void *)FINISHED);
    for (;;)
        ;
}

static void fault(void)
{
    host(WRITE_STRING, "fault\n");
    host(EXIT, (const void *)FINISHED);
    for (;;)
        ;
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault, (const void *)fault, (const void *)fault,
    (const void *)fault,
};
