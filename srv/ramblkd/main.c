/* SPDX-License-Identifier: MIT
 * ramblkd: a disk in memory that speaks BLOCK_V1 and fails on purpose, for tests. Arguments are WORD=NUMBER:
 *
 *   blocks  seed                       how large, and which of all possible failures
 *   read-errors write-errors flush-errors lying-flushes      in how many of 1,000 cases
 *   window                             up to so many requests wait, and the next to be done is any of them
 *   delay                              microseconds before each is done
 *   cuts                               the power goes after so many requests, and again after as many more: what was
 * not flushed may be lost or torn, and all clients have to connect anew */
#include <block/ramdisk.h>
#include <block/server.h>
#include <vectra/io.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

enum {
    BLOCK = 512,
    BLOCKS_DEFAULT = 2048,
    BLOCKS_MAX = 1 << 20,
    MAX_BYTES = 1 << 20,
    BUFFER_MAX = 1 << 20,
    PAGE = 4096
};
enum { BIT_WORK = VX_SERVICE_BIT_FIRST };

static struct ramdisk disk;
static struct block_backend backend;
static struct vx_service service;
static uint64_t blocks = BLOCKS_DEFAULT, seed = 1, window = 1, delay_us, cuts, until_cut;
static struct block_job *waiting[BLOCK_JOBS_MAX];
static uint32_t n_waiting;

/* --- memory for clients: ours alone, so that it does not go while we use it --- */

/* Of clients that went; one that comes back with it (a cut of power) finds in it what it left there. */
static struct block_buffer spare[BLOCK_CLIENTS_MAX];

/* What a client still holds of it is derived from ours. */
static bool is_free(const struct block_buffer *b)
{
    struct vx_cap_facts f = {};
    return vx_sys_cap_inspect(b->mem.raw, &f, nullptr) != OK || f.children == 0;
}

static status_t buffer(uint64_t bytes, struct block_buffer *out)
{
    vx_mem mem = {};
    void *at = nullptr;
    bytes = (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (bytes > BUFFER_MAX)
        return ERR_TOO_BIG;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE,
                                   0, &mem, &at);
    if (st == OK)
        *out = (struct block_buffer){ .mem = mem, .at = at, .bytes = bytes };
    return st;
}

/* Only what we gave out ourselves. What is shown is only looked at. */
static status_t attach(vx_mem mem, struct block_buffer *out)
{
    struct vx_cap_facts shown = {}, f = {};
    status_t st = vx_sys_cap_inspect(mem.raw, &shown, nullptr);
    (void)vx_sys_cap_drop(mem.raw);
    for (unsigned i = 0; st == OK && i < BLOCK_CLIENTS_MAX; i++) {
        if (spare[i].bytes == 0 || vx_sys_cap_inspect(spare[i].mem.raw, &f, nullptr) != OK ||
            f.object_id != shown.object_id || shown.type != VX_CAP_MEM)
            continue;
        *out = spare[i];
        spare[i] = (struct block_buffer){};
        return OK;
    }
    return ERR_NOT_SUPPORTED;
}

static void release(struct block_buffer *b)
{
    struct block_buffer *place = nullptr;
    for (unsigned i = 0; i < BLOCK_CLIENTS_MAX; i++) {
        if (spare[i].bytes != 0 && is_free(&spare[i])) {
            (void)vx_sys_mem_free(spare[i].mem, 0, 0);
            spare[i] = (struct block_buffer){};
        }
        place = spare[i].bytes == 0 ? &spare[i] : place;
    }
    if (place != nullptr && !is_free(b))
        *place = *b;
    else
        (void)vx_sys_mem_free(b->mem, 0, 0);
}

/* --- requests --- */

static status_t transfer(const struct block_job *j)
{
    const struct vx_block_request *r = &j->request;
    bool reads = r->op == VX_BLOCK_READ;
    uint64_t at = r->block * BLOCK;
    if (reads ? ramdisk_read_fails(&disk) : ramdisk_write_fails(&disk))
        return ERR_IO;
    for (uint32_t i = 0; i < r->n_segments; i++) {
        uint8_t *data = j->buffer->at + j->segment[i].offset;
        if (reads)
            ramdisk_get(&disk, at, data, j->segment[i].bytes);
        else
            ramdisk_put(&disk, at, data, j->segment[i].bytes);
        at += j->segment[i].bytes;
    }
    return OK;
}

static status_t perform(const struct block_job *j)
{
    switch (j->request.op) {
    case VX_BLOCK_READ:
    case VX_BLOCK_WRITE:
        return transfer(j);
    case VX_BLOCK_FLUSH:
        backend.statistics.flushes++;
        return ramdisk_flush(&disk);
    default:
        ramdisk_clear(&disk, j->request.block, j->request.blocks);
        return OK;
    }
}

static status_t submit(struct block_job *j)
{
    waiting[n_waiting++] = j; /* there are no more jobs than places */
    return OK;
}

