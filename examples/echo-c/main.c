/* Answers with its input and with who asked, as JSON. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define PIECE 4096

int main(void) {
    char *input = NULL;
    size_t length = 0;
    for (;;) {
        char *longer = realloc(input, length + PIECE);
        if (longer == NULL) {
            fputs("the input is too long\n", stderr);
            return 1;
        }
        input = longer;
        size_t got = fread(input + length, 1, PIECE, stdin);
        length += got;
        if (got < PIECE) {
            break;
        }
    }
    if (ferror(stdin)) {
        fputs("cannot read the input\n", stderr);
        return 1;
    }
    const char *sender = getenv("NEAR_SENDER_ID");
    fputs("{\"input\":", stdout);
    json_put(input, length);
    fputs(",\"sender\":", stdout);
    json_put(sender, sender == NULL ? 0 : strlen(sender));
    putchar('}');
    return 0;
}
