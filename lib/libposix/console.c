/* SPDX-License-Identifier: MIT
 * The terminal of the Bundle (a session with consoled), or the kernel's console, which only takes output.
 *
 * A session has one call under way, and a read may wait for ever, so there are two: what the Bundle gave is for output
 * and settings, and input gets one of its own at the first read. A read that a signal interrupted stays under way, and
 * the next one takes its answer, so nothing that was typed is lost.
 *
 *  1. out_lock holds every use of `out`, in_lock every use of `in` and of what was read ahead. in_lock comes first.
 *  2. reading is true exactly while a read is under way on `in`. */
#define _GNU_SOURCE
#include "console.h"
#include "file.h"
#include "process.h"
#include "signal.h"
#include "tty.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <vectra/rpc_console.h>

enum : size_t { BUFFER_BYTES = 4 * PX_PAGE, PART = 48 };
/* As the kernel elsewhere lays struct termios out: without the speeds that the C library keeps behind it. */
struct kernel_termios {
    tcflag_t iflag, oflag, cflag, lflag;
    cc_t line;
    cc_t cc[19];
};

static struct vx_mutex out_lock, in_lock;
static struct vx_client out, in;
static bool has_out, looked;
static uint32_t out_id, in_id;
static int out_group, in_group; /* as the sessions were told */
static uint8_t *buffer;         /* shared with consoled, for long writes */
static bool buffer_refused;
static bool reading, reading_line;
static uint8_t ahead[PART];
static size_t ahead_at, ahead_n;
static bool ahead_end;
static struct kernel_termios settings;

static struct vx_client *session(void)
{
    if (!looked) {
        looked = true;
        has_out = vx_client_from_bundle(&out, "tty") == OK;
    }
    return has_out ? &out : nullptr;
}

bool px_console_has_session(void)
{
    return session() != nullptr;
}

/* A call that is answered soon: an interruption does not end it, since the signal is delivered right behind it. */
static status_t call(struct vx_client *c, struct vx_message *m)
{
    status_t st;
    do
        st = vx_rpc_start(c, m, VX_HANDLE_NONE, VX_FOREVER);
    while (st == ERR_INTERRUPTED);
    if (st != OK)
        return st;
    do
        st = vx_rpc_finish(c, m, nullptr, VX_FOREVER);
    while (st == ERR_INTERRUPTED);
    return st;
}

static status_t state_of(struct vx_client *c, struct vx_console_session_reply *reply)
{
    struct vx_message m = { .word = { VX_CONSOLE_SESSION } };
    status_t st = call(c, &m);
    if (st == OK)
        memcpy(reply, &m.word[1], sizeof *reply);
    return st;
}

static void bring_forward(struct vx_client *c, uint32_t id)
{
    struct vx_console_set_foreground_request q = { .id = id };
    struct vx_message m = { .word = { VX_CONSOLE_SET_FOREGROUND } };
    memcpy(&m.word[1], &q, sizeof q);
    (void)call(c, &m);
}

/* Reads and settings are the group's business: the terminal must know which one asks. */
static void tell_group(struct vx_client *c, int *told)
{
    int group = px_own_group();
    struct vx_console_set_group_request q = { .group = (uint32_t)group };
    struct vx_message m = { .word = { VX_CONSOLE_SET_GROUP } };
    if (*told == group)
        return;
    memcpy(&m.word[1], &q, sizeof q);
    if (call(c, &m) == OK)
        *told = group;
}

status_t px_console_dup(struct vx_client *made, uint32_t *id)
{
    vx_mutex_lock(&out_lock);
    status_t st = session() == nullptr ? ERR_NOT_FOUND : vx_tty_dup(&out, made, id);
    vx_mutex_unlock(&out_lock);
    return st;
}

status_t px_console_set_front(uint32_t group)
{
    struct vx_console_set_front_group_request q = { .group = group };
    struct vx_message m = { .word = { VX_CONSOLE_SET_FRONT_GROUP } };
    memcpy(&m.word[1], &q, sizeof q);
    vx_mutex_lock(&out_lock);
    status_t st = session() == nullptr ? ERR_NOT_FOUND : OK;
    if (st == OK) {
        tell_group(&out, &out_group);
        st = call(&out, &m);
    }
    vx_mutex_unlock(&out_lock);
    return st;
}

