/* SPDX-License-Identifier: MIT
 * The parser: line by line, word by word; a keyword table; then the checks over the whole. */
#include "graph.h"
#include "graph_check.h"
#include <abi/fs.h>
#include <vectra/string.h>

enum { LINE_WORDS_MAX = GRAPH_NAMES_MAX + 1 };

struct word {
    const char *at;
    size_t len;
};

struct parser {
    struct graph *g;
    struct graph_service *now; /* the service being described, or nullptr */
    struct graph_error *error;
    struct word word[LINE_WORDS_MAX];
    unsigned n_words;
};

static status_t fail(struct graph_error *error, status_t st, const char *what, const char *word, size_t len)
{
    error->what = what;
    size_t n = len < GRAPH_WORD_MAX - 1 ? len : GRAPH_WORD_MAX - 1;
    memcpy(error->word, word, n);
    error->word[n] = '\0';
    return st;
}

static status_t fail_at(struct parser *p, status_t st, const char *what, unsigned i)
{
    return fail(p->error, st, what, p->word[i].at, p->word[i].len);
}

static bool word_is(const struct word *w, const char *text)
{
    return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

static status_t copy_word(struct parser *p, unsigned i, char *out, size_t room)
{
    if (p->word[i].len >= room)
        return fail_at(p, ERR_TOO_BIG, "this word is too long", i);
    memcpy(out, p->word[i].at, p->word[i].len);
    out[p->word[i].len] = '\0';
    return OK;
}

/* A number and a unit out of `units`: pairs of suffix and factor, ended by a null suffix. */
struct unit {
    const char *suffix;
    uint64_t factor;
};

static status_t number(struct parser *p, unsigned i, const struct unit *units, uint64_t *out)
{
    const struct word *w = &p->word[i];
    size_t digits = 0;
    while (digits < w->len && w->at[digits] >= '0' && w->at[digits] <= '9')
        digits++;
    struct word suffix = { w->at + digits, w->len - digits };
    for (; units->suffix != nullptr; units++) {
        if (word_is(&suffix, units->suffix))
            break;
    }
    uint64_t value = 0;
    if (units->suffix == nullptr || !vx_parse_u64(w->at, digits, &value) ||
        __builtin_mul_overflow(value, units->factor, out))
        return fail_at(p, ERR_BAD_ARGUMENT, "not a number with a known unit", i);
    return OK;
}

static const struct unit sizes[] = { { "", 1 }, { "K", 1024 }, { "M", 1048576 }, { "G", UINT64_C(1) << 30 }, {} };
static const struct unit times[] = {
    { "ms", 1000000 }, { "s", UINT64_C(1000000000) }, { "min", UINT64_C(60000000000) }, {}
};
static const struct unit counts[] = { { "", 1 }, {} };

/* --- keywords: each is called with its line's words; word 0 is the keyword itself --- */

static status_t set_image(struct parser *p)
{
    return copy_word(p, 1, p->now->image, GRAPH_PATH_MAX);
}

static status_t add_words(struct parser *p, struct graph_list *list)
{
    for (unsigned i = 1; i < p->n_words; i++) {
        if (list->count == GRAPH_NAMES_MAX)
            return fail_at(p, ERR_TOO_BIG, "this list is too long", i);
        status_t st = copy_word(p, i, list->word[list->count], GRAPH_WORD_MAX);
        if (st != OK)
            return st;
        list->count++;
    }
    return OK;
}

static status_t set_arguments(struct parser *p)
{
    return add_words(p, &p->now->arguments);
}
static status_t set_needs(struct parser *p)
{
    return add_words(p, &p->now->needs);
}
static status_t set_after(struct parser *p)
{
    return add_words(p, &p->now->after);
}
static status_t set_uses(struct parser *p)
{
    return add_words(p, &p->now->uses);
}
static status_t set_provides(struct parser *p)
{
    return add_words(p, &p->now->provides);
}

struct right {
    const char *name;
    uint16_t bit;
};

/* RIGHT,RIGHT of a table that ends with a null name. */
static status_t rights(struct parser *p, unsigned i, const struct right *table, uint16_t *out)
{
    const char *at = p->word[i].at, *end = at + p->word[i].len;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        struct word w = { at, (size_t)((comma != nullptr ? comma : end) - at) };
        uint16_t bit = 0;
        for (size_t k = 0; table[k].name != nullptr; k++) {
            if (word_is(&w, table[k].name))
                bit = table[k].bit;
        }
        if (bit == 0)
            return fail(p->error, ERR_BAD_ARGUMENT, "there is no such right", w.at, w.len);
        *out |= bit;
        at += w.len + 1;
    }
    return OK;
}

