/* SPDX-License-Identifier: MIT
 * Names in /tmp: directories and their listings, links, renaming, the current directory, and every way to fail. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { REPLACE_NOT = 1, EXCHANGE = 2 };
static char home[64];

static void make(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0)
        abort();
}

/* The file's text is this. */
static int holds(const char *name, const char *text)
{
    char b[64] = {};
    int fd = open(name, O_RDONLY);
    ssize_t n = read(fd, b, sizeof b - 1);
    close(fd);
    return n >= 0 && strcmp(b, text) == 0;
}

static void directories(void)
{
    struct stat s;
    CHECK_IS(mkdir("d", 0777), 0);
    CHECK_IS(stat("d", &s), 0);
    CHECK(S_ISDIR(s.st_mode) && (s.st_mode & 0777) == 0755 && s.st_nlink >= 1);
    CHECK_ERRNO(mkdir("d", 0777), EEXIST);
    CHECK_ERRNO(mkdir(".", 0777), EEXIST);
    CHECK_ERRNO(mkdir("d/.", 0777), EEXIST);
    CHECK_ERRNO(mkdir("no/d", 0777), ENOENT);
    CHECK_ERRNO(mkdir("no/.", 0777), ENOENT); /* which does not make "no" */
    CHECK_ERRNO(mkdir("no/./", 0777), ENOENT);
    CHECK_ERRNO(mkdir("", 0777), ENOENT);
    CHECK_IS(mkdir("d/e/", 0700), 0); /* a slash at the end is as good */
    make("d/file", "x");
    CHECK_ERRNO(mkdir("d/file", 0777), EEXIST);
    CHECK_ERRNO(mkdir("d/file/x", 0777), ENOTDIR);
    CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
    CHECK_ERRNO(rmdir("d/file"), ENOTDIR);
    CHECK_ERRNO(rmdir("d/nothing"), ENOENT);
    CHECK_ERRNO(rmdir("d/e/."), EINVAL);
    CHECK_ERRNO(rmdir("d/e/.."), ENOTEMPTY);
    CHECK_ERRNO(unlink("d/e"), EISDIR);
    CHECK_ERRNO(unlink("d/file/"), ENOTDIR);
    CHECK_ERRNO(unlink("d/nothing"), ENOENT);
    CHECK_ERRNO(unlink(""), ENOENT);
    int d = open("d", O_RDONLY | O_DIRECTORY);
    CHECK_IS(unlinkat(d, "file", 0), 0);
    CHECK_IS(mkdirat(d, "f", 0700), 0);
    CHECK_IS(unlinkat(d, "f", AT_REMOVEDIR), 0);
    CHECK_ERRNO(unlinkat(d, "e", 0), EISDIR);
    CHECK_ERRNO(unlinkat(d, "e", 0x4000), EINVAL);
    CHECK_ERRNO(mkdirat(99, "f", 0700), EBADF);
    int file = openat(d, "file", O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0);
    CHECK_ERRNO(mkdirat(file, "f", 0700), ENOTDIR);
    close(file);
    CHECK_IS(unlinkat(d, "file", 0), 0);
    CHECK_IS(rmdir("d/e"), 0);
    CHECK_IS(rmdir("d/"), 0);
    CHECK_ERRNO(openat(d, "new", O_RDWR | O_CREAT, 0600), ENOENT); /* the directory has gone */
    close(d);
}

static int names_in(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (d != nullptr && readdir(d) != nullptr)
        n++;
    if (d != nullptr)
        closedir(d);
    return n;
}

