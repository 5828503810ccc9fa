/* SPDX-License-Identifier: MIT
 * A file system as a service: one directory of notes, kept in memory, each of at most a page. The protocol
 * (docs/protocols/fs-backend.md) is the library's business: what a file system has to bring are functions that do one
 * thing each, with arguments that were checked (fs/server.h says what they may rely on). They are called one at a time.
 *
 *  1. A note is named for ever by (object, generation): its place in the table, and how often that was used. Another
 *     note in the same place has another generation, so that what meant the old one is STALE.
 *  2. A note without a name lives until the last program that has it open has closed it (hold, release).
 *  3. On an error nothing has changed. */
#include <fs/server.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { NOTES = 32, NOTE_BYTES = 4096, ROOT = 1, FIRST = 2 };

static struct note {
    bool named;
    uint32_t held; /* how often it is open */
    uint64_t generation, version;
    char name[VX_FS_NAME_MAX];
    size_t name_bytes, size;
    uint32_t mode, user, group;
    int64_t modified_ns;
    uint8_t bytes[NOTE_BYTES];
} notes[NOTES];
static uint64_t directory_version = 1;

/* --- finding --- */

static bool is_there(const struct note *n)
{
    return n->named || n->held != 0;
}

/* What an object's number means, or why not. The directory is none. */
static status_t note_of(struct fs_node node, struct note **out)
{
    if (node.object == ROOT)
        return ERR_IS_DIRECTORY;
    if (node.object < FIRST || node.object >= FIRST + NOTES)
        return ERR_STALE;
    *out = &notes[node.object - FIRST];
    return is_there(*out) && (*out)->generation == node.generation ? OK : ERR_STALE;
}

static struct fs_node node_of(const struct note *n)
{
    return (struct fs_node){ (uint64_t)(n - notes) + FIRST, n->generation };
}

static struct note *find(struct fs_name name)
{
    for (struct note *n = notes; n < notes + NOTES; n++) {
        if (n->named && n->name_bytes == name.bytes && memcmp(n->name, name.at, name.bytes) == 0)
            return n;
    }
    return nullptr;
}

static bool same(struct fs_node a, struct fs_node b)
{
    return a.object == b.object && a.generation == b.generation;
}

/* --- what changes --- */

static void note_changed(struct note *n)
{
    n->version++;
    n->modified_ns = (int64_t)vx_clock_realtime_ns();
}

static void name_note(struct note *n, struct fs_name name)
{
    memcpy(n->name, name.at, name.bytes);
    n->name_bytes = name.bytes;
    n->named = true;
    directory_version++;
}

/* --- attributes and names --- */

static status_t attributes(struct fs_backend *, struct fs_node node, struct vx_fs_attributes *out)
{
    struct note *n;
    *out = (struct vx_fs_attributes){ .object = ROOT,
                                      .generation = 1,
                                      .version = directory_version,
                                      .mode = VX_FS_DIR | 0755,
                                      .links = 2,
                                      .block_bytes = NOTE_BYTES };
    if (node.object == ROOT)
        return OK;
    status_t st = note_of(node, &n);
    if (st != OK)
        return st;
    *out = (struct vx_fs_attributes){ .object = node.object,
                                      .generation = node.generation,
                                      .size = n->size,
                                      .allocated = NOTE_BYTES,
                                      .version = n->version,
                                      .modified_ns = n->modified_ns,
                                      .changed_ns = n->modified_ns,
                                      .mode = n->mode,
                                      .links = n->named,
                                      .user = n->user,
                                      .group = n->group,
                                      .block_bytes = NOTE_BYTES };
    return OK;
}

static status_t lookup(struct fs_backend *b, struct fs_node directory, struct fs_name name,
                       struct vx_fs_attributes *out)
{
    if (directory.object != ROOT)
        return ERR_NOT_DIRECTORY;
    const struct note *n = find(name);
    return n == nullptr ? ERR_NOT_FOUND : attributes(b, node_of(n), out);
}

static status_t create(struct fs_backend *b, struct fs_node directory, struct fs_name name, const struct fs_new *what,
                       struct vx_fs_attributes *out)
{
    if (directory.object != ROOT)
        return ERR_NOT_DIRECTORY;
    if (find(name) != nullptr)
        return ERR_EXISTS;
    if ((what->mode & VX_FS_TYPE) != VX_FS_FILE)
        return ERR_NOT_SUPPORTED;
    for (struct note *n = notes; n < notes + NOTES; n++) {
        if (is_there(n))
            continue;
        *n = (struct note){
            .generation = n->generation + 1, .mode = what->mode, .user = what->user, .group = what->group
        };
        note_changed(n);
        name_note(n, name);
        return attributes(b, node_of(n), out);
    }
    return ERR_NO_SPACE;
}

static status_t unlink_note(struct fs_backend *, struct fs_node, struct fs_name name, struct fs_node child,
                            bool directory)
{
    struct note *n = find(name);
    if (n == nullptr)
        return ERR_NOT_FOUND;
    if (!same(node_of(n), child))
        return ERR_BUSY; /* the name means something else by now */
    if (directory)
        return ERR_NOT_DIRECTORY;
    n->named = false;
    note_changed(n);
    directory_version++;
    return OK;
}

