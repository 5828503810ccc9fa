/* SPDX-License-Identifier: MIT
 * Starting a program: find the image, work out the child's descriptors, write its Bundle, SPAWN. The child gets of this
 * process's authority its files, the RAM disk, a terminal session of its own, the pipes that it inherits, and half of
 * the free memory at most. It is never a copy of this process.
 *
 *  1. The caller's own descriptors are not touched: the actions are done on a table of their own.
 *  2. A pipe's holder is reserved before the child starts, and given back if it does not, or when it has ended. */
#define _GNU_SOURCE
#include "children.h"
#include "console.h"
#include "image.h"
#include "inherit.h"
#include "pipe.h"
#include "process.h"
#include "records.h"
#include "signal.h"
#include "trace.h"
#include "socket.h"
#include "vfork.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <vectra/cpio.h>
#include <vectra/open.h>
#include <vectra/rpc_proc.h>
#include <vectra/spawn.h>
#include <vectra/spawn_hook.h>

enum : uint64_t { CHILD_MEMORY_MAX = 128 << 20, CHILD_MEMORY_MIN = 1 << 20 };
enum : size_t { INTERPRETER_MAX = 128, WORDS_MAX = 64, COMMAND_MAX = 1024, BUFFER_BYTES = 4 * PX_PAGE };

const struct vx_spawn_hook *vx_spawn_hook;

struct slot {
    struct px_file *file;
    bool cloexec;
};

/* Everything that is made on the way, in one place to be undone. */
struct job {
    const struct vectra_spawn *spawn;
    size_t n_records, n_held, argc;
    bool plain;    /* argv is all of it */
    bool replaces; /* execve: the program takes this process's place */
    struct px_image image;
    struct px_inheritance files;
    vx_task task; /* what was made */
    uint32_t id;
    unsigned n_slots;                 /* slot[0, n_slots) may have something */
    struct slot slot[PX_RECORDS_MAX]; /* zero to here at first; the rest is written before it is read */
    struct px_fd_record record[PX_RECORDS_MAX];
    struct px_held held[PX_RECORD_PIPES];
    char cwd[PATH_MAX], path[PATH_MAX];
    char interpreter[INTERPRETER_MAX];
    char command[COMMAND_MAX];
    const char *argv[WORDS_MAX];
    alignas(16) uint8_t buffer[BUFFER_BYTES]; /* for most Bundles */
};

/* Kept for the next start: its pages cost more than they are worth. */
static struct job *_Atomic kept;

static struct job *job_get(const struct vectra_spawn *spawn)
{
    struct job *j = atomic_exchange_explicit(&kept, nullptr, memory_order_acquire);
    if (j == nullptr)
        j = px_pages(sizeof *j);
    else
        memset(j, 0, offsetof(struct job, slot)); /* slots are left empty */
    if (j != nullptr)
        j->spawn = spawn;
    return j;
}

static void job_put(struct job *j)
{
    struct job *none = nullptr;
    /* release: whoever takes it finds it as it was left */
    if (!atomic_compare_exchange_strong_explicit(&kept, &none, j, memory_order_release, memory_order_relaxed))
        px_pages_free(j, sizeof *j);
}

/* --- the descriptors --- */

static void set_slot(struct job *j, int fd, struct px_file *f, bool cloexec)
{
    j->slot[fd] = (struct slot){ .file = f, .cloexec = cloexec };
    j->n_slots = (unsigned)fd < j->n_slots ? j->n_slots : (unsigned)fd + 1;
}

static void copy_slot(void *ctx, int fd, struct px_file *f, bool cloexec)
{
    struct job *j = ctx;
    if (fd >= (int)PX_RECORDS_MAX)
        return;
    atomic_fetch_add_explicit(&f->users, 1, memory_order_relaxed);
    set_slot(j, fd, f, cloexec);
}

static void clear_slot(struct slot *s)
{
    if (s->file != nullptr)
        px_file_put(s->file);
    *s = (struct slot){};
}

/* A path relative to the child's directory so far. */
static long child_path(const struct job *j, const char *name, char *out)
{
    char joined[PATH_MAX];
    size_t len = strlen(j->cwd), name_len = strlen(name);
    if (name[0] == '/' || name[0] == '\0') {
        long answer = px_path(AT_FDCWD, name, out);
        return answer == 0 && px_in_proc(out) ? px_proc_self_resolve(out) : answer;
    }
    if (len + 1 + name_len >= sizeof joined)
        return -ENAMETOOLONG;
    memcpy(joined, j->cwd, len);
    joined[len] = '/';
    memcpy(joined + len + 1, name, name_len + 1);
    return px_path(AT_FDCWD, joined, out);
}