/* --- output --- */

static long write_part(const uint8_t *bytes, size_t len)
{
    struct vx_console_write_request q = { .data_len = (uint8_t)len };
    struct vx_message m = { .word = { VX_CONSOLE_WRITE } };
    memcpy(q.data, bytes, len);
    memcpy(&m.word[1], &q, sizeof q);
    status_t st = call(&out, &m);
    return st == OK ? (long)len : px_error(st);
}

/* Memory that consoled sees, once. A terminal that refuses it takes short parts. */
static bool buffer_ready(void)
{
    vx_mem mem = {};
    void *at = nullptr;
    if (buffer != nullptr || buffer_refused)
        return buffer != nullptr;
    buffer_refused = true;
    if (vx_sys_mem_alloc(VX_OWN_RETICLE, BUFFER_BYTES, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE, 0,
                         &mem, &at) != OK)
        return false;
    if (vx_console_set_buffer(&out, mem, nullptr) != OK) {
        (void)vx_sys_mem_free(mem, 0, 0);
        return false;
    }
    buffer = at;
    return true;
}

static long write_buffered(const uint8_t *bytes, size_t len)
{
    struct vx_console_write_buffer_request q = { .length = len };
    struct vx_message m = { .word = { VX_CONSOLE_WRITE_BUFFER } };
    memcpy(buffer, bytes, len);
    memcpy(&m.word[1], &q, sizeof q);
    status_t st = call(&out, &m);
    return st == OK ? (long)len : px_error(st);
}

static long write_kernel(const uint8_t *bytes, size_t len)
{
    uint64_t taken = 0;
    vx_console console = vx_bundle_console("console");
    if (console.raw == VX_HANDLE_NONE)
        return (long)len; /* nobody is listening */
    status_t st = vx_sys_console_write(console.raw, bytes, len < CONSOLE_WRITE_MAX ? len : CONSOLE_WRITE_MAX, &taken);
    return st == OK ? (long)taken : px_error(st);
}

static long console_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    (void)f, (void)at;
    const uint8_t *next = from;
    size_t done = 0;
    vx_mutex_lock(&out_lock);
    bool has_session = session() != nullptr;
    while (done < bytes) {
        size_t left = bytes - done;
        long n;
        if (!has_session)
            n = write_kernel(next + done, left);
        else if (left > 2 * PART && buffer_ready())
            n = write_buffered(next + done, left < BUFFER_BYTES ? left : BUFFER_BYTES);
        else
            n = write_part(next + done, left < PART ? left : PART);
        if (n < 0) {
            vx_mutex_unlock(&out_lock);
            return done != 0 ? (long)done : n;
        }
        done += (size_t)n;
    }
    vx_mutex_unlock(&out_lock);
    return (long)done;
}

/* --- settings --- */

static uint32_t mode_of(const struct kernel_termios *t)
{
    return ((t->lflag & ECHO) != 0 ? VX_CONSOLE_MODE_ECHO : 0) |
           ((t->lflag & ICANON) != 0 ? VX_CONSOLE_MODE_LINES : 0) |
           ((t->lflag & ISIG) != 0 ? VX_CONSOLE_MODE_INTR : 0) |
           ((t->oflag & OPOST) != 0 && (t->oflag & ONLCR) != 0 ? VX_CONSOLE_MODE_CRLF : 0);
}

