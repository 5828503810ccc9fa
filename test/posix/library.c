/* SPDX-License-Identifier: MIT
 * The library on top: stdio, strings, memory under stress with threads, mathematics, setjmp, time, regular expressions,
 * conversion, sorting. What is known of the answers is written down here; nothing is compared with itself. */
#define _GNU_SOURCE
#include "check.h"
#include <complex.h>
#include <fcntl.h>
#include <fenv.h>
#include <float.h>
#include <iconv.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <regex.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wordexp.h>

static int prints(const char *wanted, const char *format, ...)
{
    char out[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out, sizeof out, format, args);
    va_end(args);
    if (strcmp(out, wanted) != 0)
        printf("# got \"%s\"\n", out);
    return strcmp(out, wanted) == 0 && n == (int)strlen(wanted);
}

static void formatting(void)
{
    CHECK(prints("-42 +7 0x2a 052 0042", "%d %+d %#x %#o %04d", -42, 7, 42, 42, 42));
    CHECK(prints("3.14159 1e+100 1.000000e-05 inf nan", "%g %g %e %g %g", 3.14159, 1e100, 1e-5, INFINITY, NAN));
    CHECK(prints("0.1000000000000000055511151231257827021181583404541015625", "%.55f", 0.1));
    CHECK(prints("9007199254740993.0", "%.1Lf", 9007199254740993.0L));
    CHECK(prints("0x1.8p+1", "%a", 3.0));
    CHECK(prints("[  ab][ab  ][a]", "[%4s][%-4s][%.1s]", "ab", "ab", "ab"));
    CHECK(prints("18446744073709551615 -9223372036854775808", "%" PRIu64 " %" PRId64, UINT64_MAX, INT64_MIN));
    CHECK(prints("b a", "%2$s %1$s", "a", "b"));
    double d;
    int i, n = 0;
    char word[16];
    CHECK_IS(sscanf("12 0x1p-3 hello]", "%d %lf %15[a-z]%n", &i, &d, word, &n), 3);
    CHECK(i == 12 && d == 0.125 && strcmp(word, "hello") == 0 && n == 15);
    CHECK(strtod("2.2250738585072012e-308", nullptr) == DBL_MIN);
    CHECK(strtod("1.7976931348623157e308", nullptr) == DBL_MAX);
    CHECK(strtod("4.9406564584124654e-324", nullptr) == DBL_TRUE_MIN);
    errno = 0;
    CHECK(strtod("1e400", nullptr) == HUGE_VAL && errno == ERANGE);
    errno = 0;
    CHECK(strtol("99999999999999999999", nullptr, 10) == LONG_MAX && errno == ERANGE);
    CHECK(strtoull("ffffffffffffffff", nullptr, 16) == UINT64_MAX);
}

static void streams(void)
{
    char *text = nullptr, line[64];
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    CHECK(f != nullptr);
    for (int i = 0; i < 1000; i++)
        fprintf(f, "line %d\n", i);
    CHECK_IS(fclose(f), 0);
    CHECK_IS(size, 10 * 7 + 90 * 8 + 900 * 9);
    f = fmemopen(text, size, "r");
    CHECK(f != nullptr);
    int lines = 0;
    while (fgets(line, sizeof line, f) != nullptr)
        lines++;
    CHECK_IS(lines, 1000);
    CHECK(feof(f) && !ferror(f));
    CHECK_IS(fseek(f, -9, SEEK_END), 0);
    CHECK(fgets(line, sizeof line, f) != nullptr && strcmp(line, "line 999\n") == 0);
    fclose(f);
    free(text);
    f = fopen("/etc/version", "r");
    CHECK(f != nullptr);
    CHECK(fgets(line, sizeof line, f) != nullptr && strncmp(line, "VectraOS", 8) == 0);
    CHECK_IS(ungetc('x', f), 'x');
    CHECK_IS(fgetc(f), 'x');
    rewind(f);
    CHECK_IS(fgetc(f), 'V');
    CHECK_IS(ftell(f), 1);
    fclose(f);
    CHECK(fopen("/no/such", "r") == nullptr && errno == ENOENT);
    CHECK(fopen("/etc/version", "w") == nullptr && errno == EROFS);
    f = fopen("/dev/full", "w");
    fprintf(f, "x");
    CHECK(fflush(f) == EOF && errno == ENOSPC);
    fclose(f);
}

/* --- memory --- */

