/* SPDX-License-Identifier: MIT
 * Any command line, read by the kernel and by initd, against a plain search. The first byte says how much room there is
 * for the value. */
// sources: kernel/cmdline.c srv/initd/options.c
#include "require.h"
#include <kernel/cmdline.h>
#include <srv/initd/options.h>

enum { ROOM_MAX = 40 };

/* The value of the last word NAME=...: where it is, and its length. */
static const char *search(const char *text, const char *name, size_t *len)
{
    const char *found = nullptr;
    size_t n = strlen(name);
    for (const char *word = text; *word != '\0'; word += strcspn(word, " ")) {
        word += strspn(word, " ");
        size_t whole = strcspn(word, " ");
        if (whole > n && memcmp(word, name, n) == 0 && word[n] == '=') {
            found = word + n + 1;
            *len = whole - n - 1;
        }
    }
    return found;
}

static void look_up(const char *text, size_t size, const char *name, size_t room)
{
    char *out = malloc(room); /* exact: writing behind it is seen */
    require(out != nullptr);
    size_t len = 0;
    const char *expected = search(text, name, &len);
    memset(out, 0x5a, room);
    bool found = cmdline_get(text, name, out, room);
    require(found == (expected != nullptr));
    if (found) {
        size_t cut = len < room ? len : room - 1;
        require(memcmp(out, expected, cut) == 0 && out[cut] == '\0');
    }
    memset(out, 0x5a, room);
    found = option_find(text, size, name, out, room);
    require(found == (expected != nullptr && len < room));
    if (found)
        require(memcmp(out, expected, len) == 0 && out[len] == '\0');
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t room = 1 + data[0] % ROOM_MAX;
    char *text = malloc(size);
    require(text != nullptr);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    size_t len = strlen(text);
    static const char *const names[] = { "log", "services", "bench", "a", "b=c" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        look_up(text, len, names[i], room);
    free(text);
    return 0;
}
