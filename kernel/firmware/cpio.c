/* SPDX-License-Identifier: MIT
 * Reads cpio "newc" archives.
 *
 * A member is a header of 110 characters, the name with its zero byte, the data; name and data are followed by zeros
 * up to a multiple of 4 from the beginning of the whole. The name's length may count more zeros than one: so a file's
 * data is brought to the beginning of a page. A member named "TRAILER!!!" ends an archive; then zeros or
 * another archive follow. Sources: [newc] cpio(5) "New ASCII Format"; [Linux] "initramfs buffer format". */
#include <kernel/firmware/cpio.h>
#include <base/string.h>

enum : size_t { HEADER_BYTES = 110, FIELDS = 13, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };

struct member {
    const char *name;
    size_t data, len_bytes, next; /* where its data begins, how much it is, where the next member begins */
};

/* Eight hexadecimal digits of either case. */
static bool parse_hex(const uint8_t *s, uint32_t *v)
{
    *v = 0;
    for (int i = 0; i < 8; i++) {
        uint8_t c = s[i], lower = c | 0x20;
        uint32_t digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10u : 16;
        if (digit == 16)
            return false;
        *v = *v << 4 | digit;
    }
    return true;
}

/* Without any leading "/" and "./"; "." alone is the root, "". */
static const char *strip(const char *path)
{
    while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
        path++;
    return path;
}

/* The first multiple of 4 from `at` on, or the end: the last padding may be missing. */
static size_t pad(size_t at, size_t len)
{
    size_t next = (at + 3) & ~(size_t)3;
    return next < len ? next : len;
}

/* The member at an offset below `len`. Answers what is wrong with it, or nullptr. */
static const char *read_member(const uint8_t *archive, size_t len, size_t at, struct member *m)
{
    uint32_t field[FIELDS];
    const uint8_t *header = archive + at, *name = header + HEADER_BYTES;
    if (at % 4 != 0 || len - at < HEADER_BYTES || memcmp(header, "070701", 6) != 0)
        return "cpio: no header where one must be";
    for (size_t i = 0; i < FIELDS; i++)
        if (!parse_hex(header + 6 + i * 8, &field[i]))
            return "cpio: header field is not a number";
    size_t name_size = field[FIELD_NAME_SIZE];
    if (name_size == 0 || name_size > CPIO_PADDED_MAX || name_size > len - at - HEADER_BYTES ||
        name[name_size - 1] != 0 || strlen((const char *)name) >= CPIO_NAME_MAX)
        return "cpio: name";
    m->name = strip((const char *)name);
    m->data = pad(at + HEADER_BYTES + name_size, len);
    m->len_bytes = field[FIELD_SIZE];
    if (m->len_bytes > len - m->data)
        return "cpio: member reaches beyond the end";
    m->next = pad(m->data + m->len_bytes, len);
    return nullptr;
}

status_t cpio_find(const void *archive, size_t len, const char *path, struct cpio_file *out,
                   struct firmware_error *error)
{
    const uint8_t *bytes = archive;
    struct cpio_file found = {};
    struct member m;
    bool between = true; /* archives */
    for (size_t at = 0; at < len || !between;) {
        if (between && bytes[at] == 0) {
            at++;
            continue;
        }
        const char *wrong = at == len ? "cpio: no trailer" : read_member(bytes, len, at, &m);
        if (wrong != nullptr)
            return firmware_fail(error, ERR_BAD_ARGUMENT, wrong, at);
        between = strncmp(m.name, "TRAILER!!!", 11) == 0;
        if (!between && strncmp(m.name, strip(path), CPIO_NAME_MAX) == 0)
            found = (struct cpio_file){ bytes + m.data, m.len_bytes };
        at = m.next;
    }
    if (found.data == nullptr)
        return ERR_NOT_FOUND;
    *out = found;
    return OK;
}