enum { BLOCKS = 400, TURNS = 6000 };

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void *torture(void *arg)
{
    uint32_t state = (uint32_t)(uintptr_t)arg * 2654435761u + 1, wrong = 0;
    struct {
        unsigned char *at;
        size_t bytes;
        unsigned char mark;
    } block[BLOCKS] = {};
    for (int turn = 0; turn < TURNS; turn++) {
        uint32_t i = next_random(&state) % BLOCKS, r = next_random(&state);
        size_t bytes = r % 16 == 0 ? r / 16 % 200000 : r / 16 % 600;
        if (block[i].at != nullptr) {
            wrong += block[i].bytes != 0 &&
                     (block[i].at[0] != block[i].mark || block[i].at[block[i].bytes - 1] != block[i].mark);
            if (r & 1) {
                unsigned char *grown = realloc(block[i].at, bytes + 1);
                size_t kept = bytes + 1 < block[i].bytes ? bytes + 1 : block[i].bytes;
                wrong += grown == nullptr || (kept != 0 && grown[kept - 1] != block[i].mark);
                block[i].at = grown;
                block[i].bytes = bytes + 1;
                memset(grown, block[i].mark, bytes + 1);
            } else {
                free(block[i].at);
                block[i].at = nullptr;
            }
        } else {
            block[i].at = r & 2 ? calloc(1, bytes) : malloc(bytes);
            if (block[i].at == nullptr) {
                wrong += 1;
                continue;
            }
            if (r & 2 && bytes != 0)
                wrong += block[i].at[0] != 0 || block[i].at[bytes - 1] != 0;
            block[i].bytes = bytes;
            block[i].mark = (unsigned char)r;
            memset(block[i].at, block[i].mark, bytes);
        }
    }
    for (int i = 0; i < BLOCKS; i++)
        free(block[i].at);
    return (void *)(uintptr_t)wrong;
}

static void memory(void)
{
    pthread_t t[4];
    uintptr_t wrong = 0;
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&t[i], nullptr, torture, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        void *r = nullptr;
        pthread_join(t[i], &r);
        wrong += (uintptr_t)r;
    }
    CHECK_IS(wrong, 0);
    void *p = nullptr;
    CHECK_IS(posix_memalign(&p, 4096, 100), 0);
    CHECK_IS((uintptr_t)p % 4096, 0);
    free(p);
    void *volatile none = malloc((size_t)PTRDIFF_MAX);
    CHECK(none == nullptr && errno == ENOMEM);
    char *m = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(m != MAP_FAILED);
    m[0] = m[(1 << 20) - 1] = 1;
    CHECK_IS(munmap(m + 4096, 8192), 0);
    CHECK_IS(mprotect(m, 4096, PROT_READ), 0);
    CHECK_IS(m[0], 1);
    CHECK_IS(madvise(m + 65536, 4096, MADV_DONTNEED), 0);
    CHECK_IS(m[65536], 0);
    CHECK_ERRNO(madvise(m, 4096, 9999), EINVAL);
    CHECK(mmap(m, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
          errno == EEXIST);
    CHECK(mmap(m + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == m + 4096);
    char *grown = mremap(m + 65536, 4096, 3 * 4096, MREMAP_MAYMOVE);
    CHECK(grown != MAP_FAILED && grown[8192] == 0);
    CHECK_IS(munmap(m, 1 << 20), 0);
    CHECK_ERRNO((int)(intptr_t)mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERRNO((int)(intptr_t)mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EACCES);
    CHECK_ERRNO(mprotect((void *)1, 4096, PROT_READ), EINVAL);
    FILE *f = fopen("/etc/version", "r");
    char *file = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fileno(f), 0);
    CHECK(file != MAP_FAILED && memcmp(file, "VectraOS", 8) == 0);
    CHECK_ERRNO((int)(intptr_t)mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fileno(f), 0), ENODEV);
    fclose(f);
}

/* --- mathematics --- */

static int near(double got, double wanted)
{
    double error = fabs(got - wanted);
    return error <= fabs(wanted) * 4 * DBL_EPSILON;
}

