/* SPDX-License-Identifier: MIT
 * Files between processes: what a child inherits, positions that both share, locks, programs and scripts in /tmp, and
 * two processes that do the same thing at once. The program starts itself with a word that begins with '+'. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static char self[PATH_MAX], home[64];

static pid_t start(const posix_spawn_file_actions_t *actions, const char *a, const char *b, const char *c)
{
    pid_t pid = -1;
    char *argv[] = { self, (char *)a, (char *)b, (char *)c, nullptr };
    int error = posix_spawn(&pid, self, actions, nullptr, argv, environ);
    errno = error;
    return error == 0 ? pid : -1;
}

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(const char *a, const char *b, const char *c)
{
    return status_of(start(nullptr, a, b, c));
}

static void nap(unsigned ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, nullptr);
}

/* --- inheriting --- */

static void inheriting(void)
{
    char b[64] = {};
    int fd = open("shared", O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && fd < 10);
    CHECK_IS(dup2(fd, 20), 20);
    CHECK_IS(write(fd, "parent ", 7), 7);
    CHECK_IS(run("+write", "20", "child "), 0);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 13); /* one position for both */
    CHECK_IS(write(fd, "parent", 6), 6);
    CHECK_IS(pread(fd, b, 64, 0), 19);
    CHECK(strcmp(b, "parent child parent") == 0);
    CHECK_IS(lseek(20, 7, SEEK_SET), 7);
    CHECK_IS(run("+read", "20", "child"), 0);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 12);
    CHECK_IS(run("+twice", "20", "child"), 0); /* a grandchild too */
    CHECK_IS(fcntl(20, F_SETFD, FD_CLOEXEC), 0);
    CHECK_IS(run("+read", "20", "x"), 9);
    close(20);
    /* by its handle, not by its name */
    CHECK_IS(lseek(fd, 0, SEEK_SET), 0);
    CHECK_IS(dup2(fd, 20), 20);
    CHECK_IS(unlink("shared"), 0);
    CHECK_IS(run("+read", "20", "parent"), 0);
    close(20);
    close(fd);

    /* redirections as a shell makes them */
    posix_spawn_file_actions_t to;
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0640);
    CHECK_IS(status_of(start(&to, "+say", "first", "second")), 0);
    posix_spawn_file_actions_destroy(&to);
    fd = open("out", O_RDONLY);
    memset(b, 0, sizeof b);
    CHECK_IS(read(fd, b, sizeof b), 13);
    CHECK(strcmp(b, "first\nsecond\n") == 0);
    struct stat s;
    CHECK(fstat(fd, &s) == 0 && (s.st_mode & 0777) == 0640);
    close(fd);
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 1, "out", O_WRONLY | O_APPEND, 0);
    CHECK_IS(status_of(start(&to, "+say", "third", "fourth")), 0);
    posix_spawn_file_actions_destroy(&to);
    CHECK(stat("out", &s) == 0 && s.st_size == 26);
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 0, "nothing", O_RDONLY, 0);
    CHECK_ERRNO(start(&to, "+say", "x", "y"), ENOENT);
    posix_spawn_file_actions_destroy(&to);
    CHECK_IS(unlink("out"), 0);

    /* the directory, a directory's descriptor, the mask */
    CHECK_IS(mkdir("d", 0700), 0);
    int d = open("d", O_RDONLY);
    CHECK_IS(dup2(d, 21), 21);
    umask(027);
    CHECK_IS(run("+make", "21", "file"), 0);
    umask(022);
    CHECK(stat("d/file", &s) == 0 && (s.st_mode & 0777) == 0640);
    CHECK(stat("here", &s) == 0);
    CHECK_IS(unlink("here"), 0);
    close(21);
    close(d);
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addchdir_np(&to, "d");
    CHECK_IS(status_of(start(&to, "+cwd", "d", nullptr)), 0);
    posix_spawn_file_actions_destroy(&to);
    CHECK(unlink("d/file") == 0 && rmdir("d") == 0);
}