static status_t rename_note(struct fs_backend *, const struct fs_rename *r)
{
    struct note *n = find(r->name), *old = find(r->new_name);
    if (n == nullptr)
        return ERR_NOT_FOUND;
    if (old != nullptr && r->no_replace)
        return ERR_EXISTS;
    const struct fs_node replaced = old != nullptr ? node_of(old) : (struct fs_node){};
    if (!same(node_of(n), r->child) || (old == nullptr ? r->replaced.object != 0 : !same(replaced, r->replaced)))
        return ERR_BUSY;
    if (old == n)
        return OK;
    if (r->exchange && old != nullptr)
        name_note(old, r->name);
    else if (old != nullptr)
        old->named = false;
    name_note(n, r->new_name);
    return OK;
}

/* The cookie is the place behind the entry: it stays what it is, whatever comes and goes meanwhile. */
static status_t list(struct fs_backend *, struct fs_node directory, uint64_t cookie, struct fs_listing *to)
{
    if (directory.object != ROOT)
        return ERR_NOT_DIRECTORY;
    for (uint64_t i = cookie; i < NOTES; i++) {
        const struct note *n = &notes[i];
        if (n->named && !fs_list_add(to, i + 1, i + FIRST, n->mode, (struct fs_name){ n->name, n->name_bytes }))
            break; /* the rest is asked for with the last cookie */
    }
    return OK;
}

/* --- bytes --- */

static status_t read_note(struct fs_backend *, struct fs_node node, uint64_t offset, void *to, size_t bytes,
                          size_t *done)
{
    struct note *n;
    status_t st = note_of(node, &n);
    if (st != OK)
        return st;
    size_t left = offset < n->size ? n->size - (size_t)offset : 0;
    *done = bytes < left ? bytes : left;
    memcpy(to, n->bytes + (left != 0 ? offset : 0), *done);
    return OK;
}

static status_t write_note(struct fs_backend *, struct fs_node node, uint64_t offset, const void *from, size_t bytes,
                           size_t *done)
{
    struct note *n;
    status_t st = note_of(node, &n);
    if (st != OK)
        return st;
    if (offset >= NOTE_BYTES)
        return ERR_NO_SPACE;
    size_t room = NOTE_BYTES - (size_t)offset;
    *done = bytes < room ? bytes : room; /* what does not fit is told by the next call */
    memcpy(n->bytes + offset, from, *done);
    n->size = offset + *done > n->size ? (size_t)offset + *done : n->size;
    note_changed(n);
    return OK;
}

static status_t change(struct fs_backend *, struct fs_node node, const struct vx_fs_change *c)
{
    struct note *n;
    status_t st = note_of(node, &n);
    if (st != OK)
        return st;
    if ((c->mask & VX_FS_SET_SIZE) != 0) {
        if (c->size > NOTE_BYTES)
            return ERR_FILE_TOO_BIG;
        if (c->size < n->size) /* what is cut off reads as zeroes when the note grows again */
            memset(n->bytes + c->size, 0, n->size - (size_t)c->size);
        n->size = (size_t)c->size;
    }
    note_changed(n);
    if ((c->mask & VX_FS_SET_MODE) != 0)
        n->mode = VX_FS_FILE | c->mode;
    if ((c->mask & VX_FS_SET_MODIFIED) != 0)
        n->modified_ns = c->modified_ns;
    return OK; /* owners and other times are not kept */
}

/* --- the rest --- */

static void hold(struct fs_backend *, struct fs_node node)
{
    struct note *n;
    if (note_of(node, &n) == OK)
        n->held++;
}

static void release(struct fs_backend *, struct fs_node node)
{
    struct note *n;
    if (note_of(node, &n) == OK)
        n->held--;
}

static status_t space(struct fs_backend *, struct vx_fs_space *out)
{
    out->block_bytes = NOTE_BYTES;
    out->blocks = out->free_blocks = NOTES;
    for (const struct note *n = notes; n < notes + NOTES; n++)
        out->free_blocks -= is_there(n);
    return OK;
}

int main(int, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static struct vx_service service;
    static struct fs_backend backend = { .kind = "notes",
                                         .root = { ROOT, 1 },
                                         .flags = VX_FS_IS_VOLATILE,
                                         .name_max = VX_FS_NAME_MAX,
                                         .attributes = attributes,
                                         .lookup = lookup,
                                         .create = create,
                                         .unlink = unlink_note,
                                         .rename = rename_note,
                                         .list = list,
                                         .read = read_note,
                                         .write = write_note,
                                         .change = change,
                                         .space = space,
                                         .hold = hold,
                                         .release = release };
    backend.volume = vx_clock_monotonic_ns() | 1; /* another one each time: nothing outlives the service */
    service = (struct vx_service){
        .name = argv[0], .needs = needs, .n_needs = 1, .sessions_max = 8, .deadline_ns = VX_FOREVER
    };
    status_t st = fs_server_init(&service, &backend);
    return st == OK && vx_service_run(&service) == OK ? 0 : 1;
}
