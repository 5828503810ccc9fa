/* SPDX-License-Identifier: MIT
 * Files in /tmp: opening them in every way, their bytes, positions, lengths, holes. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static off_t size_of(int fd)
{
    struct stat s = {};
    return fstat(fd, &s) == 0 ? s.st_size : -1;
}

static void opening(void)
{
    struct stat s;
    char b[8] = {};
    CHECK_ERRNO(open("a", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("a", O_RDWR), ENOENT);
    CHECK_ERRNO(open("no/a", O_RDWR | O_CREAT, 0600), ENOENT);
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0666);
    CHECK(fd >= 0);
    CHECK_IS(fstat(fd, &s), 0);
    CHECK(S_ISREG(s.st_mode) && s.st_size == 0 && s.st_nlink == 1);
    CHECK_IS(s.st_mode & 07777, 0644);
    CHECK_IS(fcntl(fd, F_GETFL) & (O_ACCMODE | O_CREAT | O_EXCL), O_RDWR);
    CHECK_ERRNO(open("a", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
    CHECK_ERRNO(open("a/b", O_RDWR), ENOTDIR);
    CHECK_ERRNO(open("a/", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
    CHECK_ERRNO(open(".", O_RDWR), EISDIR);
    CHECK_ERRNO(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
    CHECK_ERRNO(open(".", O_RDONLY | O_CREAT, 0600), EISDIR);
    CHECK_IS(write(fd, "hello", 5), 5);
    CHECK_IS(close(fd), 0);

    fd = open("a", O_RDONLY | O_CREAT, 0600); /* there already: nothing is made */
    CHECK_IS(read(fd, b, sizeof b), 5);
    CHECK_ERRNO((int)write(fd, "x", 1), EBADF);
    CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
    close(fd);
    fd = open("a", O_WRONLY);
    CHECK_ERRNO((int)read(fd, b, 1), EBADF);
    CHECK_IS(size_of(fd), 5);
    close(fd);
    fd = open("a", O_WRONLY | O_TRUNC);
    CHECK_IS(size_of(fd), 0);
    close(fd);
    CHECK_IS(utimensat(AT_FDCWD, "a", (struct timespec[2]){ { 9, 0 }, { 9, 0 } }, 0), 0);
    close(open("a", O_WRONLY | O_TRUNC)); /* empty already, and changed all the same */
    CHECK(stat("a", &s) == 0 && s.st_mtim.tv_sec > 9);

    CHECK_IS(symlink("a", "link"), 0);
    CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERRNO(open("link", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    fd = open("link", O_RDWR);
    CHECK(fd >= 0);
    close(fd);
    CHECK_IS(symlink("made", "dangling"), 0);
    CHECK_ERRNO(open("dangling", O_RDWR), ENOENT);
    fd = open("dangling", O_RDWR | O_CREAT, 0600); /* makes what the link names */
    CHECK(fd >= 0);
    close(fd);
    CHECK_IS(stat("made", &s), 0);

    fd = open("a", O_PATH);
    CHECK(fd >= 0);
    CHECK_IS(fstat(fd, &s), 0);
    CHECK_ERRNO((int)read(fd, b, 1), EBADF);
    CHECK_ERRNO((int)write(fd, b, 1), EBADF);
    close(fd);
    CHECK(open("a", O_TMPFILE | O_RDWR, 0600) == -1);
    CHECK_IS(chmod("a", 0), 0);
    if (geteuid() != 0) {
        CHECK_ERRNO(open("a", O_RDONLY), EACCES);
        CHECK_ERRNO(open("a", O_WRONLY), EACCES);
    }
    CHECK_IS(chmod("a", 0400), 0);
    fd = open("a", O_RDONLY);
    CHECK(fd >= 0);
    close(fd);
    fd = open("readonly", O_RDWR | O_CREAT, 0400); /* the mode does not count for who makes it */
    CHECK_IS(write(fd, "x", 1), 1);
    close(fd);
    fd = open("a", O_RDONLY | O_CLOEXEC);
    CHECK_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    char name[NAME_MAX + 2], path[PATH_MAX + 2];
    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = '\0';
    CHECK_ERRNO(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
    name[NAME_MAX] = '\0';
    fd = open(name, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK_IS(unlink(name), 0);
    for (size_t i = 0; i < PATH_MAX; i += 2)
        memcpy(path + i, "./", 2);
    path[PATH_MAX] = '\0';
    CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
    CHECK_ERRNO(open("", O_RDONLY), ENOENT);
}

static void bytes(void)
{
    char b[64] = {};
    int fd = open("bytes", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_IS(write(fd, "0123456789", 10), 10);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_IS(read(fd, b, 4), 0);
    CHECK_IS(pread(fd, b, 4, 3), 4);
    CHECK(memcmp(b, "3456", 4) == 0);
    CHECK_IS(pread(fd, b, 4, 8), 2);
    CHECK_IS(pread(fd, b, 4, 100), 0);
    CHECK_ERRNO((int)pread(fd, b, 4, -1), EINVAL);
    CHECK_IS(pwrite(fd, "ab", 2, 1), 2);
    CHECK_ERRNO((int)pwrite(fd, "ab", 2, -1), EINVAL);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_IS(lseek(fd, -3, SEEK_END), 7);
    CHECK_IS(read(fd, b, sizeof b), 3);
    CHECK(memcmp(b, "789", 3) == 0);
    CHECK_IS(lseek(fd, 2, SEEK_SET), 2);
    CHECK_IS(lseek(fd, 2, SEEK_CUR), 4);
    CHECK_ERRNO((int)lseek(fd, -5, SEEK_CUR), EINVAL);
    CHECK_ERRNO((int)lseek(fd, -11, SEEK_END), EINVAL);
    CHECK_ERRNO((int)lseek(fd, INT64_MAX, SEEK_CUR), EOVERFLOW);
    CHECK_ERRNO((int)lseek(fd, 0, 99), EINVAL);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 4);
    struct iovec v[3] = { { b, 2 }, { b + 8, 0 }, { b + 16, 40 } };
    CHECK_IS(readv(fd, v, 3), 6);
    CHECK(memcmp(b, "45", 2) == 0 && memcmp(b + 16, "6789", 4) == 0);
    struct iovec w[2] = { { "XY", 2 }, { "Z", 1 } };
    CHECK_IS(writev(fd, w, 2), 3);
    CHECK_IS(pwritev(fd, w, 2, 20), 3);
    CHECK_IS(preadv(fd, v, 3, 9), 14);
    CHECK(memcmp(b, "9X", 2) == 0 && memcmp(b + 16, "YZ\0\0\0\0\0\0\0XYZ", 12) == 0); /* the hole reads as zeroes */
    CHECK_IS(size_of(fd), 23);
    CHECK_IS(write(fd, b, 0), 0);
    CHECK_ERRNO((int)readv(fd, v, -1), EINVAL);

    /* what goes beyond the largest offset */
    CHECK_IS(lseek(fd, INT64_MAX, SEEK_SET) == INT64_MAX, 1);
    CHECK_ERRNO((int)write(fd, "x", 1), EFBIG);
    CHECK_IS(read(fd, b, 1), 0);
    CHECK_IS(size_of(fd), 23);
    close(fd);

    fd = open("bytes", O_WRONLY | O_APPEND);
    CHECK_IS(lseek(fd, 2, SEEK_SET), 2);
    CHECK_IS(write(fd, "end", 3), 3);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 26);
    CHECK_IS(fcntl(fd, F_SETFL, 0), 0);
    CHECK_IS(lseek(fd, 0, SEEK_SET), 0);
    CHECK_IS(write(fd, "!", 1), 1);
    CHECK_IS(size_of(fd), 26);
    CHECK_IS(fcntl(fd, F_SETFL, O_APPEND), 0);
    CHECK_IS(write(fd, "?", 1), 1);
    CHECK_IS(size_of(fd), 27);
    close(fd);
    static const int synchronous[] = { O_SYNC, O_DSYNC, O_RSYNC };
    for (int i = 0; i < 3; i++) {
        fd = open("bytes", O_WRONLY | synchronous[i]);
        CHECK_IS(write(fd, "!!", 2), 2);
        close(fd);
    }
    fd = open("bytes", O_RDWR);
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
    CHECK_IS(poll(&p, 1, 0), 1);
    CHECK_IS(p.revents, POLLIN | POLLOUT);
    CHECK_IS(fsync(fd), 0);
    CHECK_IS(fdatasync(fd), 0);
    CHECK_IS(syncfs(fd), 0);
    sync();
    close(fd);
    CHECK_ERRNO(fsync(fd), EBADF);
    int pipes[2];
    CHECK_IS(pipe(pipes), 0);
    CHECK_ERRNO(fsync(pipes[1]), EINVAL);
    CHECK_ERRNO((int)lseek(pipes[1], 0, SEEK_CUR), ESPIPE);
    CHECK_ERRNO((int)pwrite(pipes[1], "x", 1, 0), ESPIPE);
    CHECK_ERRNO(ftruncate(pipes[1], 0), EINVAL);
    close(pipes[0]);
    close(pipes[1]);
}

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

/* More than any buffer on the way holds. */
static void much(void)
{
    enum : size_t { BYTES = 3 * 1024 * 1024 + 17 };
    unsigned char *b = malloc(BYTES);
    int fd = open("much", O_RDWR | O_CREAT, 0600), wrong = 0;
    for (size_t i = 0; i < BYTES; i++)
        b[i] = pattern(i);
    CHECK_IS(write(fd, b, BYTES), BYTES);
    CHECK_IS(size_of(fd), BYTES);
    memset(b, 0, BYTES);
    CHECK_IS(pread(fd, b, BYTES, 0), BYTES);
    for (size_t i = 0; i < BYTES; i++)
        wrong += b[i] != pattern(i);
    CHECK_IS(wrong, 0);
    CHECK_IS(lseek(fd, 4093, SEEK_SET), 4093);
    for (size_t at = 4093; at < BYTES;) {
        ssize_t n = read(fd, b, 70001);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            wrong += b[i] != pattern(at + (size_t)i);
        at += (size_t)n;
    }
    CHECK_IS(wrong, 0);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), BYTES);

    int to = open("much2", O_RDWR | O_CREAT, 0600);
    off_t from = 5, at = 1;
    CHECK_IS(copy_file_range(fd, &from, to, &at, BYTES, 0), BYTES - 5);
    CHECK_IS(from, BYTES);
    CHECK_IS(at, BYTES - 4);
    CHECK_IS(lseek(to, 0, SEEK_CUR), 0);
    CHECK_IS(copy_file_range(fd, &from, to, nullptr, 9, 0), 0);
    from = 0;
    at = 1000;
    CHECK_ERRNO((int)copy_file_range(fd, &from, fd, &at, 2000, 0), EINVAL); /* they overlap */
    CHECK_ERRNO((int)copy_file_range(fd, &from, to, nullptr, 1, 1), EINVAL);
    CHECK_IS(pread(to, b, 4, 0), 4);
    CHECK(b[0] == 0 && b[1] == pattern(5) && b[3] == pattern(7));
    from = 100;
    CHECK_IS(ftruncate(to, 0), 0);
    CHECK_IS(sendfile(to, fd, &from, 1000), 1000);
    CHECK_IS(from, 1100);
    CHECK_IS(lseek(fd, 7, SEEK_SET), 7);
    CHECK_IS(sendfile(to, fd, nullptr, 10), 10);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 17);
    CHECK_IS(size_of(to), 1010);
    int ro = open("much", O_RDONLY);
    CHECK_ERRNO((int)sendfile(ro, fd, nullptr, 1), EBADF);

    unsigned char *map = mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, ro, 4096);
    CHECK(map != MAP_FAILED && map[0] == pattern(4096) && map[8191] == pattern(12287));
    munmap(map, 8192);
    map = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
    CHECK(map != MAP_FAILED);
    map[0] ^= 1; /* changes nothing in the file */
    CHECK(pread(ro, b, 1, 0) == 1 && b[0] == pattern(0));
    munmap(map, 4096);
    CHECK(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, ro, 0) != MAP_FAILED || errno == ENODEV);
    int wo = open("much", O_WRONLY);
    CHECK(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, wo, 0) == MAP_FAILED && errno == EACCES);
    close(wo);
    close(ro);
    close(to);
    close(fd);
    CHECK_IS(unlink("much"), 0);
    CHECK_IS(unlink("much2"), 0);
    free(b);
}