/* --- programs that are files --- */

static int copy(const char *from, const char *to)
{
    char b[65536];
    ssize_t n;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    while ((n = read(in, b, sizeof b)) > 0 && write(out, b, (size_t)n) == n)
        ;
    close(in);
    return n == 0 && in >= 0 ? close(out) : -1;
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) != 0)
        abort();
}

static int run_file(const char *path, const char *word)
{
    pid_t pid = -1;
    char *argv[] = { (char *)path, (char *)word, "inside", nullptr };
    errno = posix_spawn(&pid, path, nullptr, nullptr, argv, environ);
    return errno == 0 ? status_of(pid) : -1;
}

static void programs(void)
{
    char script[PATH_MAX + 64], path[PATH_MAX];
    CHECK_IS(copy(self, "program"), 0);
    snprintf(path, sizeof path, "%s/program", home);
    CHECK_IS(run_file(path, "+seven"), 7);
    CHECK_IS(run_file("./program", "+seven"), 7);
    CHECK_IS(symlink("program", "alias"), 0);
    CHECK_IS(run_file("./alias", "+seven"), 7);
    snprintf(script, sizeof script, "#!%s +script\nrest\n", path);
    put("script", script, 0755);
    CHECK_IS(run_file("./script", "word"), 8);
    CHECK_IS(chmod("program", 0644), 0);
    CHECK_ERRNO(run_file("./program", "+seven"), EACCES);
    CHECK_ERRNO(run_file("./script", "word"), EACCES);
    CHECK_ERRNO(run_file("./nothing", "x"), ENOENT);
    CHECK_ERRNO(run_file(".", "x"), EACCES);
    put("text", "no program\n", 0755);
    CHECK_ERRNO(run_file("./text", "x"), ENOEXEC);
    put("empty", "", 0755);
    CHECK_ERRNO(run_file("./empty", "x"), ENOEXEC);
    put("gone", "#!/nothing/here\n", 0755);
    CHECK_ERRNO(run_file("./gone", "x"), ENOENT);
    static const char *const all[] = { "program", "alias", "script", "text", "empty", "gone" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        CHECK_IS(unlink(all[i]), 0);
}

/* --- locks --- */

static int lock(int fd, int command, int type, off_t at, off_t bytes)
{
    struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = bytes };
    return fcntl(fd, command, &l);
}

/* What stands in the way of an exclusive lock of the range. */
static int who(int fd, off_t at, off_t bytes, struct flock *l)
{
    *l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = bytes };
    return fcntl(fd, F_GETLK, l) == 0 ? l->l_type : -1;
}

static void wait_for(const char *name)
{
    struct stat s;
    for (int i = 0; i < 2000 && stat(name, &s) != 0; i++)
        nap(5);
}

static volatile int signal_ends_it;

static void ignore(int signal)
{
    (void)signal;
}

static void *wait_for_lock(void *fd)
{
    signal_ends_it = lock(*(int *)fd, F_SETLKW, F_WRLCK, 40, 1) == 0 ? 0 : errno;
    return nullptr;
}

