/* SPDX-License-Identifier: MIT
 * Starting other programs, waiting for them, and saying how they ended. */
#include "sh.h"
#include <fs/client.h>
#include <abi/timepage.h>

enum : uint32_t {
    JOBS_MAX = 32,         /* background programs at a time; more is an error */
    BIG_MEMORY = 16 << 20, /* what programs from /test get to work with */
    SHELL_MEMORY = 8 << 20,
    PROGRAM_MEMORY = 256 << 20, /* what programs of /bin get, or half of what is left */
};

static struct job {
    struct sh_child child; /* task.raw 0: free */
    char name[32];
} jobs[JOBS_MAX];
static uint64_t children_cpu_ns;

uint64_t sh_children_cpu_ns(void)
{
    return children_cpu_ns;
}

static bool begins(const char *text, const char *part)
{
    return strncmp(text, part, strlen(part)) == 0;
}

/* Gives a copy of one of the shell's own capabilities, with all the rights that it has. */
static void hand_on(struct vx_spec *spec, const char *name, vx_cap_type_t type)
{
    vx_handle_t handle = vx_bundle_cap(name, type);
    struct vx_cap_facts facts;
    if (handle != 0 && vx_sys_cap_inspect(handle, &facts, nullptr) == OK && (facts.rights & VX_R_COPY) != 0)
        vx_spec_copy(spec, name, handle, facts.rights);
}

/* Programs that speak to services of their own: they may connect to what this shell may connect to. */
static bool asks_services(const char *path)
{
    return begins(path, "/test/") || vx_streq(path, "/bin/blk");
}

/* A line to the naming service, with this shell's authority there. */
static void give_naming(struct vx_spec *spec, struct vx_client *naming)
{
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    if (!sh.has_init || vx_rpc_pair(VX_OWN_RETICLE, naming, &requests, &replies) != OK)
        return;
    status_t st = vx_init_naming_requests(&sh.init, requests);
    if (st == OK)
        st = vx_init_naming_replies(&sh.init, replies);
    if (st != OK) {
        (void)vx_sys_cap_drop(requests.raw); /* gone already, if it was sent */
        (void)vx_sys_cap_drop(replies.raw);
        vx_client_close(naming);
        return;
    }
    vx_spec_move(spec, "naming.tx", naming->tx.raw, VX_RIGHTS_TX);
    vx_spec_move(spec, "naming.rx", naming->rx.raw, VX_RIGHTS_RX);
}

/* A connection to vfsd with this shell's root and rights. */
static void give_files(struct vx_spec *spec, struct vx_client *vfs)
{
    static struct fs_client files;
    uint32_t number = 0;
    if (files.at == nullptr && fs_connect(&files) != OK)
        return;
    if (fs_dup(&files, vfs, &number) != OK)
        return;
    vx_spec_move(spec, "vfs.tx", vfs->tx.raw, VX_RIGHTS_TX);
    vx_spec_move(spec, "vfs.rx", vfs->rx.raw, VX_RIGHTS_RX);
}

/* What a program is trusted with depends on where it lives: all get the RAM disk, which is their file system and holds
 * the programs that they start; tests and shells get the console and the log too. */
static void grants(const char *path, struct vx_spawn *s)
{
    bool test = begins(path, "/test/"), shell = vx_streq(path, "/bin/sh");
    if (begins(path, "/sbin/"))
        return;
    hand_on(&s->spec, "initrd", VX_CAP_MEM);
    vx_spec_bytes(&s->spec, "posix.cwd", sh.cwd, strlen(sh.cwd));
    if (!test && !shell)
        return;
    hand_on(&s->spec, "console", VX_CAP_CONSOLE);
    hand_on(&s->spec, "klog", VX_CAP_MEM);
}

/* The memory that a program may use: a power of two. */
static uint64_t memory_for(const char *path)
{
    struct vx_cap_facts facts = {};
    uint64_t bytes = PROGRAM_MEMORY;
    if (begins(path, "/test/"))
        return BIG_MEMORY;
    if (vx_streq(path, "/bin/sh"))
        return SHELL_MEMORY;
    if (begins(path, "/sbin/"))
        return 0;
    (void)vx_sys_cap_inspect(vx_bundle_reticle("reticle").raw, &facts, nullptr);
    while (bytes > TASK_MEMORY_DEFAULT && (bytes > facts.c || bytes > facts.b / 2 + facts.b / 16))
        bytes /= 2;
    return bytes;
}

static uint32_t environment(const char **env)
{
    uint32_t n = 0;
    for (uint32_t at = 0; at < sh.vars.len && n < SH_ARGS_MAX; at += (uint32_t)strlen(sh.vars.text + at) + 1)
        env[n++] = sh.vars.text + at;
    return n;
}