static void listing(void)
{
    enum { NAMES = 300 };
    char name[32];
    unsigned seen[NAMES] = {}, dots = 0, others = 0;
    CHECK_IS(mkdir("list", 0700), 0);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "list/name-%d", i);
        make(name, "");
    }
    mkdir("list/sub", 0700);
    symlink("x", "list/link");
    DIR *d = opendir("list");
    CHECK(d != nullptr);
    long places[NAMES + 4];
    char after[NAMES + 4][32];
    int n = 0;
    struct dirent *e;
    struct stat s;
    for (places[0] = telldir(d); (e = readdir(d)) != nullptr; places[++n] = telldir(d)) {
        int i;
        strcpy(after[n], e->d_name);
        if (sscanf(e->d_name, "name-%d", &i) == 1) {
            seen[i]++;
            if (i == 7 && (fstatat(dirfd(d), e->d_name, &s, 0) != 0 || s.st_ino != e->d_ino || e->d_type != DT_REG))
                others += 100;
        } else if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            dots++;
        } else if (strcmp(e->d_name, "sub") == 0) {
            others += e->d_type == DT_DIR;
        } else if (strcmp(e->d_name, "link") == 0) {
            others += e->d_type == DT_LNK;
        }
    }
    int once = 1;
    for (int i = 0; i < NAMES; i++)
        once &= seen[i] == 1;
    CHECK(once);
    CHECK_IS(dots, 2);
    CHECK_IS(others, 2);
    CHECK_IS(n, NAMES + 4);
    int good = 1;
    for (int i = n - 1; i >= 0; i -= 7) { /* every place is where the same name follows */
        seekdir(d, places[i]);
        e = readdir(d);
        good &= e != nullptr && strcmp(e->d_name, after[i]) == 0;
    }
    CHECK(good);
    /* what is removed while it is listed takes nothing else along */
    rewinddir(d);
    int left = 0;
    while ((e = readdir(d)) != nullptr) {
        if (strncmp(e->d_name, "name-", 5) == 0)
            unlinkat(dirfd(d), e->d_name, 0);
        left++;
    }
    CHECK_IS(left, NAMES + 4);
    rewinddir(d);
    for (left = 0; readdir(d) != nullptr;)
        left++;
    CHECK_IS(left, 4);
    closedir(d);
    CHECK_IS(unlink("list/link"), 0);
    CHECK_IS(rmdir("list/sub"), 0);
    int fd = open("list", O_RDONLY);
    char small[8];
    CHECK_ERRNO((int)syscall(SYS_getdents64, fd, small, sizeof small), EINVAL);
    CHECK_ERRNO((int)read(fd, small, 1), EISDIR);
    CHECK_ERRNO((int)write(fd, small, 1), EBADF);
    close(fd);
    CHECK_ERRNO((int)syscall(SYS_getdents64, 0, small, sizeof small), ENOTDIR);
    CHECK_IS(rmdir("list"), 0);
    CHECK(opendir("list") == nullptr && errno == ENOENT);
}