/* cap SLOT [from SOURCE] RIGHT,RIGHT [optional] */
static status_t add_cap(struct parser *p)
{
    static const struct right table[] = {
#define RIGHT(name, bit, text) { #name, 1u << (bit) },
#include <abi/cap.def>
#undef RIGHT
        {}
    };
    struct graph_service *s = p->now;
    if (s->n_caps == GRAPH_CAPS_MAX)
        return fail_at(p, ERR_TOO_BIG, "too many capabilities for one service", 1);
    struct graph_cap *c = &s->cap[s->n_caps];
    unsigned i = 2;
    bool has_source = p->n_words > 3 && word_is(&p->word[2], "from");
    status_t st = copy_word(p, 1, c->slot, GRAPH_WORD_MAX);
    if (st == OK)
        st = copy_word(p, has_source ? 3 : 1, c->source, GRAPH_WORD_MAX);
    if (has_source)
        i = 4;
    if (st == OK && i >= p->n_words)
        return fail_at(p, ERR_BAD_ARGUMENT, "a capability is handed on with named rights", 1);
    if (st == OK)
        st = rights(p, i, table, &c->rights);
    if (st != OK)
        return st;
    if (i + 1 < p->n_words) {
        if (i + 2 != p->n_words || !word_is(&p->word[i + 1], "optional"))
            return fail_at(p, ERR_BAD_ARGUMENT, "unexpected word", i + 1);
        c->optional = true;
    }
    for (unsigned k = 0; k < s->n_caps; k++) {
        if (vx_streq(s->cap[k].slot, c->slot))
            return fail_at(p, ERR_BAD_ARGUMENT, "this slot was given before", 1);
    }
    s->n_caps++;
    return OK;
}

/* files PATH RIGHT,RIGHT */
static status_t set_files(struct parser *p)
{
    static const struct right table[] = {
        { "READ", VX_FS_READ }, { "WRITE", VX_FS_WRITE }, { "MOUNT", VX_FS_MOUNT }, {}
    };
    struct graph_service *s = p->now;
    if (s->files[0] != '\0')
        return fail_at(p, ERR_BAD_ARGUMENT, "its files were given before", 1);
    if (p->word[1].at[0] != '/')
        return fail_at(p, ERR_BAD_ARGUMENT, "a path from the root is wanted", 1);
    status_t st = copy_word(p, 1, s->files, sizeof s->files);
    return st == OK ? rights(p, 2, table, &s->files_rights) : st;
}

/* device KIND INDEX [optional] */
static status_t add_device(struct parser *p)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } kinds[] = { { "virtio-net", 1 }, { "virtio-blk", 2 },  { "virtio-console", 3 },
                  { "virtio-rng", 4 }, { "virtio-gpu", 16 }, { "virtio-input", 18 } };
    struct graph_service *s = p->now;
    uint64_t index = 0;
    if (s->n_devices == GRAPH_DEVICES_MAX)
        return fail_at(p, ERR_TOO_BIG, "too many devices for one service", 1);
    struct graph_device d = { .optional = p->n_words == 4 };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        d.kind = word_is(&p->word[1], kinds[i].name) ? kinds[i].kind : d.kind;
    if (d.kind == 0)
        return fail_at(p, ERR_BAD_ARGUMENT, "there is no such kind of device", 1);
    status_t st = number(p, 2, counts, &index);
    if (st == OK && index > UINT32_MAX)
        return fail_at(p, ERR_TOO_BIG, "no machine has that many", 2);
    if (st == OK && d.optional && !word_is(&p->word[3], "optional"))
        return fail_at(p, ERR_BAD_ARGUMENT, "unexpected word", 3);
    d.index = (uint32_t)index;
    s->device[s->n_devices++] = d;
    return st;
}