status_t sh_spawn(const char *path, uint32_t argc, const char *const *argv, struct sh_child *child, uint32_t *session)
{
    static struct vx_spawn s;
    static const char *env[SH_ARGS_MAX];
    struct vx_client tty = {}, naming = {}, proc = {}, vfs = {};
    *session = 0;
    if (sh.tty != nullptr && vx_tty_dup(sh.tty, &tty, session) != OK)
        tty = (struct vx_client){};
    s = (struct vx_spawn){ .path = path, .argc = argc, .argv = argv, .n_env = environment(env), .env = env };
    s.tty = tty.tx.raw != 0 ? &tty : nullptr;
    s.memory = memory_for(path);
    s.band = VX_BAND_NORMAL + 1;
    s.payer = vx_bundle_reticle("reticle"); /* named, so that the child finds its own in its Bundle */
    vx_spawn_begin(&s);
    grants(path, &s);
    if (asks_services(path))
        give_naming(&s.spec, &naming);
    else if (begins(path, "/bin/") && vx_connect("proc", &proc) == OK) { /* each is the first of a family */
        vx_spec_move(&s.spec, "proc.tx", proc.tx.raw, VX_RIGHTS_TX);
        vx_spec_move(&s.spec, "proc.rx", proc.rx.raw, VX_RIGHTS_RX);
    }
    if (!begins(path, "/sbin/"))
        give_files(&s.spec, &vfs);
    status_t st = vx_spawn_end(&s, &child->task, &child->id);
    if (st != OK && tty.tx.raw != 0)
        vx_client_close(&tty);
    if (st != OK && naming.tx.raw != 0)
        vx_client_close(&naming);
    if (st != OK && proc.tx.raw != 0)
        vx_client_close(&proc);
    if (st != OK && vfs.tx.raw != 0)
        vx_client_close(&vfs);
    return st;
}

/* Finds and starts; OK, or a message was printed and *status says what $? becomes. */
static bool start(uint32_t argc, const char *const *argv, struct sh_child *child, uint32_t *session, uint32_t *status)
{
    char path[SH_PATH_MAX];
    if (!sh_find_program(argv[0], path)) {
        *status = sh_fail(SH_STATUS_NOT_FOUND, "%s: not found", argv[0]);
        return false;
    }
    status_t st = sh_spawn(path, argc, argv, child, session);
    if (st == OK)
        return true;
    if (st == ERR_BAD_IMAGE)
        *status = sh_fail(SH_STATUS_CANNOT, "%s: not an executable program", argv[0]);
    else
        *status = sh_fail(SH_STATUS_CANNOT, "%s: cannot start: %s", argv[0], vx_status_text(st));
    return false;
}

