/* SPDX-License-Identifier: MIT
 * The power goes: every write of a workload is recorded, and the disk is made as each prefix of them would have left
 * it, and as any choice of the sectors written since the last flush would have. fsck.fat may complain of nothing worse
 * than lost clusters; our own mount and repair find every file that was synced and not changed since, whole, under the
 * name it had or one it was given; nothing that is there shows bytes that were never in it.
 *
 * In the environment: POWER_SEEDS (how many workloads), POWER_FSCK (of so many cuts one goes to fsck.fat). */
// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
// mutations: -DMUTATE_FAT_ENTRIES_FIRST -DMUTATE_FAT_FREE_AT_ONCE -DMUTATE_FAT_NO_HOLD -DMUTATE_FAT_NO_NOTE
// mutations: -DMUTATE_FAT_KEEP_NAMES
#include "disk.h"

enum { OBJECTS = 24, OPS = 220, PATH = 640, SIZE = 4 << 20, SUBSETS = 2 };

struct object {
    bool live, directory;
    uint32_t parent, size; /* parent: OBJECTS, the root */
    char name[260];
};

struct state {
    struct object object[OBJECTS];
    size_t record;    /* how many there were when the operation had ended */
    bool synced;      /* the operation was a sync */
    uint32_t changed; /* objects whose contents or existence it changed, a bit each */
};

static struct state states[OPS + 1];
static uint32_t n_ops, seed_now;
static uint64_t random_state;
static uint8_t *base, *image;

static uint32_t pick(uint32_t limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % limit);
}

static void path_of(const struct object *o, uint32_t i, char *out)
{
    char above[PATH] = "";
    if (o[i].parent != OBJECTS)
        path_of(o, o[i].parent, above);
    snprintf(out, PATH, "%s/%s", above, o[i].name);
}

/* The node of a path; nullptr: there is none. */
static struct fat_node *walk(const char *path)
{
    struct fat_node *n = fat_root(volume);
    while (n != nullptr && *path == '/') {
        const char *end = strchr(++path, '/');
        size_t len = end != nullptr ? (size_t)(end - path) : strlen(path);
        struct fat_node *next = nullptr;
        if (fat_lookup(n, path, len, &next) != FAT_OK)
            next = nullptr;
        fat_put(n);
        n = next;
        path += len;
    }
    return n;
}

static struct fat_node *node_of(const struct object *o, uint32_t i)
{
    char path[PATH];
    if (i == OBJECTS)
        return fat_root(volume);
    path_of(o, i, path);
    struct fat_node *n = walk(path);
    assert_non_null(n);
    return n;
}

static uint32_t some(const struct object *o, bool directory, bool or_root)
{
    uint32_t choice = or_root ? OBJECTS : UINT32_MAX, n = or_root;
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (o[i].live && o[i].directory == directory && pick(++n) == 0)
            choice = i;
    return choice;
}

static bool is_below(const struct object *o, uint32_t i, uint32_t top)
{
    for (; i != OBJECTS; i = o[i].parent)
        if (i == top)
            return true;
    return false;
}

static bool has_children(const struct object *o, uint32_t top)
{
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (o[i].live && o[i].parent == top)
            return true;
    return false;
}

/* A name of one of the kinds that lie on the disk in different ways; those of over 195 units are left out, for which
 * less is promised. */
static void new_name(char *out, uint32_t i)
{
    static const char *const kinds[] = { "N%u", "lower%u.txt", "A longer name for number %u.data",
                                         "une très longue dénomination, numéro %u, avec beaucoup de mots dedans" };
    char text[200];
    snprintf(text, sizeof text, kinds[pick(4)], i * 1000 + pick(1000));
    strcpy(out, text);
}

static void do_make(struct state *s, bool directory)
{
    uint32_t i = 0, parent = some(s->object, true, true);
    while (i < OBJECTS && s->object[i].live)
        i++;
    if (i == OBJECTS)
        return;
    struct object *o = &s->object[i];
    *o = (struct object){ .live = true, .directory = directory, .parent = parent };
    new_name(o->name, i);
    struct fat_node *dir = node_of(s->object, parent);
    fat_put(directory ? mkdir_at(dir, o->name) : create_at(dir, o->name));
    fat_put(dir);
    s->changed = 1u << i;
}

static void do_write(struct state *s)
{
    uint32_t i = some(s->object, false, false);
    if (i == UINT32_MAX)
        return;
    struct object *o = &s->object[i];
    uint32_t bytes = pick(4) == 0 ? 20'000 + pick(60'000) : 1 + pick(3000), from = pick(2) == 0 ? o->size : 0;
    struct fat_node *n = node_of(s->object, i);
    write_pattern(n, i + 100 * seed_now, from, bytes);
    fat_put(n);
    if (from + bytes > o->size)
        o->size = from + bytes;
    s->changed = 1u << i;
}