static void locks(void)
{
    struct flock l;
    int fd = open("lock", O_RDWR | O_CREAT, 0600);
    CHECK_IS(ftruncate(fd, 100), 0);
    CHECK_IS(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
    CHECK_IS(lock(fd, F_SETLK, F_WRLCK, 15, 10), 0); /* its own never stand in its way */
    CHECK_IS(who(fd, 0, 0, &l), F_UNLCK);
    CHECK_IS(run("+lock", "lock", "12"), EAGAIN);
    CHECK_IS(run("+lock", "lock", "24"), EAGAIN);
    CHECK_IS(run("+lock", "lock", "25"), 0);
    CHECK_IS(lock(fd, F_SETLK, F_UNLCK, 12, 2), 0);
    CHECK_IS(run("+lock", "lock", "12"), 0);
    CHECK_IS(run("+lock", "lock", "14"), EAGAIN);
    CHECK_IS(lock(fd, F_SETLK, F_RDLCK, 14, 1), 0);
    CHECK_IS(run("+lock", "lock", "14"), EAGAIN);
    CHECK_IS(run("+rdlock", "lock", "14"), 0);
    CHECK_IS(close(dup(fd)), 0); /* closing any descriptor ends them all */
    CHECK_IS(run("+lock", "lock", "14"), 0);
    CHECK_ERRNO(lock(fd, F_SETLK, 77, 0, 1), EINVAL);
    CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
    int ro = open("lock", O_RDONLY);
    CHECK_ERRNO(lock(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
    CHECK_IS(lock(ro, F_SETLK, F_RDLCK, 0, 1), 0);
    l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -5, .l_len = -5 };
    CHECK_IS(fcntl(fd, F_SETLK, &l), 0); /* 90 to 94 */
    CHECK_IS(run("+lock", "lock", "89"), 0);
    CHECK_IS(run("+lock", "lock", "90"), EAGAIN);
    CHECK_IS(run("+lock", "lock", "94"), EAGAIN);
    CHECK_IS(run("+lock", "lock", "95"), 0);
    close(ro);

    /* another process's, seen and waited for */
    unlink("locked");
    pid_t pid = start(nullptr, "+hold", "lock", "locked");
    wait_for("locked");
    CHECK_IS(who(fd, 0, 0, &l), F_WRLCK);
    CHECK(l.l_pid == pid && l.l_start == 40 && l.l_len == 2 && l.l_whence == SEEK_SET);
    CHECK_IS(who(fd, 0, 40, &l), F_UNLCK);
    CHECK(lock(fd, F_SETLK, F_RDLCK, 41, 1) == -1 && (errno == EAGAIN || errno == EACCES));
    CHECK_IS(lock(fd, F_SETLKW, F_WRLCK, 41, 1), 0); /* until it has ended */
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(unlink("locked"), 0);

    /* a wait that a signal ends, and one that would never end */
    CHECK_IS(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    pid = start(nullptr, "+hold", "lock", "locked");
    wait_for("locked");
    pthread_t waiter;
    signal_ends_it = 99;
    struct sigaction quiet = { .sa_handler = ignore };
    sigaction(SIGUSR1, &quiet, nullptr);
    pthread_create(&waiter, nullptr, wait_for_lock, &fd);
    nap(50);
    pthread_kill(waiter, SIGUSR1);
    pthread_join(waiter, nullptr);
    CHECK_IS(signal_ends_it, EINTR);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(unlink("locked"), 0);
    CHECK_IS(lock(fd, F_SETLK, F_WRLCK, 70, 1), 0);
    pid = start(nullptr, "+cross", "lock", "locked"); /* has 71, waits for 70 */
    wait_for("locked");
    nap(100);
    CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 71, 1), EDEADLK);
    CHECK_IS(lock(fd, F_SETLK, F_UNLCK, 70, 1), 0);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(unlink("locked"), 0);

    /* of open files */
    int other = open("lock", O_RDWR);
    CHECK_IS(lock(fd, F_OFD_SETLK, F_WRLCK, 60, 1), 0);
    CHECK(lock(other, F_OFD_SETLK, F_WRLCK, 60, 1) == -1 && errno == EAGAIN);
    CHECK_IS(lock(dup(fd), F_OFD_SETLK, F_WRLCK, 60, 2), 0);
    CHECK_IS(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
    CHECK_IS(lock(other, F_OFD_SETLK, F_WRLCK, 60, 1), 0);
    CHECK_IS(flock(fd, LOCK_EX), 0);
    CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_IS(flock(fd, LOCK_SH), 0);
    CHECK_IS(flock(other, LOCK_SH | LOCK_NB), 0);
    CHECK_IS(flock(other, LOCK_UN), 0);
    CHECK_IS(flock(fd, LOCK_EX | LOCK_NB), 0);
    CHECK_IS(flock(fd, LOCK_UN), 0);
    CHECK_ERRNO(flock(fd, 77), EINVAL);
    CHECK_ERRNO(flock(99, LOCK_EX), EBADF);
    close(other);
    close(fd);
    CHECK_IS(unlink("lock"), 0);
}

/* --- races --- */

enum { RACERS = 2, ROUNDS = 200 };

static void race(const char *what, const char *argument)
{
    pid_t pid[RACERS];
    for (int i = 0; i < RACERS; i++)
        pid[i] = start(nullptr, what, i == 0 ? "a" : "b", argument);
    for (int i = 0; i < RACERS; i++)
        CHECK_IS(status_of(pid[i]), 0);
}

static void races(void)
{
    struct stat s;
    char b[ROUNDS * 2 * 16] = {};
    /* appending: no line is lost or torn */
    close(open("appended", O_RDWR | O_CREAT, 0600));
    race("+append", "appended");
    int fd = open("appended", O_RDONLY), n[2] = {}, torn = 0;
    ssize_t bytes = read(fd, b, sizeof b);
    close(fd);
    CHECK_IS(bytes, ROUNDS * 2 * 16);
    for (int i = 0; i < ROUNDS * 2; i++) {
        const char *line = b + i * 16;
        for (int k = 1; k < 15; k++)
            torn += line[k] != line[0];
        torn += line[15] != '\n';
        n[line[0] == 'b']++;
    }
    CHECK(n[0] == ROUNDS && n[1] == ROUNDS && torn == 0);
    /* one position: each writes its lines, none over another's */
    fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_IS(dup2(fd, 20), 20);
    race("+shared", "20");
    memset(b, 0, sizeof b);
    n[0] = n[1] = 0;
    CHECK_IS(pread(fd, b, sizeof b, 0), ROUNDS * 2 * 16);
    for (int i = 0; i < ROUNDS * 2; i++)
        n[b[i * 16] == 'b']++;
    CHECK(n[0] == ROUNDS && n[1] == ROUNDS);
    close(20);
    close(fd);
    /* making: exactly one wins each time */
    close(open("won", O_RDWR | O_CREAT | O_TRUNC, 0600));
    race("+exclusive", "won");
    CHECK(stat("won", &s) == 0 && s.st_size == ROUNDS);
    /* renaming over one name: it is always there and whole */
    put("target", "0123456789", 0600);
    race("+replace", "target");
    CHECK(stat("target", &s) == 0 && s.st_size == 10);
    /* a counter under a lock */
    put("counter", "0", 0600);
    race("+count", "counter");
    fd = open("counter", O_RDONLY);
    memset(b, 0, 16);
    CHECK(read(fd, b, 15) > 0 && atoi(b) == 2 * ROUNDS);
    close(fd);
    static const char *const all[] = { "appended", "shared", "won", "target", "counter" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        CHECK_IS(unlink(all[i]), 0);
}

/* --- the children --- */

static int make_first(const char *who, const char *tally)
{
    char name[32];
    int to = open(tally, O_WRONLY | O_APPEND);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "x-%d", i);
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) {
            if (write(to, who, 1) != 1)
                return 1;
            close(fd);
        } else if (errno != EEXIST) {
            return 2;
        }
    }
    return 0;
}