static void mathematics(void)
{
    CHECK(near(sin(1), 0.84147098480789650665) && near(cos(1), 0.54030230586813971740));
    CHECK(near(exp(1), 2.71828182845904523536) && near(log(10), 2.30258509299404568402));
    CHECK(near(pow(2, 0.5), 1.41421356237309504880) && sqrt(2) == 1.41421356237309504880);
    CHECK(near(tgamma(5.5), 52.342777784553520181) && near(erf(0.5), 0.52049987781304653768));
    CHECK(near(atan2(-1, -1), -2.35619449019234492885) && near(sinh(2), 3.62686040784701876767));
    CHECK(near(cbrt(27), 3) && near(hypot(3, 4), 5) && fma(2, 3, 4) == 10);
    CHECK(isnan(sqrt(-1)) && isinf(log(0)) && signbit(-0.0));
    CHECK(fabsl(sinl(1.0L) - 0.841470984807896506652502321630298999L) < 1e-17L);
    long double third = 1.0L / 3;
    CHECK(fabsl(third * 3 - 1) < 1e-18L);
    double complex z = (1 + 2 * I) * (3 - I);
    CHECK(creal(z) == 5 && cimag(z) == 5);
    CHECK(near(cabs(3 + 4 * I), 5));
    CHECK_IS(lrint(2.5), 2);
    CHECK_IS(fesetround(FE_UPWARD), 0);
    CHECK_IS(lrint(2.1), 3);
    fesetround(FE_TONEAREST);
    int exponent;
    CHECK(frexp(8, &exponent) == 0.5 && exponent == 4);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double zero = 0, one = 1;
    one /= zero;
    CHECK(fetestexcept(FE_DIVBYZERO) != 0);
}

/* --- the rest --- */

static jmp_buf jump;
static sigjmp_buf signal_jump;

static void jumps(void)
{
    volatile int count = 0;
    int came = setjmp(jump);
    count++;
    if (came < 3)
        longjmp(jump, came + 1);
    CHECK_IS(count, 4);
    if (sigsetjmp(signal_jump, 1) == 0)
        siglongjmp(signal_jump, 1);
    else
        CHECK(1);
}

static void times(void)
{
    struct timespec a, b;
    struct tm tm;
    CHECK_IS(clock_gettime(CLOCK_MONOTONIC, &a), 0);
    CHECK_IS(usleep(10000), 0);
    CHECK_IS(clock_gettime(CLOCK_MONOTONIC, &b), 0);
    int64_t passed = (b.tv_sec - a.tv_sec) * 1000000000ll + b.tv_nsec - a.tv_nsec;
    CHECK(passed >= 10000000);
    CHECK(time(nullptr) > 1600000000);
    CHECK_IS(clock_getres(CLOCK_REALTIME, &a), 0);
    CHECK_IS(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a), 0);
    CHECK_IS(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a), 0);
    CHECK_ERRNO(clock_gettime(77, &a), EINVAL);
    a = (struct timespec){ .tv_nsec = 1000000000 };
    CHECK_ERRNO(nanosleep(&a, nullptr), EINVAL);
    CHECK_IS(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &b, nullptr), 0);
    time_t then = 951782400; /* 2000-02-29 */
    CHECK(gmtime_r(&then, &tm) != nullptr && tm.tm_mon == 1 && tm.tm_mday == 29 && tm.tm_yday == 59);
    CHECK_IS(timegm(&tm), then);
    char text[64];
    CHECK_IS(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm), 20);
    CHECK(strcmp(text, "2000-02-29T00:00:00Z") == 0);
    CHECK(clock() != (clock_t)-1);
    CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &b), EPERM);
    CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &(struct timespec){ .tv_nsec = -1 }), EINVAL);
    CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &b), EINVAL);
}

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void odds_and_ends(void)
{
    int numbers[500], sorted = 1;
    uint32_t state = 7;
    for (int i = 0; i < 500; i++)
        numbers[i] = (int)next_random(&state);
    qsort(numbers, 500, sizeof numbers[0], compare);
    for (int i = 1; i < 500; i++)
        sorted &= numbers[i - 1] <= numbers[i];
    CHECK(sorted);
    regex_t regex;
    regmatch_t match[2];
    CHECK_IS(regcomp(&regex, "^([a-z]+)[0-9]{2,}$", REG_EXTENDED), 0);
    CHECK_IS(regexec(&regex, "abc123", 2, match, 0), 0);
    CHECK_IS(match[1].rm_eo, 3);
    CHECK_IS(regexec(&regex, "abc1", 0, nullptr, 0), REG_NOMATCH);
    regfree(&regex);
    char in[] = "\xb0\xa1\xc6\x52", out[16], *from = in, *to = out;
    size_t in_left = 4, out_left = sizeof out;
    iconv_t cd = iconv_open("UTF-8", "EUC-KR");
    CHECK(cd != (iconv_t)-1);
    CHECK_IS(iconv(cd, &from, &in_left, &to, &out_left), 0);
    CHECK(memcmp(out, "\xea\xb0\x80", 3) == 0 && sizeof out - out_left == 6);
    /* CVE-2025-26519: beyond the last hangul nothing is decoded, and nothing written outside the buffer */
    char bad[] = "\xc8\x41";
    from = bad;
    to = out;
    in_left = 2;
    out_left = sizeof out;
    CHECK(iconv(cd, &from, &in_left, &to, &out_left) == (size_t)-1 && errno == EILSEQ);
    CHECK(to == out && out_left == sizeof out);
    iconv_close(cd);
    wchar_t wide[8];
    setlocale(LC_ALL, "C.UTF-8");
    CHECK_IS(mbstowcs(wide, "a\xc3\xa4\xe2\x82\xac", 8), 3);
    CHECK(wide[1] == 0xe4 && wide[2] == 0x20ac);
    struct utsname u;
    CHECK_IS(uname(&u), 0);
    CHECK(strcmp(u.sysname, "VectraOS") == 0);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    CHECK_IS(sysconf(_SC_PAGESIZE), 4096);
    CHECK(sysconf(_SC_PHYS_PAGES) > 0);
    CHECK_IS(sysconf(_SC_OPEN_MAX), 1024);
    CHECK(getpid() > 0 && getppid() > 0);
    CHECK_IS(getuid(), geteuid());
    char random[2][16];
    CHECK_IS(getentropy(random[0], 16), 0);
    CHECK_IS(getentropy(random[1], 16), 0);
    CHECK(memcmp(random[0], random[1], 16) != 0);
    CHECK(getenv("PATH") != nullptr);
    CHECK_IS(setenv("NEW", "value", 1), 0);
    CHECK(strcmp(getenv("NEW"), "value") == 0);
    CHECK_ERRNO(fork(), ENOSYS);
    CHECK_ERRNO((int)syscall(9999), ENOSYS);
}