static void lengths(void)
{
    char b[16];
    struct stat s;
    int fd = open("length", O_RDWR | O_CREAT, 0600);
    CHECK_IS(write(fd, "0123456789", 10), 10);
    CHECK_IS(ftruncate(fd, 4), 0);
    CHECK_IS(size_of(fd), 4);
    CHECK_IS(ftruncate(fd, 8), 0);
    CHECK_IS(pread(fd, b, 16, 0), 8);
    CHECK(memcmp(b, "0123\0\0\0\0", 8) == 0);
    CHECK_IS(truncate("length", 2), 0);
    CHECK_IS(size_of(fd), 2);
    CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
    CHECK_ERRNO(truncate("length", -1), EINVAL);
    CHECK_ERRNO(truncate("nothing", 0), ENOENT);
    CHECK_ERRNO(truncate("length/x", 0), ENOTDIR);
    CHECK_ERRNO(truncate(".", 0), EISDIR);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 10); /* the position stays, and a write there leaves a hole */
    CHECK_IS(write(fd, "x", 1), 1);
    CHECK_IS(size_of(fd), 11);
    CHECK_IS(posix_fallocate(fd, 0, 100), 0);
    CHECK_IS(size_of(fd), 100);
    CHECK_IS(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 9000), 0);
    CHECK_IS(size_of(fd), 100);
    CHECK_IS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1), 0);
    CHECK_IS(pread(fd, b, 2, 0), 2);
    CHECK(b[0] == 0 && b[1] == '1');
    CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, INT64_MAX, 1), EFBIG);
    int ro = open("length", O_RDONLY);
    CHECK_ERRNO(fallocate(ro, 0, 0, 1), EBADF);
    close(ro);

    /* holes: data, 1 MiB of nothing, data */
    CHECK_IS(ftruncate(fd, 0), 0);
    CHECK_IS(pwrite(fd, "a", 1, 0), 1);
    CHECK_IS(pwrite(fd, "b", 1, 1 << 20), 1);
    CHECK_IS(lseek(fd, 0, SEEK_DATA), 0);
    off_t hole = lseek(fd, 0, SEEK_HOLE);
    CHECK(hole >= 1 && hole < 1 << 20);
    CHECK_IS(lseek(fd, hole, SEEK_DATA), 1 << 20);
    CHECK_IS(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 1);
    CHECK_ERRNO((int)lseek(fd, (1 << 20) + 1, SEEK_DATA), ENXIO);
    CHECK_ERRNO((int)lseek(fd, -1, SEEK_HOLE), ENXIO);
    CHECK_IS(fstat(fd, &s), 0);
    CHECK(s.st_blocks * 512 < 1 << 20);
    close(fd);
    fd = open("length", O_RDONLY); /* unlinked, and there as long as it is open */
    CHECK_IS(unlink("length"), 0);
    CHECK_IS(pread(fd, b, 1, 0), 1);
    CHECK_IS(fstat(fd, &s), 0);
    CHECK_IS(s.st_nlink, 0);
    close(fd);
}

