/* SPDX-License-Identifier: MIT
 * /test/rings [moves N]: rings between two Tasks. The peer is this program again; "tx" and "rx" in its Bundle are its
 * ends. With `moves` only the moving capability, N times. */
#define CHECK_DEFINE
#include <test/guest/common/check.h>
#include <vectra/ring.h>

enum : uint32_t { ROUNDS = 2000, MOVES = 500 };

struct peer {
    vx_handle_t task, tx, rx; /* our ends */
};

static bool start(struct peer *p, const char *role, uint32_t slots, uint32_t flags)
{
    static struct vx_spawn s;
    struct vx_result there = SYS(ring_create, 0, slots, flags), back = SYS(ring_create, 0, slots, flags);
    const char *argv[] = { "/test/rings", role };
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv };
    vx_spawn_begin(&s);
    vx_spec_move(&s.spec, "rx", (vx_handle_t)there.second, VX_R_RECV | VX_R_SIGNAL | VX_R_BIND | VX_R_WAIT | VX_R_MOVE);
    vx_spec_move(&s.spec, "tx", (vx_handle_t)back.value, VX_R_SEND | VX_R_SIGNAL | VX_R_MOVE);
    vx_task task = {};
    uint32_t id;
    p->tx = (vx_handle_t)there.value;
    p->rx = (vx_handle_t)back.second;
    status_t st = vx_spawn_end(&s, &task, &id);
    p->task = task.raw;
    return st == OK;
}

/* Its exit status; both of our ends are dropped first. */
static uint32_t finish(struct peer *p)
{
    (void)SYS(cap_drop, p->tx);
    (void)SYS(cap_drop, p->rx);
    struct vx_result r = SYS(waitpid, p->task, 0);
    (void)SYS(cap_drop, p->task);
    return (r.second & 255) == VX_CAUSE_EXIT ? (uint32_t)r.value : 1000 + (uint32_t)(r.second & 255);
}

/* --- the peer's side --- */

/* Answers through RING_CALL with the ends swapped; each answer is the request plus one. */
static int serve(vx_handle_t tx, vx_handle_t rx)
{
    struct vx_message m;
    status_t st = STATUS(ring_recv, rx, P(&m), VX_FOREVER);
    while (st == OK) {
        m.word[0]++;
        st = STATUS(ring_call, tx, P(&m), rx, P(&m), VX_FOREVER);
    }
    return st == ERR_PEER_CLOSED ? 0 : 50 - (int)st;
}

/* A buffer that starts up to eight words before the end of a page; of its two pages none, or the first, is there. */
static volatile uint64_t *astride(uint64_t i)
{
    volatile uint64_t *pages = check_pages(8192, RW_LAZY);
    if (pages != nullptr && i % 3 == 0)
        pages[0] = 1;
    return pages != nullptr ? pages + 512 - i % 9 : nullptr;
}

static void free_astride(volatile uint64_t *at, uint64_t i)
{
    (void)SYS(mem_free, 0, P(at - 512 + i % 9), 8192);
}

/* Like serve(), with another such buffer for each request. */
static int serve_astride(vx_handle_t tx, vx_handle_t rx)
{
    struct vx_message m = {};
    for (uint64_t i = 0;; i++) {
        volatile uint64_t *in = astride(i + 1);
        status_t st =
            i == 0 ? STATUS(ring_recv, rx, P(in), VX_FOREVER) : STATUS(ring_call, tx, P(&m), rx, P(in), VX_FOREVER);
        if (st != OK)
            return st == ERR_PEER_CLOSED ? 0 : 50 - (int)st;
        for (unsigned k = 0; k < 8; k++)
            m.word[k] = in[k] + 1;
        free_astride(in, i + 1);
    }
}

static int serve_mapped(vx_handle_t tx, vx_handle_t rx)
{
    struct vx_ring_producer p;
    struct vx_ring_consumer c;
    struct vx_message m;
    if (vx_ring_producer_open(&p, (vx_ring_tx){ tx }) != OK || vx_ring_consumer_open(&c, (vx_ring_rx){ rx }) != OK)
        return 51;
    status_t st;
    while ((st = vx_ring_pop_wait(&c, &m, VX_FOREVER)) == OK) {
        m.word[0]++;
        while (m.word[0] % 3 != 0 && (st = vx_ring_exchange(&p, &m, &c, &m, VX_FOREVER)) == OK)
            m.word[0]++;
        if (st != OK || (st = vx_ring_push_wait(&p, &m, VX_FOREVER)) != OK)
            break;
    }
    return st == ERR_PEER_CLOSED ? 0 : 52;
}