static void cut_power(void)
{
    uint32_t n = n_waiting;
    n_waiting = 0;
    ramdisk_cut(&disk);
    block_server_restart();
    for (uint32_t i = 0; i < n; i++)
        block_done(waiting[i], ERR_IO); /* nobody hears it */
}

/* One of those that wait. */
static void perform_one(void)
{
    uint32_t limit = n_waiting < window ? n_waiting : (uint32_t)window, i = ramdisk_random(&disk, limit);
    struct block_job *j = waiting[i];
    for (uint32_t k = i + 1; k < n_waiting; k++)
        waiting[k - 1] = waiting[k];
    n_waiting--;
    block_done(j, perform(j));
    if (cuts != 0 && --until_cut == 0) {
        until_cut = cuts;
        cut_power();
    }
}

static void turn(struct vx_service *svc, uint64_t)
{
    block_server_turn();
    if (delay_us != 0 && n_waiting != 0) {
        perform_one();
    } else {
        while (n_waiting != 0) {
            perform_one();
            if (n_waiting < window)
                block_server_turn();
        }
    }
    block_server_turn();
    svc->deadline_ns = n_waiting != 0 ? vx_deadline_in(delay_us * VX_NS_PER_US) : VX_FOREVER;
}

/* --- arguments --- */

static bool read_argument(const char *word)
{
    uint64_t read_errors = 0, write_errors = 0, flush_errors = 0, lying = 0;
    const struct {
        const char *name;
        uint64_t *value;
        uint64_t most;
    } known[] = { { "blocks", &blocks, BLOCKS_MAX },       { "seed", &seed, UINT64_MAX },
                  { "window", &window, BLOCK_JOBS_MAX },   { "delay", &delay_us, 1000000 },
                  { "cuts", &cuts, UINT32_MAX },           { "read-errors", &read_errors, 1000 },
                  { "write-errors", &write_errors, 1000 }, { "flush-errors", &flush_errors, 1000 },
                  { "lying-flushes", &lying, 1000 } };
    const char *equals = strchr(word, '=');
    for (size_t i = 0; equals != nullptr && i < sizeof known / sizeof known[0]; i++) {
        size_t len = strlen(known[i].name);
        if ((size_t)(equals - word) != len || memcmp(word, known[i].name, len) != 0)
            continue;
        bool good = vx_parse_u64(equals + 1, strlen(equals + 1), known[i].value) && *known[i].value <= known[i].most;
        disk.read_errors += (uint32_t)read_errors;
        disk.write_errors += (uint32_t)write_errors;
        disk.flush_errors += (uint32_t)flush_errors;
        disk.lying_flushes += (uint32_t)lying;
        return good;
    }
    return false;
}

static status_t make_disk(void)
{
    void *at = nullptr;
    struct ramdisk faults = disk;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, ramdisk_bytes(blocks, BLOCK),
                                   VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT, 0, nullptr, &at);
    if (st != OK)
        return st;
    ramdisk_init(&disk, at, blocks, BLOCK, seed);
    disk.read_errors = faults.read_errors;
    disk.write_errors = faults.write_errors;
    disk.flush_errors = faults.flush_errors;
    disk.lying_flushes = faults.lying_flushes;
    return OK;
}

int main(int argc, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    for (int i = 1; i < argc; i++) {
        if (!read_argument(argv[i])) {
            vx_printf("%s: what is '%s'?\n", argv[0], argv[i]);
            return 2;
        }
    }
    until_cut = cuts;
    status_t st = blocks == 0 || window == 0 ? ERR_BAD_ARGUMENT : make_disk();
    if (st != OK) {
        vx_printf("%s: no memory for %llu blocks: %s\n", argv[0], (unsigned long long)blocks, vx_status_text(st));
        return 1;
    }
    service = (struct vx_service){ .name = argv[0],
                                   .needs = needs,
                                   .n_needs = 1,
                                   .sessions_max = BLOCK_CLIENTS_MAX,
                                   .own_bits = UINT64_C(1) << BIT_WORK,
                                   .on_signal = turn,
                                   .on_deadline = turn,
                                   .deadline_ns = VX_FOREVER };
    backend = (struct block_backend){ .limits = { .blocks = blocks,
                                                  .block_bytes = BLOCK,
                                                  .max_bytes = MAX_BYTES,
                                                  .max_clear_blocks = UINT32_MAX,
                                                  .max_segments = VX_BLOCK_SEGMENTS_MAX,
                                                  .discards = true,
                                                  .zeroes = true },
                                      .physical_bytes = BLOCK,
                                      .depth = BLOCK_JOBS_MAX,
                                      .cached = true,
                                      .submit = submit,
                                      .buffer = buffer,
                                      .attach = attach,
                                      .release = release };
    block_server_init(&service, &backend);
    return vx_service_run(&service) == OK ? 0 : 1;
}