static long change_directory(struct job *j, const char *path)
{
    char place[PATH_MAX];
    long answer = px_directory(path, place);
    if (answer == 0)
        memcpy(j->cwd, place, strlen(place) + 1);
    return answer;
}

static long do_action(struct job *j, const struct vectra_spawn_action *a)
{
    char path[PATH_MAX];
    struct px_file *f = nullptr;
    long answer;
    if (a->op != VECTRA_SPAWN_CHDIR && (unsigned)a->fd >= PX_RECORDS_MAX)
        return -EBADF;
    switch (a->op) {
    case VECTRA_SPAWN_CLOSE:
        clear_slot(&j->slot[a->fd]);
        return 0;
    case VECTRA_SPAWN_DUP2:
        if ((unsigned)a->source >= PX_RECORDS_MAX || j->slot[a->source].file == nullptr)
            return -EBADF;
        if (a->source != a->fd) {
            f = j->slot[a->source].file;
            atomic_fetch_add_explicit(&f->users, 1, memory_order_relaxed);
            clear_slot(&j->slot[a->fd]);
            set_slot(j, a->fd, f, false);
        }
        j->slot[a->fd].cloexec = false;
        return 0;
    case VECTRA_SPAWN_OPEN:
        answer = child_path(j, a->path, path);
        if (answer == 0)
            answer = px_open_path(path, a->flags | O_VECTRA_LATER, a->mode, &f);
        if (answer != 0)
            return answer;
        clear_slot(&j->slot[a->fd]);
        set_slot(j, a->fd, f, (a->flags & O_CLOEXEC) != 0);
        return 0;
    case VECTRA_SPAWN_CHDIR:
        answer = child_path(j, a->path, path);
        return answer != 0 ? answer : change_directory(j, path);
    default:
        f = j->slot[a->fd].file;
        return f == nullptr ? -EBADF : f->path == nullptr ? -ENOTDIR : change_directory(j, f->path);
    }
}

/* The child's holder in the pipe, with this end counted. */
static long hold_pipe(struct job *j, struct px_pipe *p, bool reads, bool writes, uint16_t *index, uint8_t *held_as)
{
    for (size_t i = 0; i < j->n_held; i++)
        if (j->held[i].pipe == p) {
            px_pipe_reserve_more(p, j->held[i].holder, reads, writes);
            *index = (uint16_t)i;
            *held_as = (uint8_t)j->held[i].holder;
            return 0;
        }
    if (j->n_held == PX_RECORD_PIPES)
        return -EMFILE;
    int holder = px_pipe_reserve(p, reads, writes);
    if (holder < 0)
        return -EAGAIN;
    px_pipe_get(p);
    j->held[j->n_held] = (struct px_held){ .pipe = p, .holder = holder };
    *index = (uint16_t)j->n_held++;
    *held_as = (uint8_t)holder;
    return 0;
}

static long make_records(struct job *j)
{
    const struct px_file *file[PX_RECORDS_MAX];
    for (unsigned fd = 0; fd < j->n_slots; fd++) {
        struct px_file *f = j->slot[fd].file;
        if (f == nullptr || j->slot[fd].cloexec || f->ops->kind == 'd')
            continue;
        struct px_fd_record *r = &j->record[j->n_records];
        *r = (struct px_fd_record){ .fd = (int32_t)fd, .flags = f->flags, .kind = (uint8_t)f->ops->kind };
        while (r->same_as < j->n_records && file[r->same_as] != f)
            r->same_as++;
        if (f->ops->kind == 'f')
            px_rom_record(f, r);
        struct px_pipe *in = nullptr, *out = nullptr;
        long answer = 0;
        if (r->same_as != j->n_records) {
            /* the record before has it */
        } else if (f->ops->kind == 'p') {
            answer = hold_pipe(j, f->pipe, px_pipe_file_reads(f), px_pipe_file_writes(f), &r->pipe, &r->holder);
            r->a = px_pipe_opens(f->pipe);
        } else if (f->ops->kind == 's') {
            if (!px_socket_pipes(f, &in, &out))
                continue; /* only connections are handed on */
            answer = hold_pipe(j, in, true, false, &r->pipe, &r->holder);
            if (answer == 0)
                answer = hold_pipe(j, out, false, true, &r->pipe_out, &r->holder_out);
        }
        if (answer == 0 && px_is_fs(f) && r->same_as == j->n_records)
            answer = px_inherit_file(&j->files, f, r);
        if (answer != 0)
            return answer;
        file[j->n_records++] = f;
    }
    return 0;
}