static void links(void)
{
    struct stat s, t;
    char b[64] = {};
    make("file", "text");
    CHECK_IS(link("file", "second"), 0);
    CHECK(stat("file", &s) == 0 && stat("second", &t) == 0 && s.st_ino == t.st_ino && s.st_nlink == 2);
    CHECK_ERRNO(link("file", "second"), EEXIST);
    CHECK_ERRNO(link("nothing", "third"), ENOENT);
    CHECK_ERRNO(link("file", "no/third"), ENOENT);
    CHECK_ERRNO(link(".", "third"), EPERM);
    CHECK_IS(unlink("file"), 0);
    CHECK(holds("second", "text"));
    CHECK(stat("second", &s) == 0 && s.st_nlink == 1);

    CHECK_IS(symlink("second", "soft"), 0);
    CHECK_IS(readlink("soft", b, sizeof b), 6);
    CHECK(strcmp(b, "second") == 0);
    CHECK_IS(readlink("soft", b, 3), 3); /* cut short without a word */
    CHECK_ERRNO((int)readlink("second", b, sizeof b), EINVAL);
    CHECK_ERRNO((int)readlink("nothing", b, sizeof b), ENOENT);
    CHECK_ERRNO((int)readlink("soft/", b, sizeof b), ENOTDIR);
    CHECK(lstat("soft", &s) == 0 && S_ISLNK(s.st_mode) && s.st_size == 6);
    CHECK(stat("soft", &s) == 0 && S_ISREG(s.st_mode));
    CHECK_ERRNO(symlink("x", "soft"), EEXIST);
    CHECK_ERRNO(symlink("", "empty"), ENOENT);
    CHECK_ERRNO(symlink("x", "no/soft"), ENOENT);
    CHECK(holds("soft", "text"));
    CHECK_IS(link("soft", "softer"), 0); /* the link itself */
    CHECK(lstat("softer", &s) == 0 && S_ISLNK(s.st_mode));
    CHECK_IS(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW), 0);
    CHECK(lstat("hard", &s) == 0 && S_ISREG(s.st_mode));
    CHECK_ERRNO(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard2", 0x4000), EINVAL);

    CHECK_IS(mkdir("dir", 0700), 0);
    make("dir/in", "inside");
    CHECK_IS(symlink("dir", "todir"), 0);
    CHECK(holds("todir/in", "inside"));
    CHECK_IS(symlink("../second", "dir/up"), 0);
    CHECK(holds("dir/up", "text") && holds("todir/up", "text"));
    CHECK(holds("todir/../second", "text")); /* ".." of where the link leads */
    CHECK(lstat("todir", &s) == 0 && S_ISLNK(s.st_mode));
    CHECK(lstat("todir/", &s) == 0 && S_ISDIR(s.st_mode)); /* a slash follows it */
    CHECK_ERRNO(rmdir("todir"), ENOTDIR);
    char long_target[PATH_MAX + 1];
    memset(long_target, 'x', sizeof long_target);
    long_target[PATH_MAX] = '\0';
    CHECK_ERRNO(symlink(long_target, "toolong"), ENAMETOOLONG);

    CHECK_IS(symlink("loop2", "loop1"), 0);
    CHECK_IS(symlink("loop1", "loop2"), 0);
    CHECK_ERRNO(stat("loop1", &s), ELOOP);
    CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
    CHECK_ERRNO(open("loop1", O_RDWR | O_CREAT, 0600), ELOOP);
    CHECK_ERRNO(chdir("loop1"), ELOOP);
    CHECK_ERRNO(unlink("loop1/x"), ELOOP);
    CHECK_IS(lstat("loop1", &s), 0);
    char *real = realpath("todir/up", nullptr), wanted[PATH_MAX];
    snprintf(wanted, sizeof wanted, "%s/second", home);
    CHECK(real != nullptr && strcmp(real, wanted) == 0);
    free(real);
    CHECK_IS(system("exit 0"), 0);
    static const char *const all[] = {
        "second", "soft", "softer", "hard", "dir/in", "dir/up", "todir", "loop1", "loop2"
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        CHECK_IS(unlink(all[i]), 0);
    CHECK_IS(rmdir("dir"), 0);
}

static int rename2(const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void renaming(void)
{
    struct stat s, t;
    make("a", "A");
    make("b", "B");
    CHECK_IS(stat("a", &s), 0);
    CHECK_IS(rename("a", "b"), 0);
    CHECK(holds("b", "A") && stat("b", &t) == 0 && s.st_ino == t.st_ino);
    CHECK_ERRNO(rename("a", "c"), ENOENT);
    CHECK_ERRNO(rename("b", "no/c"), ENOENT);
    CHECK_ERRNO(rename("b", ""), ENOENT);
    CHECK_IS(rename("b", "b"), 0);
    CHECK_IS(link("b", "same"), 0);
    CHECK_IS(rename("b", "same"), 0); /* two names of one file: nothing happens */
    CHECK(holds("b", "A") && holds("same", "A"));
    CHECK_IS(unlink("same"), 0);
    CHECK_IS(mkdir("d", 0700), 0);
    CHECK_IS(mkdir("d/e", 0700), 0);
    CHECK_IS(mkdir("empty", 0700), 0);
    CHECK_ERRNO(rename("b", "d"), EISDIR);
    CHECK_ERRNO(rename("d", "b"), ENOTDIR);
    CHECK_ERRNO(rename("d", "d/e/f"), EINVAL);
    CHECK_ERRNO(rename("empty", "d"), ENOTEMPTY);
    CHECK(rename("d/.", "x") == -1 && (errno == EINVAL || errno == EBUSY));
    CHECK(rename("empty", "d/..") == -1 && (errno == EINVAL || errno == EBUSY || errno == ENOTEMPTY));
    CHECK_ERRNO(rename("/", "x"), EBUSY);
    CHECK_ERRNO(rename("empty", "/"), EBUSY);
    CHECK_ERRNO(rename("b/", "x"), ENOTDIR);
    CHECK_ERRNO(rename("b", "x/"), ENOTDIR);
    CHECK_IS(rename("d", "empty"), 0); /* over an empty directory */
    CHECK(stat("empty/e", &s) == 0 && stat("d", &s) == -1);
    CHECK_IS(rename("empty/", "d/"), 0);
    CHECK_IS(rename("b", "d/e/b"), 0);
    CHECK(holds("d/e/b", "A"));
    int d = open("d", O_RDONLY);
    CHECK_IS(renameat(d, "e/b", AT_FDCWD, "b"), 0);
    close(d);
    CHECK_IS(symlink("b", "soft"), 0);
    CHECK_IS(rename("soft", "softer"), 0); /* the link itself */
    CHECK(lstat("softer", &s) == 0 && S_ISLNK(s.st_mode));

    make("c", "C");
    CHECK_ERRNO(rename2("b", "c", REPLACE_NOT), EEXIST);
    CHECK_IS(rename2("b", "new", REPLACE_NOT), 0);
    CHECK_IS(rename2("new", "b", REPLACE_NOT), 0);
    CHECK_ERRNO(rename2("b", "nothing", EXCHANGE), ENOENT);
    CHECK_IS(rename2("b", "c", EXCHANGE), 0);
    CHECK(holds("b", "C") && holds("c", "A"));
    CHECK_IS(rename2("b", "d", EXCHANGE), 0);
    CHECK(holds("d", "C") && stat("b/e", &s) == 0);
    CHECK_ERRNO(rename2("b", "d", EXCHANGE | REPLACE_NOT), EINVAL);
    CHECK_ERRNO(rename2("b", "d", 64), EINVAL);
    /* an open file follows its name nowhere */
    int fd = open("c", O_RDWR);
    CHECK_IS(rename("c", "elsewhere"), 0);
    CHECK_IS(write(fd, "Z", 1), 1);
    CHECK(holds("elsewhere", "Z"));
    make("over", "over");
    CHECK_IS(rename("over", "elsewhere"), 0);
    CHECK_IS(pwrite(fd, "Y", 1, 0), 1); /* replaced, and there as long as it is open */
    CHECK(holds("elsewhere", "over"));
    close(fd);
    static const char *const files[] = { "d", "elsewhere", "softer" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        CHECK_IS(unlink(files[i]), 0);
    CHECK_IS(rmdir("b/e"), 0);
    CHECK_IS(rmdir("b"), 0);
}

static void other_file_systems(void)
{
    make("file", "x");
    CHECK(rename("file", "/etc/file") == -1 && (errno == EXDEV || errno == EROFS));
    CHECK(link("file", "/etc/file") == -1 && (errno == EXDEV || errno == EROFS));
    CHECK(rename("/etc/version", "version") == -1 && (errno == EXDEV || errno == EROFS));
    CHECK_ERRNO(unlink("/etc/version"), EROFS);
    CHECK_ERRNO(mkdir("/etc/new", 0700), EROFS);
    CHECK_ERRNO(open("/etc/new", O_RDWR | O_CREAT, 0600), EROFS);
    CHECK_ERRNO(open("/etc/version", O_WRONLY), EROFS);
    CHECK_ERRNO(chmod("/etc/version", 0777), EROFS);
    CHECK_ERRNO(truncate("/etc/version", 0), EROFS);
    CHECK_ERRNO(symlink("x", "/etc/new"), EROFS);
    CHECK_ERRNO(access("/etc/version", W_OK), EROFS);
    struct stat s;
    CHECK(lstat("/bin/ls", &s) == 0 && S_ISLNK(s.st_mode));
    CHECK(stat("/bin/ls", &s) == 0 && S_ISREG(s.st_mode) && s.st_size > 100000);
    char b[32] = {};
    CHECK(readlink("/bin/ls", b, sizeof b) > 0 && strstr(b, "toybox") != nullptr);
    CHECK_IS(symlink("/etc", "etc"), 0);
    CHECK(stat("etc/version", &s) == 0 && S_ISREG(s.st_mode)); /* from one file system into another */
    CHECK_IS(symlink("/dev/null", "null"), 0);
    int fd = open("null", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    CHECK_ERRNO(rmdir("/"), EBUSY);
    CHECK_ERRNO(rmdir("//"), EBUSY);
    CHECK(rmdir("/tmp") == -1 && (errno == EBUSY || errno == ENOTEMPTY || errno == EROFS));
    CHECK_IS(mkfifo("fifo", 0600), 0);
    CHECK_IS(unlink("fifo"), 0);
    CHECK_ERRNO(mknod("sock", S_IFSOCK | 0600, 0), EPERM);
    CHECK_ERRNO(mknod("dev", S_IFCHR | 0600, 1), EPERM);
    CHECK_IS(mknod("plain", S_IFREG | 0600, 0), 0);
    CHECK_IS(unlink("plain"), 0);
    CHECK_IS(unlink("null"), 0);
    CHECK_IS(unlink("etc"), 0);
    CHECK_IS(unlink("file"), 0);
}

static void current_directory(void)
{
    char b[PATH_MAX], wanted[PATH_MAX];
    CHECK_IS(mkdir("x", 0700), 0);
    CHECK_IS(mkdir("x/y", 0700), 0);
    CHECK_IS(symlink("x/y", "short"), 0);
    CHECK_IS(chdir("short"), 0);
    snprintf(wanted, sizeof wanted, "%s/x/y", home);
    CHECK(getcwd(b, sizeof b) != nullptr && strcmp(b, wanted) == 0); /* no links in it */
    make("in", "in");
    CHECK(holds("../y/in", "in"));
    CHECK_IS(chdir(".."), 0);
    snprintf(wanted, sizeof wanted, "%s/x", home);
    CHECK(getcwd(b, sizeof b) != nullptr && strcmp(b, wanted) == 0);
    CHECK(holds("y/in", "in"));
    int fd = open("y", O_RDONLY);
    CHECK_IS(fchdir(fd), 0);
    close(fd);
    CHECK(holds("in", "in"));
    CHECK_ERRNO(chdir("in"), ENOTDIR);
    CHECK_ERRNO(chdir("nothing"), ENOENT);
    CHECK_ERRNO(fchdir(99), EBADF);
    CHECK(getcwd(b, 3) == nullptr && errno == ERANGE);
    CHECK_IS(unlink("in"), 0);
    CHECK_IS(rmdir("../y"), 0);
    CHECK(getcwd(b, sizeof b) == nullptr && errno == ENOENT); /* removed under us */
    CHECK_ERRNO(open("in", O_RDWR | O_CREAT, 0600), ENOENT);
    CHECK_IS(chdir(home), 0);
    CHECK_IS(rmdir("x"), 0);
    CHECK_IS(unlink("short"), 0);
    CHECK_IS(chdir("/../.."), 0);
    CHECK(getcwd(b, sizeof b) != nullptr && strcmp(b, "/") == 0);
    CHECK_IS(chdir(home), 0);
}

static unsigned long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long)t.tv_sec * 1'000'000'000 + (unsigned long)t.tv_nsec;
}

/* To change to a directory is about what looking at it is, however deep it lies: not a question for each name. */
static void deep_directory(void)
{
    enum { LEVELS = 100 };
    char path[PATH_MAX], b[PATH_MAX];
    struct stat s;
    unsigned long look = ULONG_MAX, change = ULONG_MAX;
    strcpy(path, home);
    for (int i = 0; i < LEVELS; i++) {
        strcat(path, "/d");
        CHECK_IS(mkdir(path, 0700), 0);
    }
    for (int i = 0; i < 20; i++) {
        unsigned long start = now();
        CHECK_IS(stat(path, &s), 0);
        unsigned long middle = now();
        CHECK_IS(chdir(path), 0);
        unsigned long end = now();
        look = middle - start < look ? middle - start : look;
        change = end - middle < change ? end - middle : change;
    }
    printf("stat: %lu ns, chdir: %lu ns\n", look, change);
    CHECK(change < look * (LEVELS / 5)); /* the fastest of each: others run beside us */
    CHECK(getcwd(b, sizeof b) != nullptr && strcmp(b, path) == 0);
    CHECK_IS(chdir(home), 0);
    for (int i = 0; i < LEVELS; i++) {
        CHECK_IS(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
    }
}

int main(void)
{
    char directory[] = "/tmp/namesXXXXXX";
    setvbuf(stdout, nullptr, _IOLBF, 0);
    umask(022);
    CHECK(mkdtemp(directory) != nullptr);
    strcpy(home, directory);
    CHECK_IS(chdir(directory), 0);
    directories();
    listing();
    links();
    renaming();
    other_file_systems();
    current_directory();
    deep_directory();
    CHECK_IS(names_in("."), 2);
    CHECK_IS(rmdir(directory), 0);
    return check_done();
}