/* Sends back every capability that it gets. */
static int bounce(vx_handle_t tx, vx_handle_t rx)
{
    struct vx_message m;
    for (;;) {
        struct vx_result r = SYS(ring_recv_cap, rx, P(&m), VX_FOREVER);
        if (vx_result_status(r.value) != OK)
            return vx_result_status(r.value) == ERR_PEER_CLOSED ? 0 : 53;
        status_t st = r.value != 0 ? STATUS(ring_send_cap, tx, P(&m), r.value, VX_FOREVER) : OK;
        if (st != OK)
            return st == ERR_PEER_CLOSED ? 0 : 54;
    }
}

static int flood(vx_handle_t tx)
{
    static struct vx_message many[16];
    uint64_t next = 0;
    while (next < 4096) {
        for (unsigned i = 0; i < 16; i++)
            many[i].word[0] = next + i;
        struct vx_result r = SYS(ring_send_burst, tx, P(many), 16);
        status_t st = vx_result_status(r.value);
        if (st == OK)
            next += r.value;
        else if (st == ERR_WOULD_BLOCK)
            (void)SYS(yield);
        else
            return 55;
    }
    return 0;
}

static int play(const char *role)
{
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw, rx = vx_bundle_ring_rx("rx").raw;
    if (vx_streq(role, "serve"))
        return serve(tx, rx);
    if (vx_streq(role, "astride"))
        return serve_astride(tx, rx);
    if (vx_streq(role, "mapped"))
        return serve_mapped(tx, rx);
    if (vx_streq(role, "bounce"))
        return bounce(tx, rx);
    if (vx_streq(role, "flood"))
        return flood(tx);
    return 0; /* "leave": ends at once, with messages unread */
}

/* --- our side --- */

static void calls(void)
{
    struct peer p;
    struct vx_message m = {};
    bool good = start(&p, "serve", 4, 0);
    for (uint64_t i = 0; good && i < ROUNDS; i++) {
        m.word[0] = i;
        m.word[7] = ~i;
        status_t st = STATUS(ring_call, p.tx, P(&m), p.rx, P(&m), VX_FOREVER);
        good = st == OK && m.word[0] == i + 1 && m.word[7] == ~i;
        if (!good)
            vx_printf("#   round %llu: %s, word %llu\n", (unsigned long long)i, vx_status_name(st),
                      (unsigned long long)m.word[0]);
    }
    CHECK("2,000 calls there and back", good);
    check_equal("the server sees the end as PEER_CLOSED", finish(&p), 0);
}

/* Every page fault on the way: in the caller's message, in the server's buffer, in the answer's. */
static void calls_astride(void)
{
    struct peer p;
    bool good = start(&p, "astride", 4, 0);
    for (uint64_t i = 0; good && i < 300; i++) {
        volatile uint64_t *out = astride(i), *in = astride(i / 2);
        for (unsigned k = 0; k < 8 && i % 5 != 0; k++) /* else it is first touched by the call */
            out[k] = i + k;
        good = STATUS(ring_call, p.tx, P(out), p.rx, P(in), VX_FOREVER) == OK;
        for (unsigned k = 0; good && k < 8; k++)
            good = in[k] == (i % 5 != 0 ? i + k + 1 : 1);
        free_astride(out, i);
        free_astride(in, i / 2);
    }
    CHECK("300 calls with buffers that are not there yet", good);
    check_equal("and their server's end", finish(&p), 0);
}

static void mapped(void)
{
    struct peer p;
    struct vx_ring_producer out;
    struct vx_ring_consumer in;
    struct vx_message m = {};
    bool good = start(&p, "mapped", 8, 0) && vx_ring_producer_open(&out, (vx_ring_tx){ p.tx }) == OK &&
                vx_ring_consumer_open(&in, (vx_ring_rx){ p.rx }) == OK;
    for (uint64_t i = 0; good && i < ROUNDS; i++) {
        m.word[0] = i;
        good = vx_ring_push_wait(&out, &m, check_patience()) == OK &&
               vx_ring_pop_wait(&in, &m, check_patience()) == OK && m.word[0] == i + 1;
    }
    CHECK("2,000 messages through mapped rings, both asleep in between", good);
    for (uint64_t i = 0; good && i < ROUNDS; i++) {
        m.word[0] = i;
        good = vx_ring_exchange(&out, &m, &in, &m, check_patience()) == OK && m.word[0] == i + 1;
    }
    CHECK("2,000 more, rung for and waited for in one call", good);
    uint64_t sent = 0, received = 0;
    while (good && received < 5000) { /* now with a full pipe */
        m.word[0] = sent;
        while (sent < 5000 && vx_ring_push(&out, &m) == OK)
            m.word[0] = ++sent;
        good = vx_ring_pop_wait(&in, &m, check_patience()) == OK && m.word[0] == received + 1;
        received++;
    }
    CHECK("5,000 more, in order, with the ring full", good && received == 5000);
    check_equal("the mapped peer sees the end too", finish(&p), 0);
}