/* Until there is no more; what was written stays whole, and the space comes back. */
static void full(void)
{
    enum : size_t { CHUNK = 1 << 20, CHUNKS_MAX = 4096 };
    struct statvfs before, after;
    char *b = malloc(CHUNK), c = 0;
    int fd = open("full", O_RDWR | O_CREAT, 0600);
    CHECK_IS(statvfs(".", &before), 0);
    if ((uint64_t)before.f_bavail * before.f_frsize > (uint64_t)CHUNK * CHUNKS_MAX / 4) {
        close(fd); /* elsewhere: a disk is not filled for this */
        free(b);
        return;
    }
    memset(b, 'f', CHUNK);
    ssize_t n = 0;
    off_t written = 0;
    while ((n = write(fd, b, CHUNK)) > 0)
        written += n;
    CHECK(n == -1 && errno == ENOSPC);
    CHECK(written > (off_t)((uint64_t)before.f_bavail * before.f_frsize / 2));
    CHECK_IS(size_of(fd), written);
    CHECK(pread(fd, &c, 1, written - 1) == 1 && c == 'f');
    CHECK_IS(lseek(fd, 0, SEEK_CUR), written);
    int other = open("other", O_RDWR | O_CREAT, 0600);
    CHECK(other == -1 ? errno == ENOSPC : write(other, b, CHUNK) < (ssize_t)CHUNK);
    close(other);
    CHECK_IS(ftruncate(fd, 0), 0);
    CHECK_IS(write(fd, b, CHUNK), CHUNK);
    close(fd);
    unlink("other");
    CHECK_IS(unlink("full"), 0);
    CHECK_IS(statvfs(".", &after), 0);
    CHECK(after.f_bavail + 64 >= before.f_bavail);
    free(b);
}