static void do_truncate(struct state *s)
{
    uint32_t i = some(s->object, false, false);
    if (i == UINT32_MAX || s->object[i].size == 0)
        return;
    struct fat_node *n = node_of(s->object, i);
    s->object[i].size = pick(2) == 0 ? 0 : pick(s->object[i].size);
    assert_int_equal(fat_truncate(n, s->object[i].size), FAT_OK);
    fat_put(n);
    s->changed = 1u << i;
}

static void do_remove(struct state *s)
{
    bool directory = pick(4) == 0;
    uint32_t i = some(s->object, directory, false);
    if (i == UINT32_MAX || (directory && has_children(s->object, i)))
        return;
    struct object *o = &s->object[i];
    struct fat_node *dir = node_of(s->object, o->parent);
    assert_int_equal(directory ? fat_rmdir(dir, o->name, strlen(o->name)) : unlink_at(dir, o->name), FAT_OK);
    fat_put(dir);
    o->live = false;
    s->changed = 1u << i;
}

static void do_rename(struct state *s)
{
    bool directory = pick(3) == 0;
    uint32_t i = some(s->object, directory, false), parent = pick(2) == 0 ? OBJECTS : some(s->object, true, true);
    if (i == UINT32_MAX || (directory && parent != OBJECTS && is_below(s->object, parent, i)))
        return;
    struct object *o = &s->object[i];
    uint32_t target = pick(3) == 0 && !directory ? some(s->object, false, false) : i;
    char name[260];
    if (target != i) {
        parent = s->object[target].parent;
        strcpy(name, s->object[target].name);
    } else {
        new_name(name, i);
    }
    struct fat_node *from = node_of(s->object, o->parent), *to = node_of(s->object, parent);
    assert_int_equal(rename_at(from, o->name, to, name, 0), FAT_OK);
    fat_put(from);
    fat_put(to);
    if (target != i) {
        s->object[target].live = false;
        s->changed = 1u << target;
    }
    strcpy(o->name, name);
    o->parent = parent;
}

static void one_operation(struct state *s)
{
    uint32_t what = pick(20);
    if (what < 4)
        do_make(s, false);
    else if (what < 6)
        do_make(s, true);
    else if (what < 11)
        do_write(s);
    else if (what < 12)
        do_truncate(s);
    else if (what < 14)
        do_remove(s);
    else if (what < 18)
        do_rename(s);
    else
        s->synced = fat_sync(volume) == FAT_OK;
}

static void work(uint32_t seed, uint8_t bits)
{
    const struct fat_format how = { .bits = bits, .label = "POWER" };
    seed_now = seed;
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    format(bits == 32 ? SIZE : SIZE * 3, 512, &how);
    memcpy(base = realloc(base, t.disk.blocks * 512), t.bytes, t.disk.blocks * 512);
    image = realloc(image, t.disk.blocks * 512);
    mount();
    t.recording = true;
    memset(states, 0, sizeof states);
    for (uint32_t i = 0; i < OBJECTS; i++)
        states[0].object[i].parent = OBJECTS;
    states[0].synced = true;
    for (n_ops = 1; n_ops <= OPS; n_ops++) {
        struct state *s = &states[n_ops];
        memcpy(s->object, states[n_ops - 1].object, sizeof s->object);
        one_operation(s);
        s->record = t.n_records;
    }
    n_ops = OPS;
    t.recording = false;
    unmount();
}

/* --- after the cut --- */

static bool is_harmless(const char *line)
{
    static const char *const harmless[] = { "fsck.fat ",
                                            "/",
                                            "Dirty bit is set",
                                            " Automatically removing dirty bit",
                                            "FATs differ but appear to be intact",
                                            "Not automatically",
                                            "Using first",
                                            "Reclaimed ",
                                            "Free cluster summary",
                                            "  Auto-correcting",
                                            " Auto-correcting",
                                            "  Truncating file to",
                                            "Warning: Filesystem is FAT32",
                                            "  but has only",
                                            "  This may lead",
                                            "Leaving filesystem unchanged",
                                            "  Using first",
                                            "  Auto",
                                            "*** Filesystem was changed ***",
                                            "Logical sector size" };
    if (line[0] == '\0' || strstr(line, "cluster chain length is > ") != nullptr)
        return true;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strncmp(line, harmless[i], strlen(harmless[i])) == 0)
            return true;
    return false;
}

static void others_find_nothing_worse(size_t cut)
{
    char said[16384];
    to_file(image);
    int status = tool("fsck.fat -n '%s'", said, sizeof said);
    char whole[sizeof said];
    strcpy(whole, said);
    for (char *line = strtok(said, "\n"); line != nullptr; line = strtok(nullptr, "\n"))
        if (!is_harmless(line))
            fail_msg("seed %u, cut before record %zu (status %d): '%s' in:\n%s", seed_now, cut, status, line, whole);
}

