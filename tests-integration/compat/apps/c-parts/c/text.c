#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Whether the limits are those of the target that this is compiled for. */
int limits_fit(void) { return LONG_MAX >> (sizeof(long) * CHAR_BIT - 2) == 1; }

int describe(char *out, int size, int number) {
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    return snprintf(out, (size_t)size, "%s has %d digits", digits, (int)strlen(digits));
}