/* --- the image --- */

/* "#!interpreter [argument]" puts those in front of the path. */
static long interpret(struct job *j)
{
    size_t n = j->image.len - 2 < INTERPRETER_MAX - 1 ? j->image.len - 2 : INTERPRETER_MAX - 1;
    memcpy(j->interpreter, j->image.data + 2, n);
    j->interpreter[n] = '\0';
    char *end = strchr(j->interpreter, '\n');
    if (end == nullptr)
        return -ENOEXEC;
    while (end > j->interpreter && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    *end = '\0';
    char *name = j->interpreter + strspn(j->interpreter, " \t");
    char *argument = name + strcspn(name, " \t");
    if (*argument != '\0') {
        *argument++ = '\0';
        argument += strspn(argument, " \t");
    }
    if (*name == '\0')
        return -ENOEXEC;
    j->argv[j->argc++] = name;
    if (*argument != '\0')
        j->argv[j->argc++] = argument;
    j->argv[j->argc++] = j->spawn->path;
    return px_path(AT_FDCWD, name, j->path);
}

static long check_image(struct job *j, bool may_interpret)
{
    static const uint8_t elf[] = { 0x7f, 'E', 'L', 'F' };
    px_image_close(&j->image);
    long answer = px_image_open(j->path, &j->image);
    if (answer != 0)
        return answer;
    const uint8_t *data = j->image.data;
    if (j->image.len >= sizeof elf && memcmp(data, elf, sizeof elf) == 0)
        return 0;
    if (!may_interpret || j->image.len < 4 || memcmp(data, "#!", 2) != 0)
        return -ENOEXEC;
    answer = interpret(j);
    return answer != 0 ? answer : check_image(j, false);
}

/* `sh -c COMMAND`, as system and popen have it, when the command is a program and plain words: a shell would do nothing
 * but start it, so it is started right away, with our descriptors. Anything else goes to the shell. */
static bool plain_command(struct job *j)
{
    const struct vectra_spawn *s = j->spawn;
    if (strcmp(s->path, "/bin/sh") != 0 || s->argv[0] == nullptr || s->argv[1] == nullptr ||
        strcmp(s->argv[1], "-c") != 0 || s->argv[2] == nullptr || s->argv[3] != nullptr)
        return false;
    size_t len = strlen(s->argv[2]);
    if (len >= sizeof j->command || strpbrk(s->argv[2], "|&;<>()$`\\\"'*?[#~=%!{}\n") != nullptr)
        return false;
    memcpy(j->command, s->argv[2], len + 1);
    for (char *at = j->command + strspn(j->command, " \t"); *at != '\0'; at += strspn(at, " \t")) {
        if (j->argc == WORDS_MAX - 1)
            return false;
        j->argv[j->argc++] = at;
        at += strcspn(at, " \t");
        if (*at != '\0')
            *at++ = '\0';
    }
    return j->argc != 0;
}

/* The program that a plain command names, where the shell would find it. */
static long plain_image(struct job *j)
{
    static const char *const rooms[] = { "/bin/", "/sbin/", "/test/" };
    const char *name = j->argv[0];
    size_t len = strlen(name);
    if (strchr(name, '/') != nullptr)
        return child_path(j, name, j->path);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0] && len < NAME_MAX; i++) {
        struct vx_cpio_entry e;
        struct stat found = {};
        size_t room = strlen(rooms[i]);
        memcpy(j->path, rooms[i], room);
        memcpy(j->path + room, name, len + 1);
        if (px_rom_find(j->path, &e))
            return 0;
        if (px_stat_path(j->path, &found) == 0 && S_ISREG(found.st_mode))
            return 0;
    }
    return -ENOENT;
}

/* --- the Bundle --- */

/* At most half of what is free: there must be enough for further ones, and for this process. */
static uint64_t memory_for_child(vx_reticle own, uint64_t at_most)
{
    struct vx_cap_facts facts = {};
    (void)vx_sys_cap_inspect(own.raw, &facts, nullptr);
    uint64_t bytes = at_most;
    while (bytes > CHILD_MEMORY_MIN && (bytes > facts.c || bytes > facts.b / 2))
        bytes /= 2;
    return bytes;
}

