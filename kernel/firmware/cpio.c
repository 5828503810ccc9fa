/* SPDX-License-Identifier: MIT
 * Reads cpio "newc" archives.
 *
 * A member is a header of 110 characters, the name with its zero byte, the data; name and data are followed by zeros
 * up to a multiple of 4 from the beginning of the whole. A member named "TRAILER!!!" ends an archive; then zeros or
 * another archive follow. Sources: [newc] cpio(5) "New ASCII Format"; [Linux] "initramfs buffer format". */
#include <kernel/firmware/cpio.h>
#include <base/string.h>

enum : size_t { CPIO_HEADER_BYTES = 110 };

static status_t fail(struct cpio_iter *it, status_t st, const char *what)
{
    it->error = (struct firmware_error){ what, it->off };
    return st;
}

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
    for (;;) {
        if (path[0] == '/')
            path++;
        else if (path[0] == '.' && (path[1] == '/' || path[1] == '\0'))
            path++;
        else
            return path;
    }
}

/* Skips the zeros before, between and after archives. */
static void skip_zeros(struct cpio_iter *it)
{
    while (it->off < it->len && it->archive[it->off] == 0)
        it->off++;
}

void cpio_iter_init(struct cpio_iter *it, const void *archive, size_t len)
{
    *it = (struct cpio_iter){ .archive = archive, .len = len };
    skip_zeros(it);
}

/* Finds where the data at it->off begins and ends, where the next member begins, and checks all of it. */
static status_t read_member(struct cpio_iter *it, bool has_sum, struct cpio_entry *out, size_t *next)
{
    size_t name_size = out->field[CPIO_NAMESIZE], size = out->field[CPIO_SIZE],
           left = it->len - it->off - CPIO_HEADER_BYTES;
    const uint8_t *name = it->archive + it->off + CPIO_HEADER_BYTES;
    if (name_size > CPIO_NAME_MAX)
        return fail(it, ERR_TOO_BIG, "cpio: name too long");
    if (name_size == 0 || name_size > left || name[name_size - 1] != 0 || strlen((const char *)name) != name_size - 1)
        return fail(it, ERR_BAD_ARGUMENT, "cpio: name");
    size_t data = (it->off + CPIO_HEADER_BYTES + name_size + 3) & ~(size_t)3;
    if (data > it->len)
        data = it->len; /* the last padding may be missing */
    if (size > it->len - data)
        return fail(it, ERR_BAD_ARGUMENT, "cpio: member reaches beyond the end");
    out->name = strip((const char *)name);
    out->name_len = strlen(out->name);
    out->data = it->archive + data;
    out->data_len = size;
    uint32_t sum = 0;
    for (size_t i = 0; has_sum && i < size; i++)
        sum += out->data[i];
    if (has_sum && sum != out->field[CPIO_CHECK])
        return fail(it, ERR_BAD_ARGUMENT, "cpio: checksum");
    *next = (data + size + 3) & ~(size_t)3;
    if (*next > it->len)
        *next = it->len;
    return OK;
}

status_t cpio_next(struct cpio_iter *it, struct cpio_entry *out)
{
    struct cpio_entry e;
    size_t next;
    while (it->off < it->len) {
        const uint8_t *h = it->archive + it->off;
        if (it->off % 4 != 0 || it->len - it->off < CPIO_HEADER_BYTES || memcmp(h, "07070", 5) != 0 ||
            (h[5] != '1' && h[5] != '2'))
            return fail(it, ERR_BAD_ARGUMENT, "cpio: no header where one must be");
        for (size_t i = 0; i < CPIO_FIELDS; i++)
            if (!parse_hex(h + 6 + i * 8, &e.field[i]))
                return fail(it, ERR_BAD_ARGUMENT, "cpio: header field is not a number");
        status_t st = read_member(it, h[5] == '2', &e, &next);
        if (st != OK)
            return st;
        bool is_trailer = strncmp((const char *)h + CPIO_HEADER_BYTES, "TRAILER!!!", 11) == 0;
        if (!is_trailer && next == it->len)
            return fail(it, ERR_BAD_ARGUMENT, "cpio: no trailer");
        it->off = next;
        if (is_trailer) {
            it->n_trailers++;
            skip_zeros(it);
            continue;
        }
        *out = e;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* Is `b` another name of the file whose name `a` came without data? */
static bool holds_data_of(const struct cpio_entry *a, const struct cpio_entry *b)
{
    return a->data_len == 0 && a->field[CPIO_NLINK] > 1 && (a->field[CPIO_MODE] & CPIO_TYPE_MASK) == CPIO_FILE &&
           a->field[CPIO_INO] == b->field[CPIO_INO] && a->field[CPIO_MODE] == b->field[CPIO_MODE] &&
           memcmp(&a->field[CPIO_DEV_MAJOR], &b->field[CPIO_DEV_MAJOR], 2 * sizeof a->field[0]) == 0;
}

status_t cpio_find(const void *archive, size_t len, const char *path, struct cpio_entry *out,
                   struct firmware_error *error)
{
    struct cpio_iter it;
    struct cpio_entry e, found = {};
    uint32_t found_in = 0;
    status_t st;
    cpio_iter_init(&it, archive, len);
    path = strip(path);
    while ((st = cpio_next(&it, &e)) == OK) {
        if (strncmp(e.name, path, CPIO_NAME_MAX) == 0) {
            found = e;
            found_in = it.n_trailers;
        } else if (found.name != nullptr && found_in == it.n_trailers && holds_data_of(&found, &e)) {
            found.data = e.data;
            found.data_len = e.data_len;
        }
    }
    if (st != ERR_NOT_FOUND) {
        if (error != nullptr)
            *error = it.error;
        return st;
    }
    if (found.name == nullptr)
        return ERR_NOT_FOUND;
    *out = found;
    return OK;
}