static void library(void)
{
    char name[] = "tempXXXXXX", line[32];
    int fd = mkstemp(name);
    CHECK(fd >= 0 && strcmp(name, "tempXXXXXX") != 0);
    struct stat s;
    CHECK(fstat(fd, &s) == 0 && (s.st_mode & 0777) == 0600);
    close(fd);
    CHECK_IS(unlink(name), 0);
    FILE *f = tmpfile();
    CHECK(f != nullptr && fputs("line\n", f) >= 0 && fflush(f) == 0);
    rewind(f);
    CHECK(fgets(line, sizeof line, f) != nullptr && strcmp(line, "line\n") == 0);
    CHECK_IS(fclose(f), 0);
    f = fopen("text", "w+");
    for (int i = 0; i < 10000; i++)
        fprintf(f, "%d\n", i);
    CHECK_IS(fseek(f, -5, SEEK_END), 0);
    CHECK(fgets(line, sizeof line, f) != nullptr && strcmp(line, "9999\n") == 0);
    CHECK_IS(fclose(f), 0);
    f = fopen("text", "a+");
    fputs("more\n", f);
    fclose(f);
    CHECK_IS(fopen("text", "wx") == nullptr && errno == EEXIST, 1);
    CHECK_IS(stat("text", &s), 0);
    CHECK_IS(s.st_size, 48895);
    CHECK_IS(remove("text"), 0);
    CHECK_ERRNO(remove("text"), ENOENT);
    CHECK_IS(mkdir("dir", 0700), 0);
    CHECK_IS(remove("dir"), 0);
}

int main(void)
{
    char directory[] = "/tmp/bytesXXXXXX";
    setvbuf(stdout, nullptr, _IOLBF, 0);
    umask(022);
    CHECK(mkdtemp(directory) != nullptr);
    CHECK_IS(chdir(directory), 0);
    opening();
    bytes();
    much();
    lengths();
    full();
    library();
    return check_done();
}