/* How much it gets is decided and taken in one step: threads that start children at the same moment would each take
 * their share of the same. What else they allocate may still come between; then it is decided anew, for less. */
static status_t spawn_with_memory(struct vx_spawn *s, struct job *j)
{
    static struct vx_mutex lock;
    status_t st = ERR_NO_MEMORY;
    vx_mutex_lock(&lock);
    for (uint64_t at_most = CHILD_MEMORY_MAX; st == ERR_NO_MEMORY && at_most >= CHILD_MEMORY_MIN;
         at_most = s->memory / 2) {
        s->memory = memory_for_child(s->payer, at_most);
        st = vx_spawn_end(s, &j->task, &j->id);
    }
    vx_mutex_unlock(&lock);
    return st;
}

static size_t count(char *const *strings, size_t *bytes)
{
    size_t n = 0;
    while (strings != nullptr && strings[n] != nullptr)
        *bytes += strlen(strings[n++]) + 1;
    return n;
}

static void add_pipes(struct job *j, struct vx_spec *spec)
{
    char name[] = "pipe.00";
    for (size_t i = 0; i < j->n_held; i++) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        vx_spec_copy(spec, name, px_pipe_mem(j->held[i].pipe).raw, VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_INSPECT);
    }
}

/* The sets of signals that it starts with, and its group as the process service is told it. */
static struct px_birth birth_of(const struct job *j)
{
    const struct vectra_spawn *s = j->spawn;
    struct px_birth b = { .ignored = px_signals_ignored(),
                          .blocked =
                              (s->flags & POSIX_SPAWN_SETSIGMASK) != 0 ? *(const uint64_t *)s->mask : px_self()->mask };
    b.blocked &= ~(px_bit(SIGKILL) | px_bit(SIGSTOP));
    if ((s->flags & POSIX_SPAWN_SETSIGDEF) != 0)
        b.ignored &= ~*(const uint64_t *)s->default_set;
    if ((s->flags & POSIX_SPAWN_SETSID) != 0) {
        b.flags = VX_PROC_OWN_SESSION;
    } else if ((s->flags & POSIX_SPAWN_SETPGROUP) != 0) {
        b.flags = s->group == 0 ? VX_PROC_OWN_GROUP : VX_PROC_JOIN_GROUP;
        b.group = (uint32_t)s->group;
        int front = 0;
        if (s->group == 0 && vx_spawn_hook != nullptr && vx_spawn_hook->leads() && px_proc_front(&front) == 0 &&
            front == px_own_group())
            b.flags |= VX_PROC_IN_FRONT;
    }
    return b;
}

/* The child's first random bytes, of those that are drawn for several at once: one by one GETRANDOM costs more than the
 * rest of such a start. What was given is erased here, so nothing that is learnt of this process later tells it. */
static void give_random(uint8_t out[static PX_RANDOM_BYTES])
{
    static struct vx_mutex lock;
    static uint8_t drawn[16 * PX_RANDOM_BYTES];
    static size_t left;
    vx_mutex_lock(&lock);
    if (left == 0 && vx_sys_getrandom(drawn, sizeof drawn, nullptr) == OK)
        left = sizeof drawn;
    if (left != 0) { /* else it asks for itself */
        left -= PX_RANDOM_BYTES;
        memcpy(out, drawn + left, PX_RANDOM_BYTES);
        memset(drawn + left, 0, PX_RANDOM_BYTES);
    }
    vx_mutex_unlock(&lock);
}

static void add_facts(struct job *j, struct vx_spec *spec, const struct px_birth *birth)
{
    const struct vectra_spawn *s = j->spawn;
    vx_spec_bytes(spec, "posix.fds", j->record, j->n_records * sizeof j->record[0]);
    struct px_self_record self = { .parent = j->replaces ? (uint32_t)px_getppid() : px_pid,
                                   .pid = j->replaces ? px_pid : 0,
                                   .umask = px_umask_now(),
                                   .in_front = (birth->flags & VX_PROC_IN_FRONT) != 0,
                                   .mask = birth->blocked,
                                   .ignored = birth->ignored };
    if ((s->flags & POSIX_SPAWN_SETSID) == 0) {
        self.session = (uint32_t)px_getsid(0);
        self.group = (uint32_t)((s->flags & POSIX_SPAWN_SETPGROUP) == 0 ? px_own_group() : s->group);
    }
    give_random(self.random);
    vx_spec_bytes(spec, "posix.self", &self, sizeof self);
    vx_spec_bytes(spec, "posix.cwd", j->cwd, strlen(j->cwd));
    vx_spec_bytes(spec, "posix.program", j->path, strlen(j->path));
}