static int replace(const char *who, const char *target)
{
    char name[32], b[16];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "new-%s", who);
        put(name, "0123456789", 0600);
        if (rename(name, target) != 0)
            return 1;
        int fd = open(target, O_RDONLY);
        if (fd < 0 || read(fd, b, sizeof b) != 10)
            return 2;
        close(fd);
    }
    return 0;
}

static int count_up(const char *name)
{
    for (int i = 0; i < ROUNDS; i++) {
        char b[16] = {};
        int fd = open(name, O_RDWR);
        if (fd < 0 || lock(fd, F_SETLKW, F_WRLCK, 0, 0) != 0 || pread(fd, b, 15, 0) <= 0)
            return 1;
        int n = snprintf(b, sizeof b, "%d", atoi(b) + 1);
        if (pwrite(fd, b, (size_t)n, 0) != n || close(fd) != 0)
            return 2;
    }
    return 0;
}

static int many_lines(int fd, char letter)
{
    char line[17];
    memset(line, letter, 15);
    line[15] = '\n';
    for (int i = 0; i < ROUNDS; i++)
        if (write(fd, line, 16) != 16)
            return 1;
    return 0;
}

static int child(char **argv)
{
    const char *what = argv[1], *a = argv[2], *b = argv[3];
    char text[256] = {};
    if (strcmp(what, "+seven") == 0)
        return a != nullptr && strcmp(a, "inside") == 0 ? 7 : 1;
    if (strcmp(what, "+script") == 0) /* argv: interpreter, +script, ./script, word */
        return a != nullptr && b != nullptr && strcmp(a, "./script") == 0 && strcmp(b, "word") == 0 ? 8 : 1;
    if (strcmp(what, "+write") == 0)
        return write(atoi(a), b, strlen(b)) != (ssize_t)strlen(b);
    if (strcmp(what, "+read") == 0) {
        if (fcntl(atoi(a), F_GETFD) < 0)
            return 9;
        return read(atoi(a), text, strlen(b)) != (ssize_t)strlen(b) || strcmp(text, b) != 0;
    }
    if (strcmp(what, "+twice") == 0)
        return lseek(atoi(a), 7, SEEK_SET) != 7 || run("+read", a, b) != 0 || lseek(atoi(a), 0, SEEK_CUR) != 12;
    if (strcmp(what, "+say") == 0)
        return printf("%s\n%s\n", a, b) < 0;
    if (strcmp(what, "+make") == 0) {
        int fd = openat(atoi(a), b, O_RDWR | O_CREAT, 0666), here = open("here", O_RDWR | O_CREAT, 0600);
        return fd < 0 || here < 0;
    }
    if (strcmp(what, "+cwd") == 0)
        return getcwd(text, sizeof text) == nullptr || strcmp(strrchr(text, '/') + 1, a) != 0;
    if (strcmp(what, "+lock") == 0 || strcmp(what, "+rdlock") == 0) {
        int fd = open(a, O_RDWR);
        return lock(fd, F_SETLK, what[1] == 'r' ? F_RDLCK : F_WRLCK, atoi(b), 1) == 0 ? 0 : errno;
    }
    if (strcmp(what, "+hold") == 0) {
        int fd = open(a, O_RDWR);
        if (lock(fd, F_SETLK, F_WRLCK, 40, 2) != 0)
            return 1;
        put(b, "", 0600);
        nap(300);
        return 0;
    }
    if (strcmp(what, "+cross") == 0) {
        int fd = open(a, O_RDWR);
        if (lock(fd, F_SETLK, F_WRLCK, 71, 1) != 0)
            return 1;
        put(b, "", 0600);
        return lock(fd, F_SETLKW, F_WRLCK, 70, 1) != 0;
    }
    if (strcmp(what, "+append") == 0)
        return many_lines(open(b, O_WRONLY | O_APPEND), *a);
    if (strcmp(what, "+shared") == 0)
        return many_lines(atoi(b), *a);
    if (strcmp(what, "+exclusive") == 0)
        return make_first(a, b);
    if (strcmp(what, "+replace") == 0)
        return replace(a, b);
    return strcmp(what, "+count") == 0 ? count_up(b) : 99;
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/processesXXXXXX", name[32];
    snprintf(self, sizeof self, "%s", strchr(argv[0], '/') != nullptr ? argv[0] : "/bin/fs_processes");
    if (argc > 1 && argv[1][0] == '+')
        return child(argv);
    setvbuf(stdout, nullptr, _IOLBF, 0);
    umask(022);
    CHECK(mkdtemp(directory) != nullptr);
    strcpy(home, directory);
    CHECK_IS(chdir(directory), 0);
    inheriting();
    programs();
    locks();
    races();
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "x-%d", i);
        unlink(name);
    }
    CHECK_IS(chdir("/"), 0);
    CHECK_IS(rmdir(directory), 0);
    return check_done();
}