/* What the session's mode is in terms of termios; everything else as a terminal usually has it. */
static void learn_settings(void)
{
    struct vx_console_session_reply s = { .mode = VX_CONSOLE_MODE_NORMAL };
    static const cc_t usual[] = {
        [VINTR] = 3,   [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21,    [VEOF] = 4,     [VMIN] = 1,
        [VSTART] = 17, [VSTOP] = 19, [VSUSP] = 26,   [VREPRINT] = 18, [VWERASE] = 23, [VLNEXT] = 22
    };
    if (settings.cflag != 0)
        return;
    if (session() != nullptr) {
        (void)state_of(&out, &s);
        out_id = s.id;
    }
    settings.iflag = ICRNL | IXON;
    settings.oflag = (s.mode & VX_CONSOLE_MODE_CRLF) != 0 ? OPOST | ONLCR : 0;
    settings.cflag = B38400 | CS8 | CREAD;
    settings.lflag = ((s.mode & VX_CONSOLE_MODE_ECHO) != 0 ? ECHO | ECHOE | ECHOK : 0) |
                     ((s.mode & VX_CONSOLE_MODE_LINES) != 0 ? ICANON : 0) |
                     ((s.mode & VX_CONSOLE_MODE_INTR) != 0 ? ISIG : 0) | IEXTEN;
    memcpy(settings.cc, usual, sizeof usual);
}

/* What the terminal's programs agreed on, once a group is in front: then it may change under us. */
static void refresh_settings(void)
{
    struct vx_message m = { .word = { VX_CONSOLE_ATTRIBUTES } };
    struct vx_console_attributes_reply a = {};
    learn_settings();
    if (session() != nullptr && call(&out, &m) == OK)
        memcpy(&a, &m.word[1], sizeof a);
    if (a.data_len == sizeof settings)
        memcpy(&settings, a.data, sizeof settings);
}

static void publish_settings(void)
{
    struct vx_message m = { .word = { VX_CONSOLE_SET_ATTRIBUTES } };
    struct vx_console_set_attributes_request q = { .data_len = sizeof settings };
    static_assert(sizeof settings <= sizeof q.data);
    memcpy(q.data, &settings, sizeof settings);
    memcpy(&m.word[1], &q, sizeof q);
    (void)call(&out, &m);
}

static void set_mode(struct vx_client *c, uint32_t mode)
{
    struct vx_console_set_mode_request q = { .mode = mode };
    struct vx_message m = { .word = { VX_CONSOLE_SET_MODE } };
    memcpy(&m.word[1], &q, sizeof q);
    (void)call(c, &m);
}

static void apply_settings(const struct kernel_termios *t)
{
    uint32_t mode = mode_of(t);
    vx_mutex_lock(&in_lock);
    vx_mutex_lock(&out_lock);
    refresh_settings();
    bool changed = mode != mode_of(&settings);
    settings = *t;
    settings.cflag |= CREAD;
    if (session() != nullptr) {
        tell_group(&out, &out_group);
        publish_settings();
    }
    if (changed && session() != nullptr) {
        set_mode(&out, mode);
        if (in.tx.raw != VX_HANDLE_NONE && !reading)
            set_mode(&in, mode);
    }
    vx_mutex_unlock(&out_lock);
    vx_mutex_unlock(&in_lock);
}

static long window_size(struct winsize *to)
{
    struct vx_console_size_reply a = { .columns = 80, .rows = 24 };
    struct vx_message m = { .word = { VX_CONSOLE_SIZE } };
    vx_mutex_lock(&out_lock);
    learn_settings();
    /* A program in raw mode draws, and wants to know; asking costs the terminal some bytes. */
    if ((settings.lflag & ICANON) == 0 && (settings.oflag & OPOST) == 0 && in.tx.raw != VX_HANDLE_NONE)
        m.word[0] = VX_CONSOLE_WINDOW_SIZE;
    if (session() != nullptr && call(&out, &m) == OK)
        memcpy(&a, &m.word[1], sizeof a);
    vx_mutex_unlock(&out_lock);
    *to = (struct winsize){ .ws_row = (unsigned short)a.rows, .ws_col = (unsigned short)a.columns };
    return 0;
}

static void forget_ahead(void)
{
    vx_mutex_lock(&in_lock);
    ahead_n = ahead_at = 0;
    vx_mutex_unlock(&in_lock);
}

static long console_control(struct px_file *f, unsigned long request, void *argument)
{
    (void)f;
    long answer = 0;
    switch (request) {
    case TCGETS:
        vx_mutex_lock(&out_lock);
        refresh_settings();
        memcpy(argument, &settings, sizeof settings);
        vx_mutex_unlock(&out_lock);
        return 0;
    case TCSETSF:
    case TCSETS:
    case TCSETSW:
        answer = px_tty_background(SIGTTOU);
        if (answer != 0)
            return answer;
        if (request == TCSETSF)
            forget_ahead();
        apply_settings(argument);
        return 0;
    case TIOCGWINSZ:
        return window_size(argument);
    case TIOCSWINSZ:
    case TCSBRK:
    case TCXONC:
        return 0;
    case TIOCSCTTY:
        return px_tty_claim();
    case TCFLSH:
        forget_ahead();
        return 0;
    case FIONREAD:
        *(int *)argument = (int)(ahead_n - ahead_at);
        return 0;
    case TIOCGPGRP:
        return px_tty_front(argument);
    case TIOCGSID:
        *(int *)argument = (int)px_getsid(0);
        return 0;
    case TIOCSPGRP:
        return px_tty_set_front(*(const int *)argument);
    default:
        return -ENOTTY;
    }
}

/* --- input --- */

/* The input session, in front if the output session was. */
static long open_input(void)
{
    struct vx_console_session_reply s = {};
    status_t st = OK;
    vx_mutex_lock(&out_lock);
    if (session() == nullptr)
        st = ERR_NOT_FOUND;
    if (st == OK && in.tx.raw == VX_HANDLE_NONE)
        st = vx_tty_dup(&out, &in, &in_id);
    if (st == OK)
        st = state_of(&out, &s);
    if (st == OK && s.foreground == s.id)
        bring_forward(&out, in_id);
    learn_settings();
    vx_mutex_unlock(&out_lock);
    return px_error(st);
}

static status_t start_read(size_t bytes, uint64_t deadline)
{
    reading_line = (settings.lflag & ICANON) != 0;
    status_t st = reading_line ? vx_console_read_line_start(&in, (uint32_t)(bytes < PART ? bytes : PART))
                               : vx_console_read_keys_start(&in, deadline);
    reading = st == OK;
    return st;
}

/* *answered: what came is the terminal's answer, not the transport's (an interruption, a time-out). */
static status_t finish_read(uint64_t deadline, bool *answered)
{
    struct vx_message m = {};
    struct vx_console_read_line_reply line = {};
    struct vx_console_read_keys_reply keys = {};
    status_t st = vx_rpc_finish(&in, &m, nullptr, deadline);
    /* of this read, not a late answer to one that was given up, behind which the wait was interrupted */
    *answered = m.word[0] != 0 && vx_rpc_sequence(m.word[0]) == in.sequence;
    ahead_at = ahead_n = 0;
    if (st == OK && reading_line) {
        memcpy(&line, &m.word[1], sizeof line);
        ahead_n = line.data_len <= PART ? line.data_len : PART;
        memcpy(ahead, line.data, ahead_n);
    } else if (st == OK) {
        memcpy(&keys, &m.word[1], sizeof keys);
        ahead_n = keys.data_len <= PART ? keys.data_len : PART;
        memcpy(ahead, keys.data, ahead_n);
    }
    uint32_t flags = line.flags;
    if (st == OK && reading_line && (flags & VX_CONSOLE_LINE_EOF) != 0)
        ahead_end = true;
    if (st == OK && !reading_line && (settings.iflag & ICRNL) != 0)
        for (size_t i = 0; i < ahead_n; i++)
            if (ahead[i] == '\r')
                ahead[i] = '\n';
    return st;
}

/* A read that the terminal refused: ^C dropped the line, or another group is in front. 0: read again. */
static long refused(status_t st)
{
    if (st == ERR_INTERRUPTED) {
        px_signal_self(SIGINT);
        return px_signal_waiting() ? -EINTR : 0;
    }
    if (st == ERR_NO_RIGHTS) {
        tell_group(&in, &in_group);
        long answer = px_tty_background(SIGTTIN);
        if (answer != 0)
            return answer;
        /* In front as the process service has it: another session had the terminal meanwhile. It has gone, or else
         * takes it back, and the two of them take turns. */
        (void)vx_sys_nanosleep(vx_deadline_in(10 * VX_NS_PER_MS));
        return px_error(px_console_set_front((uint32_t)px_own_group()));
    }
    return px_error(st);
}

/* Sees that something was read ahead, waiting until the deadline. OK with nothing and ahead_end: the end of the input.
 */
static long fill(size_t bytes, uint64_t deadline)
{
    if (ahead_at < ahead_n || ahead_end)
        return 0;
    long answer = open_input();
    while (answer == 0) {
        bool answered = true;
        status_t st = OK;
        if (!reading) {
            tell_group(&in, &in_group);
            do
                st = start_read(bytes, VX_FOREVER);
            while (st == ERR_INTERRUPTED && !px_signal_waiting());
            answered = false;
        }
        if (st == OK)
            st = px_signal_waiting() ? ERR_INTERRUPTED : finish_read(deadline, &answered);
        if (!reading || (!answered && st != OK)) {
            if (st == ERR_INTERRUPTED && px_signal_waiting())
                return -EINTR;
            if (st == ERR_INTERRUPTED)
                continue;
            if (st == ERR_TIMED_OUT || st == ERR_WOULD_BLOCK)
                return -EAGAIN; /* still under way */
            reading = false;
            return st == ERR_PEER_CLOSED ? -ENOENT : px_error(st);
        }
        reading = false;
        if (st == OK)
            return 0;
        answer = refused(st);
    }
    return answer;
}

/* Before a read begins: other programs may have changed what reading is. */
static void settings_for_read(void)
{
    if (reading)
        return;
    vx_mutex_lock(&out_lock);
    tell_group(&out, &out_group);
    refresh_settings();
    vx_mutex_unlock(&out_lock);
}

static size_t take_ahead(uint8_t *to, size_t room)
{
    size_t n = ahead_n - ahead_at;
    n = n < room ? n : room;
    memcpy(to, ahead + ahead_at, n);
    ahead_at += n;
    if (n == 0)
        ahead_end = false;
    return n;
}

/* Without lines (XBD 11.1.7): at least VMIN bytes, with at most VTIME between two of them; or, with a VMIN of 0, what
 * comes in that time. */
static long console_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    (void)at;
    uint8_t *text = to;
    size_t n = 0, least = 0;
    vx_mutex_lock(&in_lock);
    settings_for_read();
    uint64_t pause = (uint64_t)settings.cc[VTIME] * (VX_NS_PER_S / 10), deadline = VX_FOREVER;
    if ((settings.lflag & ICANON) == 0) {
        least = settings.cc[VMIN] < bytes ? settings.cc[VMIN] : bytes;
        deadline = settings.cc[VMIN] != 0 ? VX_FOREVER : pause == 0 ? 1 : vx_deadline_in(pause);
    }
    if ((f->flags & O_NONBLOCK) != 0)
        deadline = 1;
    long answer;
    do {
        answer = fill(bytes - n, deadline);
        size_t more = answer == 0 ? take_ahead(text + n, bytes - n) : 0;
        n += more;
        if (more == 0)
            break;
        if (pause != 0 && deadline != 1)
            deadline = vx_deadline_in(pause);
    } while (n < least);
    if (n == 0 && answer == -EAGAIN && (f->flags & O_NONBLOCK) == 0)
        answer = 0;
    if (answer == -ENOENT) /* no terminal, or one that has gone: the end of the input */
        answer = 0;
    vx_mutex_unlock(&in_lock);
    return n != 0 ? (long)n : answer;
}

