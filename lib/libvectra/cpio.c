/* SPDX-License-Identifier: MIT
 * The "newc" format: a 110-byte header of ASCII hexadecimal fields, the name, padding to 4, the data, padding to 4.
 * Offsets and lengths are checked against the archive before anything is read through them. Source: cpio(5), "New
 * ASCII". */
#include <vectra/cpio.h>
#include <vectra/string.h>

enum { HEADER_BYTES = 110, FIELD_MODE = 1, FIELD_MTIME = 5, FIELD_SIZE = 6, FIELD_NAMESIZE = 11 };

static const char trailer[] = "TRAILER!!!";

/* Field number `n`: eight hexadecimal digits. False: something else is there. */
static bool header_field(const uint8_t *header, unsigned n, uint32_t *out)
{
    const uint8_t *at = header + 6 + 8 * n;
    uint32_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = at[i];
        uint32_t d = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10u
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10u
                                            : 16;
        if (d == 16)
            return false;
        value = value << 4 | d;
    }
    *out = value;
    return true;
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* Reads one header at `at`, which may be any offset up to the end, trailer included. */
static status_t read_entry(const struct vx_cpio *archive, size_t at, struct vx_cpio_entry *entry, size_t *next)
{
    if (archive->len - at < HEADER_BYTES)
        return ERR_BAD_ARGUMENT;
    const uint8_t *h = archive->bytes + at;
    uint32_t mode = 0, mtime = 0, size = 0, name_size = 0;
    if (memcmp(h, "070701", 6) != 0 || !header_field(h, FIELD_MODE, &mode) || !header_field(h, FIELD_MTIME, &mtime) ||
        !header_field(h, FIELD_SIZE, &size) || !header_field(h, FIELD_NAMESIZE, &name_size))
        return ERR_BAD_ARGUMENT;
    size_t name_at = at + HEADER_BYTES;
    if (name_size == 0 || name_size > CPIO_PADDED_MAX || name_size > archive->len - name_at ||
        archive->bytes[name_at + name_size - 1] != '\0' ||
        strlen((const char *)archive->bytes + name_at) >= CPIO_NAME_MAX)
        return ERR_BAD_ARGUMENT;
    size_t data_at = align4(name_at + name_size);
    if (data_at > archive->len || size > archive->len - data_at)
        return ERR_BAD_ARGUMENT;
    size_t end = align4(data_at + size);
    *next = end < archive->len ? end : archive->len;
    *entry = (struct vx_cpio_entry){ .name = (const char *)archive->bytes + name_at,
                                     .data = archive->bytes + data_at,
                                     .data_len = size,
                                     .data_at = data_at,
                                     .mode = mode,
                                     .mtime = mtime };
    while (entry->name[0] == '/' || (entry->name[0] == '.' && entry->name[1] == '/'))
        entry->name += entry->name[0] == '/' ? 1 : 2;
    entry->name_len = strlen(entry->name);
    return OK;
}

status_t vx_cpio_next(const struct vx_cpio *archive, size_t *cursor, struct vx_cpio_entry *entry)
{
    for (;;) {
        while (*cursor < archive->len && archive->bytes[*cursor] == 0) /* padding between archives */
            (*cursor)++;
        if (*cursor >= archive->len)
            return ERR_NOT_FOUND;
        size_t next = 0;
        status_t st = read_entry(archive, *cursor, entry, &next);
        if (st != OK)
            return st;
        *cursor = next;
        if (strcmp(entry->name, trailer) != 0)
            return OK;
    }
}

/* The last entry of exactly that path, without its leading slash. */
static status_t find_exactly(const struct vx_cpio *archive, const char *path, struct vx_cpio_entry *entry)
{
    struct vx_cpio_entry e = {};
    size_t cursor = 0;
    bool found = false;
    status_t st;
    while ((st = vx_cpio_next(archive, &cursor, &e)) == OK) {
        if (strcmp(e.name, path) == 0) {
            *entry = e;
            found = true;
        }
    }
    return st != ERR_NOT_FOUND ? st : found ? OK : ERR_NOT_FOUND;
}

/* Where the link that `from` is leads: a name of the archive. False: out of it, or too long. */
static bool link_target(const struct vx_cpio_entry *from, char out[static CPIO_NAME_MAX])
{
    const char *text = (const char *)from->data, *slash = strrchr(from->name, '/');
    size_t len = from->data_len, dir = len > 0 && text[0] == '/' ? 0
                                       : slash == nullptr        ? 0
                                                                 : (size_t)(slash + 1 - from->name);
    while (len > 0 && text[0] == '/') {
        text++;
        len--;
    }
    if (len == 0 || dir + len >= CPIO_NAME_MAX)
        return false;
    memcpy(out, from->name, dir);
    memcpy(out + dir, text, len);
    out[dir + len] = '\0';
    return true;
}

status_t vx_cpio_find(const struct vx_cpio *archive, const char *path, struct vx_cpio_entry *entry)
{
    char name[CPIO_NAME_MAX];
    while (path[0] == '/' || (path[0] == '.' && path[1] == '/'))
        path += path[0] == '/' ? 1 : 2;
    for (unsigned links = 0; links <= CPIO_LINKS_MAX; links++) {
        status_t st = find_exactly(archive, path, entry);
        if (st != OK || !VX_CPIO_IS_LNK(entry->mode))
            return st;
        if (!link_target(entry, name))
            break;
        path = name;
    }
    return ERR_NOT_FOUND;
}