/* What every child gets as this process has it, if it may be copied. Its rights are looked at once: they do not change.
 */
static void hand_on(struct vx_spec *spec)
{
    static const struct {
        const char *name;
        vx_cap_type_t type;
    } all[] = { { "initrd", VX_CAP_MEM }, { "console", VX_CAP_CONSOLE } };
    constexpr size_t n_all = sizeof all / sizeof all[0];
    static _Atomic vx_rights_t seen[n_all]; /* 0: not looked at */
    for (size_t i = 0; i < n_all; i++) {
        vx_handle_t handle = vx_bundle_cap(all[i].name, all[i].type);
        vx_rights_t rights = atomic_load_explicit(&seen[i], memory_order_relaxed);
        struct vx_cap_facts facts = {};
        if (rights == 0 && handle != VX_HANDLE_NONE && vx_sys_cap_inspect(handle, &facts, nullptr) == OK) {
            rights = facts.rights;
            atomic_store_explicit(&seen[i], rights, memory_order_relaxed);
        }
        if ((rights & VX_R_COPY) != 0)
            vx_spec_copy(spec, all[i].name, handle, rights);
    }
}

/* The Task that was made is the process service's business too: a child of ours, or what we are from now on. */
static long introduce(const struct job *j, vx_ring_rx requests, vx_task task, struct px_birth *birth)
{
    bool in_front =
        (birth->flags & VX_PROC_IN_FRONT) != 0; /* told to the terminal first: the child waits for the other */
    if (in_front)
        (void)px_console_set_front(j->id);
    long answer = j->replaces ? px_proc_replace(requests, task, birth) : px_proc_child(requests, task, birth);
    if (answer != 0 && in_front)
        (void)px_console_set_front((uint32_t)px_own_group());
    if (answer != 0) {
        (void)vx_sys_destroy(task.raw);
        (void)vx_sys_cap_drop(task.raw);
    }
    return answer;
}

static void forget_ends(struct vx_client *proc, vx_ring_rx requests)
{
    vx_client_close(proc);
    (void)vx_sys_cap_drop(requests.raw);
}

/* The new Task, in j->task. */
static long start(struct job *j)
{
    size_t bytes = 4096 + j->n_records * sizeof j->record[0] + strlen(j->cwd) + strlen(j->path) + j->files.used +
                   64 * j->files.n_pages;
    size_t n_env, n_arg;
    n_env = count(j->spawn->envp, &bytes);
    n_arg = count(j->spawn->argv, &bytes);
    for (size_t i = 0; i < j->argc; i++)
        bytes += strlen(j->argv[i]) + 1;
    if (bytes > BUNDLE_MAX_BYTES)
        return -E2BIG;
    bytes = px_page_up(bytes + (n_arg + WORDS_MAX) * sizeof(char *));
    struct vx_client tty = {}, proc = {};
    vx_ring_rx requests;
    struct px_birth birth = birth_of(j);
    bool known = px_proc_prepare(&proc, &requests);
    struct vx_spawn s;
    memset(&s, 0, offsetof(struct vx_spawn, small)); /* `small` is not used */
    s.path = j->path;
    s.n_env = n_env;
    s.env = (const char *const *)j->spawn->envp;
    s.payer = vx_bundle_reticle("reticle");
    s.memory = CHILD_MEMORY_MIN; /* its slot; how much is decided last */
    s.buffer = bytes <= sizeof j->buffer ? j->buffer : px_pages(bytes);
    s.room = bytes;
    if (s.buffer == nullptr) {
        if (known)
            forget_ends(&proc, requests);
        return -ENOMEM;
    }
    /* An interpreter's words replace the first argument. */
    const char **argv = (const char **)s.buffer;
    size_t argc = 0, skip = j->argc != 0 && n_arg != 0 ? 1 : 0;
    for (size_t i = 0; i < j->argc; i++)
        argv[argc++] = j->argv[i];
    for (size_t i = skip; i < n_arg && !j->plain; i++)
        argv[argc++] = j->spawn->argv[i];
    size_t head = (argc * sizeof *argv + 15) & ~(size_t)15;
    uint8_t *whole = s.buffer;
    s.buffer = whole + head;
    s.room = (bytes - head) & ~(size_t)7;
    s.argc = argc;
    s.argv = argv;
    if (px_console_for_child(&tty, vx_spawn_hook == nullptr || vx_spawn_hook->in_front()))
        s.tty = &tty;
    if (vx_spawn_hook != nullptr)
        vx_spawn_hook->prepare(&s);
    vx_spawn_begin(&s);
    add_facts(j, &s.spec, &birth);
    add_pipes(j, &s.spec);
    if (known)
        vx_spec_move(&s.spec, "proc.tx", proc.tx.raw, VX_RIGHTS_TX);
    px_inherit_slots(&j->files, &s.spec);
    hand_on(&s.spec);
    if (vx_spawn_hook != nullptr)
        vx_spawn_hook->grant(&s);
    s.image = j->image.mem;
    status_t st = spawn_with_memory(&s, j);
    if (st == OK)
        px_inherit_end(&j->files, true);
    if (vx_spawn_hook != nullptr)
        vx_spawn_hook->done(&s, st == OK);
    if (st != OK && tty.tx.raw != VX_HANDLE_NONE)
        vx_client_close(&tty);
    if (whole != j->buffer)
        px_pages_free(whole, bytes);
    if (st != OK && known)
        forget_ends(&proc, requests);
    if (st != OK)
        return st == ERR_TOO_BIG ? -E2BIG : px_error(st);
    return known ? introduce(j, requests, j->task, &birth) : 0;
}