/* SIZE or N% */
static status_t size_or_share(struct parser *p, uint64_t *bytes, uint32_t *percent)
{
    struct word *w = &p->word[1];
    uint64_t value = 0;
    if (w->len > 1 && w->at[w->len - 1] == '%') {
        if (!vx_parse_u64(w->at, w->len - 1, &value) || value == 0 || value > 100)
            return fail_at(p, ERR_BAD_ARGUMENT, "a share is from 1% to 100%", 1);
        *percent = (uint32_t)value;
        return OK;
    }
    status_t st = number(p, 1, sizes, &value);
    if (st == OK && value < TASK_MEMORY_MIN)
        return fail_at(p, ERR_BAD_ARGUMENT, "less than a Task can live in", 1);
    *bytes = value;
    return st;
}

static status_t set_memory(struct parser *p)
{
    return size_or_share(p, &p->now->memory_bytes, &p->now->memory_percent);
}

static status_t set_pool(struct parser *p)
{
    return size_or_share(p, &p->now->pool_bytes, &p->now->pool_percent);
}

static status_t one_of(struct parser *p, const char *const *choices, uint8_t *out)
{
    for (uint8_t i = 0; choices[i] != nullptr; i++) {
        if (word_is(&p->word[1], choices[i])) {
            *out = i;
            return OK;
        }
    }
    return fail_at(p, ERR_BAD_ARGUMENT, "not one of the words that this keyword takes", 1);
}

static status_t set_band(struct parser *p)
{
    static const char *const bands[] = { "driver", "person", "service", "normal", "batch", "idle", nullptr };
    return one_of(p, bands, &p->now->band);
}

static status_t set_restart(struct parser *p)
{
    static const char *const policies[] = { "always", "on-failure", "never", nullptr };
    uint8_t choice = 0;
    status_t st = one_of(p, policies, &choice);
    p->now->restart = (enum graph_restart)choice;
    return st;
}

static status_t set_start(struct parser *p)
{
    static const char *const when[] = { "at-boot", "by-hand", nullptr };
    uint8_t choice = 0;
    status_t st = one_of(p, when, &choice);
    p->now->by_hand = choice == 1;
    return st;
}

static status_t yes_or_no(struct parser *p, bool *out)
{
    static const char *const answers[] = { "no", "yes", nullptr };
    uint8_t choice = 0;
    status_t st = one_of(p, answers, &choice);
    *out = choice == 1;
    return st;
}

static status_t set_control(struct parser *p)
{
    return yes_or_no(p, &p->now->control);
}
static status_t set_session(struct parser *p)
{
    return yes_or_no(p, &p->now->session);
}

/* backoff FIRST MAX STABLE */
static status_t set_backoff(struct parser *p)
{
    struct graph_service *s = p->now;
    status_t st = number(p, 1, times, &s->backoff_first_ns);
    if (st == OK)
        st = number(p, 2, times, &s->backoff_max_ns);
    if (st == OK)
        st = number(p, 3, times, &s->stable_ns);
    if (st == OK && (s->backoff_first_ns == 0 || s->backoff_first_ns > s->backoff_max_ns))
        return fail_at(p, ERR_BAD_ARGUMENT, "the first pause is not 0 and not longer than the longest", 1);
    return st;
}

/* crash-limit COUNT WINDOW */
static status_t set_crash_limit(struct parser *p)
{
    uint64_t count = 0;
    status_t st = number(p, 1, counts, &count);
    if (st == OK)
        st = number(p, 2, times, &p->now->crash_window_ns);
    if (st == OK && count > GRAPH_CRASHES_MAX)
        return fail_at(p, ERR_TOO_BIG, "more ends than are counted", 1);
    p->now->crash_limit = (uint32_t)count;
    return st;
}