/* What is asked of advice, of names of threads and of mutexes that are not to be had. */
static void small_answers(void)
{
    char name[16];
    int ends[2], fd = open("/etc/version", O_RDONLY | O_CLOEXEC);
    pthread_mutexattr_t a;
    CHECK_IS(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    CHECK_IS(posix_fadvise(fd, 0, 0, 77), EINVAL);
    CHECK_IS(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
    CHECK_IS(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL), EBADF);
    CHECK_IS(pipe(ends), 0);
    CHECK_IS(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    close(ends[0]);
    close(ends[1]);
    close(fd);
    CHECK_IS(pthread_setname_np(pthread_self(), "renamed"), 0);
    CHECK_IS(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    CHECK(strcmp(name, "renamed") == 0);
    CHECK_IS(pthread_mutexattr_init(&a), 0);
    CHECK_IS(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT), ENOTSUP);
}

/* What the comparison with another C library (same/wordexp.c) leaves out. */
static void words(void)
{
    static const struct {
        const char *text, *wanted;
        int flags;
    } texts[] = { { "x${SPACES}y", "[x][two][words][y]", 0 },
                  { "\"$EMPTY\" end", "[][end]", 0 },
                  { "$((NUMBER + 1))", "[42]", 0 },
                  { "x$(echo '(' \")\")y", "[x(][)y]", 0 },
                  { "$GLOB", "[/dev/null]", 0 },
                  { "${NOTHING:-x}", "[x]", WRDE_UNDEF } };
    setenv("SPACES", " two  words ", 1);
    setenv("EMPTY", "", 1);
    setenv("NUMBER", "41", 1);
    setenv("GLOB", "/dev/nul?", 1);
    unsetenv("NOTHING");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        wordexp_t we = {};
        char out[128] = "";
        if (wordexp(texts[i].text, &we, texts[i].flags) == 0)
            for (size_t w = 0; w < we.we_wordc; w++)
                snprintf(out + strlen(out), sizeof out - strlen(out), "[%s]", we.we_wordv[w]);
        wordfree(&we);
        CHECK(strcmp(out, texts[i].wanted) == 0);
    }
    wordexp_t we = {};
    CHECK_IS(wordexp("${NAME:-$(echo x)}", &we, WRDE_NOCMD), WRDE_CMDSUB);
    CHECK_IS(wordexp("$((1 + `echo 1`))", &we, WRDE_NOCMD), WRDE_CMDSUB);
}

int main(void)
{
    formatting();
    streams();
    memory();
    mathematics();
    jumps();
    times();
    odds_and_ends();
    small_answers();
    words();
    return check_done();
}