/* Takes the dead Task's last words and drops it. Tells about an end that was not its own wish. */
static uint32_t bury(const struct sh_child *child, const char *name, bool tell, uint64_t *cpu_ns)
{
    uint32_t status = 0;
    uint64_t why = 0;
    struct vx_task_info info = {};
    status_t st = vx_sys_waitpid(child->task, 0, &status, &why);
    (void)vx_sys_task_control(child->task, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
    (void)vx_sys_cap_drop(child->task.raw);
    children_cpu_ns += info.cpu_ns;
    if (cpu_ns != nullptr)
        *cpu_ns += info.cpu_ns;
    if (st != OK)
        return sh_fail(1, "%s: lost: %s", name, vx_status_text(st));
    vx_cause_t cause = (vx_cause_t)(why & 255);
    if (tell && cause > VX_CAUSE_DESTROYED)
        vx_printf("%s: %s at 0x%llx (pc 0x%llx, 0x%llx of its image)\n", name, vx_cause_name(cause),
                  (unsigned long long)info.fault_address, (unsigned long long)info.fault_pc,
                  (unsigned long long)(info.fault_pc - info.image_base));
    return vx_exit_code(status, cause);
}

/* Waits for the child's end, and ends it at ^C. True if that happened. */
static bool await(const struct sh_child *child)
{
    bool cut = false;
    if (vx_sys_bind(child->task.raw, SH_BIT_CHILD) != OK)
        return false; /* bury() waits in the kernel then */
    uint64_t mask = UINT64_C(1) << SH_BIT_CHILD | (sh.has_intr ? UINT64_C(1) << SH_BIT_INTERRUPT : 0);
    for (;;) {
        uint64_t bits = 0;
        if (vx_sys_signal_wait(mask, VX_FOREVER, &bits) != OK)
            continue;
        if ((bits >> SH_BIT_INTERRUPT & 1) != 0 && sh_interrupted()) {
            cut = true;
            (void)vx_sys_destroy(child->task.raw);
        }
        uint32_t status;
        if (vx_sys_waitpid(child->task, VX_WAIT_NOHANG, &status, nullptr) != ERR_WOULD_BLOCK)
            return cut;
    }
}

uint32_t sh_run_program(uint32_t argc, const char *const *argv, uint64_t *cpu_ns)
{
    struct sh_child child;
    uint32_t session = 0, status = 0;
    if (!start(argc, argv, &child, &session, &status))
        return status;
    if (session != 0)
        (void)vx_console_set_foreground(sh.tty, session, nullptr);
    bool cut = await(&child);
    status = bury(&child, argv[0], !cut, cpu_ns);
    if (session != 0)
        (void)vx_console_set_foreground(sh.tty, 0, nullptr);
    return cut ? SH_STATUS_INTERRUPTED : status;
}

uint32_t sh_run_background(uint32_t argc, const char *const *argv)
{
    struct job *free_job = nullptr;
    sh_jobs_reap();
    for (uint32_t i = 0; i < JOBS_MAX && free_job == nullptr; i++)
        if (jobs[i].child.task.raw == 0)
            free_job = &jobs[i];
    if (free_job == nullptr)
        return sh_fail(1, "sh: %u background jobs are running already; wait for one", JOBS_MAX);
    uint32_t session = 0, status = 0;
    if (!start(argc, argv, &free_job->child, &session, &status))
        return status;
    (void)vx_strcopy(free_job->name, sizeof free_job->name, argv[0]);
    sh.background = free_job->child.id;
    vx_printf("%u\n", free_job->child.id);
    return 0;
}

static bool has_ended(const struct job *j)
{
    uint32_t status;
    return vx_sys_waitpid(j->child.task, VX_WAIT_NOHANG, &status, nullptr) != ERR_WOULD_BLOCK;
}

static uint32_t finish(struct job *j, bool tell)
{
    uint32_t status = bury(&j->child, j->name, true, nullptr);
    if (tell)
        vx_printf("[%u] %s ended, status %u\n", j->child.id, j->name, status);
    j->child.task.raw = 0;
    return status;
}

void sh_jobs_reap(void)
{
    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (jobs[i].child.task.raw != 0 && has_ended(&jobs[i]))
            (void)finish(&jobs[i], sh.interactive);
}

static uint32_t run_jobs(uint32_t argc, const char *const *argv)
{
    (void)argv;
    if (argc != 1)
        return sh_usage("jobs");
    sh_jobs_reap();
    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (jobs[i].child.task.raw != 0)
            vx_printf("[%u] %s\n", jobs[i].child.id, jobs[i].name);
    return 0;
}

static struct job *job_of(const char *word)
{
    uint64_t id;
    if (!vx_parse_u64(word, strlen(word), &id))
        return nullptr;
    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (jobs[i].child.task.raw != 0 && jobs[i].child.id == id)
            return &jobs[i];
    return nullptr;
}

static uint32_t run_wait(uint32_t argc, const char *const *argv)
{
    uint32_t status = 0;
    for (uint32_t i = 1; i < argc; i++) {
        struct job *j = job_of(argv[i]);
        if (j == nullptr)
            return sh_fail(SH_STATUS_NOT_FOUND, "wait: %s: no such background job", argv[i]);
        if (await(&j->child))
            return SH_STATUS_INTERRUPTED;
        status = finish(j, false);
    }
    for (uint32_t i = 0; argc == 1 && i < JOBS_MAX; i++)
        if (jobs[i].child.task.raw != 0) {
            if (await(&jobs[i].child))
                return SH_STATUS_INTERRUPTED;
            (void)finish(&jobs[i], false);
        }
    return status;
}

static uint32_t run_spawn(uint32_t argc, const char *const *argv)
{
    if (argc < 2)
        return sh_usage("spawn");
    return sh_run_background(argc - 1, argv + 1);
}

static uint32_t run_kill(uint32_t argc, const char *const *argv)
{
    uint32_t status = 0;
    if (argc < 2)
        return sh_usage("kill");
    for (uint32_t i = 1; i < argc; i++) {
        const struct job *j = job_of(argv[i]);
        if (j == nullptr || vx_sys_destroy(j->child.task.raw) != OK)
            status = sh_fail(1, "kill: %s: no such background job", argv[i]);
    }
    return status;
}

static void print_seconds(const char *label, uint64_t ns)
{
    vx_printf("%s %llu.%06llus\n", label, (unsigned long long)(ns / VX_NS_PER_S),
              (unsigned long long)(ns % VX_NS_PER_S / VX_NS_PER_US));
}

static uint32_t run_time(uint32_t argc, const char *const *argv)
{
    if (argc < 2)
        return sh_usage("time");
    uint64_t own_before = 0, own_after = 0, children = children_cpu_ns;
    (void)vx_sys_clock_get_time(VX_CLOCK_TASK_CPU, &own_before);
    uint64_t begin = vx_clock_monotonic_ns();
    const struct sh_builtin *b = sh_builtin_find(argv[1]);
    uint32_t status = b != nullptr ? b->run(argc - 1, argv + 1) : sh_run_program(argc - 1, argv + 1, nullptr);
    uint64_t end = vx_clock_monotonic_ns();
    (void)vx_sys_clock_get_time(VX_CLOCK_TASK_CPU, &own_after);
    print_seconds("real", end - begin);
    print_seconds("cpu ", b != nullptr ? own_after - own_before : children_cpu_ns - children);
    return status;
}

const struct sh_builtin sh_builtins_job[] = {
    { "spawn", run_spawn, "PROGRAM [ARGUMENT...]", "start a program in the background and print its task id" },
    { "jobs", run_jobs, "", "the background programs" },
    { "wait", run_wait, "[ID...]", "wait for background programs; the status is that of the last one named" },
    { "kill", run_kill, "ID...", "end tasks" },
    { "time", run_time, "COMMAND [ARGUMENT...]", "run a command; then its real time and its processor time" },
    {},
};
