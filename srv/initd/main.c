/* SPDX-License-Identifier: MIT
 * initd, the first Task: holds the whole machine as capabilities, hands each service what the graph says, keeps it
 * running. Its end is the machine's: status 0 turns it off, 1 restarts it, anything else is a panic. */
#include "initd.h"
#include "options.h"
#include <vectra/bundle.h>
#include <vectra/cpio.h>
#include <vectra/io.h>
#include <vectra/string.h>

enum { SESSIONS_MAX = GRAPH_SERVICES_MAX * 2, BAD_GRAPH = 2, BAD_BUNDLE = 3 };

struct initd initd;

void initd_say(const char *format, ...)
{
    if (initd.quiet)
        return;
    va_list args;
    va_start(args, format);
    vx_vprintf(format, args);
    va_end(args);
}

static void on_signal(struct vx_service *, uint64_t)
{
    units_reap();
    units_advance();
}

static void on_deadline(struct vx_service *, uint64_t)
{
    units_advance();
}

/* A line to us was closed: by a Task that ended, or that wants no more of us. */
static void on_closed(struct vx_session *s)
{
    struct unit *u = &initd.unit[s->badge - 1];
    if (u->session == s)
        u->session = nullptr;
}

/* What the kernel promised is there, and of the right kind. */
static status_t check_bundle(void)
{
    static const struct vx_need needs[] = {
        { "console", VX_CAP_CONSOLE, false }, { "root", VX_CAP_RETICLE, false }, { "initrd", VX_CAP_MEM, false },
        { "machine", VX_CAP_MEM, false },     { "klog", VX_CAP_MEM, false },     { "irqs", VX_CAP_IRQ, false },
        { "entropy", VX_CAP_ENTROPY, false }, { "clock", VX_CAP_MEM, false },
    };
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (vx_bundle_cap(needs[i].name, needs[i].type) == VX_HANDLE_NONE) {
            vx_printf("initd: the kernel handed over no %s \"%s\"\n", vx_cap_type_name(needs[i].type), needs[i].name);
            return ERR_NOT_FOUND;
        }
    }
    return vx_bundle_check(vx_bundle(), vx_bundle()->bytes);
}

/* A word NAME=VALUE of the kernel's command line. */
static bool boot_option(const char *name, char *out, size_t room)
{
    size_t len = 0;
    const char *cmdline = vx_bundle_bytes("cmdline", &len);
    return cmdline != nullptr && option_find(cmdline, len, name, out, room);
}

static void read_options(void)
{
    char word[2];
    initd.bench = boot_option("bench", word, sizeof word) && word[0] == '1';
    if (!boot_option("services", initd.graph_path, sizeof initd.graph_path) || initd.graph_path[0] == '\0')
        (void)vx_strcopy(initd.graph_path, sizeof initd.graph_path, "/etc/services");
}

static status_t load_graph(void)
{
    struct vx_cpio archive = {};
    struct vx_cpio_entry entry = {};
    struct graph_error error = {};
    status_t st = vx_initrd(&archive);
    if (st == OK)
        st = vx_cpio_find(&archive, initd.graph_path, &entry);
    if (st != OK) {
        vx_printf("initd: %s: %s\n", initd.graph_path, vx_status_text(st));
        return st;
    }
    st = graph_parse((const char *)entry.data, entry.data_len, &initd.graph, &error);
    if (st != OK)
        vx_printf("initd: %s: line %u: %s: %s\n", initd.graph_path, error.line, error.what, error.word);
    return st;
}

static void make_units(void)
{
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        const struct graph_service *d = &initd.graph.service[i];
        struct unit *u = &initd.unit[i];
        u->decl = d;
        u->state = d->by_hand ? VX_INIT_STATE_STOPPED : VX_INIT_STATE_WAITING;
        backoff_init(&u->backoff, d->backoff_first_ns, d->backoff_max_ns, d->stable_ns, d->crash_limit,
                     d->crash_window_ns);
    }
}

/* The way the firmware names, if it does: what comes after our end is the board's. */
static void leave_machine(void)
{
    const struct power_info *power = source_power();
    if (initd.exit_status > 1)
        return;
    vx_printf(initd.exit_status == 0 ? "power off\n" : "reboot\n");
    if (power != nullptr)
        power_leave(power, initd.exit_status == 1);
}

int main(int, char **)
{
    if (check_bundle() != OK)
        return BAD_BUNDLE;
    vx_printf("[stage] user: ok\n"); /* a program runs, and its capability for the console works */
    read_options();
    clock_set();
    if (load_graph() != OK)
        return BAD_GRAPH;
    initd.service = (struct vx_service){ .name = "initd",
                                         .sessions_max = SESSIONS_MAX,
                                         .dispatch = control_dispatch,
                                         .closed = on_closed,
                                         .on_signal = on_signal,
                                         .on_deadline = on_deadline,
                                         .own_bits = UINT64_C(1) << BIT_WORK,
                                         .deadline_ns = VX_FOREVER };
    make_units();
    exec_load();
    if (vx_service_start(&initd.service) != OK)
        return BAD_BUNDLE;
    vx_printf("[stage] initd: ok\n");
    initd_again();
    status_t st = vx_service_run(&initd.service);
    files_sync_all();
    if (st != OK)
        return BAD_BUNDLE;
    leave_machine();
    return (int)initd.exit_status;
}