static unsigned console_poll(struct px_file *f, bool sleep)
{
    (void)f, (void)sleep;
    unsigned events = POLLOUT | POLLWRNORM;
    vx_mutex_lock(&in_lock);
    settings_for_read();
    if (fill(PART, 1) != -EAGAIN)
        events |= POLLIN | POLLRDNORM;
    vx_mutex_unlock(&in_lock);
    return events;
}

static long console_stat(struct px_file *f, struct stat *to)
{
    (void)f;
    memset(to, 0, sizeof *to);
    to->st_mode = S_IFCHR | 0620;
    to->st_nlink = 1;
    to->st_ino = PX_TERMINAL_INODE;
    to->st_rdev = makedev(5, 0);
    to->st_blksize = 1024;
    return 0;
}

static const struct px_ops console_ops = { .kind = 't',
                                           .read = console_read,
                                           .write = console_write,
                                           .stat = console_stat,
                                           .control = console_control,
                                           .poll = console_poll };

struct px_file *px_console_new(int flags)
{
    return px_file_new(&console_ops, flags);
}

void px_console_leave(void)
{
    if (session() != nullptr)
        vx_client_close(&out);
    vx_client_close(&in);
    has_out = false;
}

bool px_console_for_child(struct vx_client *child, bool front)
{
    vx_mutex_lock(&out_lock);
    bool good = session() != nullptr && vx_tty_dup_for_child(&out, front, in_id, child) == OK;
    vx_mutex_unlock(&out_lock);
    return good;
}