/* The contents of a file are those of object i, as far as they go. */
static bool shows(struct fat_node *n, uint32_t i)
{
    static uint8_t bytes[1 << 20];
    size_t done = 0;
    assert_int_equal(fat_read(n, 0, bytes, sizeof bytes, &done), FAT_OK);
    assert_int_equal(done, size_of(n));
    for (size_t k = 0; k < done; k++)
        if (bytes[k] != pattern(i + 100 * seed_now, k))
            return false;
    return true;
}

/* Object i, as it was at `from`, is there under one of the names that it had up to `to`. */
static void is_whole(uint32_t i, uint32_t from, uint32_t to, size_t cut)
{
    for (uint32_t k = from; k <= to; k++) {
        char path[PATH];
        path_of(states[k].object, i, path);
        struct fat_node *n = walk(path);
        if (n == nullptr)
            continue;
        struct fat_stat s;
        fat_stat(n, &s);
        bool directory = (s.attributes & FAT_ATTR_DIRECTORY) != 0, found = directory;
        if (!directory)
            found = s.size == states[from].object[i].size && shows(n, i);
        fat_put(n);
        if (found && directory == states[from].object[i].directory)
            return;
    }
    char path[PATH];
    path_of(states[from].object, i, path);
    fail_msg("seed %u, cut before record %zu: %s (object %u) is lost or not whole", seed_now, cut, path, i);
}

/* What was written and not synced may be there or not, but shows nothing that was never in it. */
static void shows_nothing_else(uint32_t i, uint32_t from, uint32_t to, size_t cut)
{
    for (uint32_t k = from; k <= to; k++) {
        char path[PATH];
        bool mine = false;
        if (!states[k].object[i].live || states[k].object[i].directory)
            continue;
        path_of(states[k].object, i, path);
        struct fat_node *n = walk(path);
        if (n == nullptr)
            continue;
        for (uint32_t j = 0; j < OBJECTS && !mine; j++)
            mine = shows(n, j);
        fat_put(n);
        if (!mine)
            fail_msg("seed %u, cut before record %zu: %s shows bytes that were never in it", seed_now, cut, path);
    }
}

static void ours_is_whole(size_t cut, uint32_t op)
{
    uint32_t from = 0, changed = 0;
    struct fat_report report;
    uint8_t *was = t.bytes;
    t.bytes = image;
    mount();
    fat_put(root);
    if (fat_is_dirty(volume)) {
        assert_int_equal(run_check(true, &report), FAT_OK);
        if (fat_report_is_serious(&report))
            fail_msg("seed %u, cut before record %zu: cut %u sizes %u entries %u dots %u ghosts %u", seed_now, cut,
                     report.cut, report.sizes, report.entries, report.dots, report.ghosts);
    }
    for (uint32_t k = 0; k < op; k++)
        if (states[k].synced)
            from = k;
    for (uint32_t k = from + 1; k <= op; k++)
        changed |= states[k].changed;
    for (uint32_t i = 0; i < OBJECTS; i++) {
        if (states[from].object[i].live && (changed >> i & 1) == 0)
            is_whole(i, from, op, cut);
        shows_nothing_else(i, from, op, cut);
    }
    assert_int_equal(fat_unmount(volume), FAT_OK);
    t.bytes = was;
}

/* The disk as it is when the power goes before record `cut`: everything up to the last flush, and of what came after it
 * all (subset 0) or any sectors. */
static void make_image(size_t cut, size_t flushed, uint32_t subset)
{
    memcpy(image, base, t.disk.blocks * 512);
    for (size_t i = 0; i < cut; i++) {
        const struct record *r = &t.records[i];
        for (uint32_t b = 0; b < r->blocks; b++)
            if (i < flushed || subset == 0 || pick(2) == 0)
                memcpy(image + (r->block + b) * 512, r->bytes + (size_t)b * 512, 512);
    }
}

static uint32_t setting(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text != nullptr ? (uint32_t)strtoul(text, nullptr, 10) : otherwise;
}

static void cut_everywhere(uint8_t bits, bool strict)
{
    uint32_t seeds = setting("POWER_SEEDS", 1), every = setting("POWER_FSCK", 7);
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        work(seed, bits);
        size_t flushed = 0;
        uint32_t op = 0, n = 0;
        for (size_t cut = 0; cut <= t.n_records; cut++) {
            while (op < n_ops && states[op].record < cut)
                op++;
            if (cut > 0 && t.records[cut - 1].blocks == 0)
                flushed = cut;
            for (uint32_t subset = 0; subset <= SUBSETS; subset++) {
                if (subset != 0 && cut - flushed < 2)
                    break;
                make_image(cut, flushed, subset);
                if (strict && n++ % every == 0)
                    others_find_nothing_worse(cut);
                ours_is_whole(cut, op);
            }
        }
    }
    remove_file();
}

static void a_fat32_survives(void **)
{
    cut_everywhere(32, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fat32_survives),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