/* Sends it there and gets it back; what waits too long tells where. */
static bool move_once(const struct peer *p, uint64_t i, vx_handle_t *moving)
{
    struct vx_message m = { .word = { i } };
    struct vx_cap_facts gone;
    status_t sent = STATUS(ring_send_cap, p->tx, P(&m), *moving, check_patience());
    status_t here = STATUS(cap_inspect, *moving, P(&gone));
    struct vx_result r = SYS(ring_recv_cap, p->rx, P(&m), check_patience());
    status_t got = vx_result_status(r.value);
    if (sent == OK && here == ERR_BAD_HANDLE && got == OK && r.value != 0 && m.word[0] == i) {
        *moving = (vx_handle_t)r.value;
        return true;
    }
    vx_printf("#   round %llu: sent %s, then %s, received %s, message %llu\n", (unsigned long long)i,
              vx_status_name(sent), vx_status_name(here), vx_status_name(got), (unsigned long long)m.word[0]);
    struct vx_cap_facts out = {}, in = {};
    struct vx_thread_info t = {};
    (void)SYS(cap_inspect, p->tx, P(&out));
    (void)SYS(cap_inspect, p->rx, P(&in));
    (void)SYS(task_control, p->task, VX_TASK_THREADS, P(&t), 1, 0);
    vx_printf("#   %llu messages on their way there, %llu back; the peer's state %u, call %u\n",
              (unsigned long long)out.b, (unsigned long long)in.b, t.state, t.syscall);
    return false;
}

static void capabilities(uint64_t moves)
{
    struct peer p;
    struct vx_message m = {};
    struct vx_cap_facts before = {}, after = {};
    vx_handle_t sem = (vx_handle_t)SYS(sem_create, 0, 9).value;
    (void)SYS(cap_inspect, sem, P(&before));
    vx_handle_t moving = (vx_handle_t)SYS(cap_narrow, sem, before.rights & ~VX_R_COPY, 0, 0).value;
    bool good = start(&p, "bounce", 4, VX_RING_CAPS);
    for (uint64_t i = 0; good && i < moves; i++)
        good = move_once(&p, i, &moving);
    (void)SYS(cap_inspect, moving, P(&after));
    CHECK("a capability that moves hundreds of times is still the same one",
          good && after.object_id == before.object_id && after.a == 9);
    (void)SYS(ring_send_cap, p.tx, P(&m), moving, VX_FOREVER); /* leave one in flight */
    check_equal("ending with a capability in flight", finish(&p), 0);
    (void)SYS(cap_drop, sem);
}

static void bursts(void)
{
    static struct vx_message many[RING_BURST_MAX];
    struct peer p;
    uint64_t next = 0;
    bool good = start(&p, "flood", 64, 0);
    while (good && next < 4096) {
        struct vx_result r = SYS(ring_recv_burst, p.rx, P(many), RING_BURST_MAX, check_patience());
        good = vx_result_status(r.value) == OK;
        for (uint64_t i = 0; good && i < r.value; i++)
            good = many[i].word[0] == next++;
    }
    CHECK("4,096 messages in bursts, in order", good && next == 4096);
    check_equal("the sender of bursts ends well", finish(&p), 0);
}

static void closing(void)
{
    struct peer p;
    struct vx_message m = {};
    bool good = start(&p, "leave", 4, 0);
    (void)SYS(waitpid, p.task, 0);
    CHECK("a sender learns that its peer has gone",
          good && STATUS(ring_send, p.tx, P(&m), VX_FOREVER) == ERR_PEER_CLOSED);
    CHECK("and a receiver", STATUS(ring_recv, p.rx, P(&m), VX_FOREVER) == ERR_PEER_CLOSED);
    (void)finish(&p);
    struct vx_result r = SYS(ring_create, 0, 4, 0);
    m.word[0] = 5;
    (void)SYS(ring_send, r.value, P(&m), 0);
    (void)SYS(cap_drop, r.value);
    m.word[0] = 0;
    CHECK("what was sent before the end is still received",
          STATUS(ring_recv, r.second, P(&m), 0) == OK && m.word[0] == 5 &&
              STATUS(ring_recv, r.second, P(&m), VX_FOREVER) == ERR_PEER_CLOSED);
    (void)SYS(cap_drop, r.second);
}

int main(int argc, char **argv)
{
    bool only_moves = argc > 2 && vx_streq(argv[1], "moves");
    if (argc > 1 && !only_moves)
        return play(argv[1]);
    struct peer warm;
    if (start(&warm, "leave", 4, 0))
        (void)finish(&warm);
    struct check_accounts before = check_accounts();
    if (only_moves) {
        capabilities(check_argument(argc, argv, 2));
        return check_done();
    }
    calls();
    calls_astride();
    mapped();
    capabilities(MOVES);
    bursts();
    closing();
    check_no_leak("rings between Tasks leave nothing behind", before);
    return check_done();
}
