#ifndef JSON_H
#define JSON_H

#include <stddef.h>

/* Writes `text` to standard output as a JSON string, or null for NULL. */
void json_put(const char *text, size_t length);

#endif