/* Everything up to the new Task. What a failure leaves is undone. */
static long prepare_and_start(struct job *j)
{
    const struct vectra_spawn *spawn = j->spawn;
    px_cwd_copy(j->cwd);
    px_fd_visit(copy_slot, j);
    long answer = 0;
    for (size_t i = 0; i < spawn->n_actions && answer == 0; i++)
        answer = do_action(j, &spawn->action[i]);
    if (answer == 0 && plain_command(j) && plain_image(j) == 0 && check_image(j, false) == 0) {
        j->plain = true;
    } else if (answer == 0) {
        j->argc = 0;
        answer = child_path(j, spawn->path, j->path);
        if (answer == 0)
            answer = check_image(j, true);
    }
    if (answer == 0 && !j->replaces)
        answer = px_child_room();
    if (answer == 0)
        answer = px_inherit_begin(&j->files);
    if (answer == 0)
        answer = make_records(j);
    if (answer == 0)
        answer = start(j);
    for (size_t i = 0; answer < 0 && i < j->n_held; i++) {
        px_pipe_release(j->held[i].pipe, j->held[i].holder);
        px_pipe_put(j->held[i].pipe);
    }
    px_inherit_end(&j->files, false);
    px_image_close(&j->image);
    for (unsigned fd = 0; fd < j->n_slots; fd++)
        clear_slot(&j->slot[fd]);
    return answer;
}

int __vectra_spawn(const struct vectra_spawn *spawn)
{
    struct px_thread *me = px_self();
    bool inside = atomic_load_explicit(&me->busy, memory_order_relaxed) != 0; /* vfork's child becomes a program */
    px_enter(me);
    struct job *j = job_get(spawn);
    long answer = -ENOMEM;
    if (j != nullptr) {
        answer = prepare_and_start(j);
        if (answer == 0)
            answer = px_child_add(j->id, j->task, j->held, j->n_held);
        job_put(j);
    }
    if (px_tracing)
        px_trace_spawn(spawn->path, spawn->argv, answer);
    if (!inside)
        px_leave(me);
    return (int)answer;
}

/* The new image is a Task inside this one's memory, which has this process's id and connections from then on. This one
 * waits for its end and passes it on; what of it still computes can make no call any more. */
long px_execve(long path, long argv, long envp)
{
    if (px_is_child())
        return px_child_becomes((const char *)path, (char *const *)argv, (char *const *)envp);
    struct vectra_spawn spawn = { .path = (const char *)path,
                                  .argv = (char *const *)argv,
                                  .envp = (char *const *)envp };
    struct job *j = job_get(&spawn);
    if (j == nullptr)
        return -ENOMEM;
    j->replaces = true;
    long answer = prepare_and_start(j);
    vx_task task = j->task;
    job_put(j);
    if (answer == 0)
        px_stand_in(task);
    return answer;
}