static status_t begin_service(struct parser *p)
{
    struct graph *g = p->g;
    if (g->n_services == GRAPH_SERVICES_MAX)
        return fail_at(p, ERR_TOO_BIG, "too many services", 1);
    struct graph_service *s = &g->service[g->n_services];
    *s = (struct graph_service){ .band = VX_BAND_SERVICE,
                                 .backoff_first_ns = 100000000,
                                 .backoff_max_ns = UINT64_C(10000000000),
                                 .stable_ns = UINT64_C(30000000000) };
    status_t st = copy_word(p, 1, s->name, GRAPH_WORD_MAX);
    if (st == OK && graph_find(g, s->name) >= 0)
        return fail_at(p, ERR_BAD_ARGUMENT, "this service was described before", 1);
    g->n_services++;
    p->now = s;
    return st;
}

static const struct keyword {
    const char *name;
    uint8_t least, most; /* words, itself included */
    status_t (*apply)(struct parser *p);
} keywords[] = {
    { "service", 2, 2, begin_service },
    { "image", 2, 2, set_image },
    { "argument", 2, LINE_WORDS_MAX, set_arguments },
    { "cap", 3, 6, add_cap },
    { "device", 3, 4, add_device },
    { "files", 3, 3, set_files },
    { "provides", 2, LINE_WORDS_MAX, set_provides },
    { "uses", 2, LINE_WORDS_MAX, set_uses },
    { "needs", 2, LINE_WORDS_MAX, set_needs },
    { "after", 2, LINE_WORDS_MAX, set_after },
    { "memory", 2, 2, set_memory },
    { "pool", 2, 2, set_pool },
    { "band", 2, 2, set_band },
    { "start", 2, 2, set_start },
    { "restart", 2, 2, set_restart },
    { "backoff", 4, 4, set_backoff },
    { "crash-limit", 3, 3, set_crash_limit },
    { "control", 2, 2, set_control },
    { "session", 2, 2, set_session },
};

static status_t split_line(struct parser *p, const char *at, const char *end)
{
    p->n_words = 0;
    while (at < end && *at != '#') {
        if (*at == ' ' || *at == '\t' || *at == '\r') {
            at++;
            continue;
        }
        const char *from = at;
        while (at < end && *at != ' ' && *at != '\t' && *at != '\r' && *at != '#')
            at++;
        if (p->n_words == LINE_WORDS_MAX)
            return fail(p->error, ERR_TOO_BIG, "too many words in a line", from, (size_t)(at - from));
        p->word[p->n_words++] = (struct word){ from, (size_t)(at - from) };
    }
    return OK;
}

static status_t apply_line(struct parser *p)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        const struct keyword *k = &keywords[i];
        if (!word_is(&p->word[0], k->name))
            continue;
        if (p->n_words < k->least || p->n_words > k->most)
            return fail_at(p, ERR_BAD_ARGUMENT, "wrong number of words for this keyword", 0);
        if (i != 0 && p->now == nullptr)
            return fail_at(p, ERR_BAD_ARGUMENT, "no service has begun yet", 0);
        return k->apply(p);
    }
    return fail_at(p, ERR_BAD_ARGUMENT, "there is no such keyword", 0);
}

status_t graph_parse(const char *text, size_t len, struct graph *g, struct graph_error *error)
{
    struct parser p = { .g = g, .error = error };
    const char *at = text, *end = text + len;
    g->n_services = 0;
    *error = (struct graph_error){};
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != nullptr ? newline : end;
        error->line++;
        status_t st = split_line(&p, at, line_end);
        if (st == OK && p.n_words != 0)
            st = apply_line(&p);
        if (st != OK)
            return st;
        at = line_end + 1;
    }
    error->line = 0;
    return graph_check(g, error);
}
