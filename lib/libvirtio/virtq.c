/* SPDX-License-Identifier: MIT
 * See virtio/virtq.h. Both kinds of ring share their slots and their checks; what differs is a function of each. */
#include <virtio/virtq.h>
#include <stdatomic.h>

enum : uint16_t { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };
enum : uint16_t { NO_SIGNAL = 1, EVENT_ENABLE = 0, EVENT_DISABLE = 1, EVENT_DESC = 2, EVENT_WRAP = 1 << 15 };
enum { RING_FLAGS = 0, RING_INDEX = 1, RING_FIRST = 2, EVENT_OFFSET = 0, EVENT_FLAGS = 1 };

static size_t align_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static size_t used_offset(uint16_t size)
{
    return align_up(sizeof(struct virtq_desc) * size + 6 + 2u * size, 4);
}

size_t virtq_bytes(uint16_t size, bool packed)
{
    return packed ? sizeof(struct virtq_desc) * size + 8 : used_offset(size) + 6 + 8u * size;
}

void virtq_init(struct virtq *q, uint16_t size, bool packed, bool event_index, bool indirect, void *shared,
                uint64_t bus, struct virtq_slot *slot)
{
    size_t avail = sizeof(struct virtq_desc) * size, used = packed ? avail + 4 : used_offset(size);
    *q = (struct virtq){ .size = size,
                         .packed = packed,
                         .event_index = event_index,
                         .indirect = indirect,
                         .desc = shared,
                         .avail = (volatile uint16_t *)(void *)((char *)shared + avail),
                         .used = (volatile uint16_t *)(void *)((char *)shared + used),
                         .desc_bus = bus,
                         .avail_bus = bus + avail,
                         .used_bus = bus + used,
                         .slot = slot,
                         .n_free = size,
                         .avail_wrap = true,
                         .used_wrap = true };
    for (uint16_t i = 0; i < size; i++)
        slot[i] = (struct virtq_slot){ .next = (uint16_t)(i + 1) };
}

static uint16_t load(const volatile uint16_t *at)
{
    uint16_t value = *at; /* once */
    /* acquire: what the device wrote before this word is visible after it */
    atomic_thread_fence(memory_order_acquire);
    return value;
}

/* release: what we wrote before is visible to the device before this word */
static void store(volatile uint16_t *at, uint16_t value)
{
    atomic_thread_fence(memory_order_release);
    *at = value;
}

/* Field by field: what is shared with a device is never read. */
static void write_desc(struct virtq_desc *to, uint64_t bus, uint32_t len, uint16_t third, uint16_t fourth)
{
    volatile struct virtq_desc *d = to;
    d->bus = bus;
    d->len = len;
    d->id_or_flags = third;
    d->next_or_flags = fourth;
}

/* --- adding --- */

static uint16_t take_slot(struct virtq *q)
{
    uint16_t i = q->free_head;
    q->free_head = q->slot[i].next;
    return i;
}

/* The table behind an indirect descriptor: of both kinds of ring, in order. */
static void write_table(struct virtq *q, const struct virtq_indirect *t, const struct virtq_segment *s, uint16_t n_out,
                        uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        uint16_t flags = i < n_out ? 0 : DESC_WRITE;
        if (q->packed)
            write_desc(&t->table[i], s[i].bus, s[i].len, 0, flags);
        else
            write_desc(&t->table[i], s[i].bus, s[i].len, i + 1 < n ? flags | DESC_NEXT : flags, (uint16_t)(i + 1));
    }
}

static uint16_t add_split(struct virtq *q, const struct virtq_segment *s, uint16_t n_out, uint16_t n, uint16_t extra)
{
    uint16_t head = take_slot(q), at = head;
    for (uint16_t i = 0; i < n; i++) {
        uint16_t flags = (i < n_out ? 0 : DESC_WRITE) | extra;
        uint16_t next = i + 1 < n ? take_slot(q) : 0;
        write_desc(&q->desc[at], s[i].bus, s[i].len, i + 1 < n ? flags | DESC_NEXT : flags, next);
        q->slot[at].next = next;
        at = next;
    }
    q->avail[RING_FIRST + (q->next_avail & (q->size - 1))] = head;
    store(&q->avail[RING_INDEX], ++q->next_avail);
    q->added++;
    return head;
}

static uint16_t add_packed(struct virtq *q, const struct virtq_segment *s, uint16_t n_out, uint16_t n, uint16_t extra)
{
    uint16_t id = take_slot(q), first = q->next_avail, first_flags = 0;
    for (uint16_t i = 0; i < n; i++) {
        uint16_t flags = (i < n_out ? 0 : DESC_WRITE) | (i + 1 < n ? DESC_NEXT : 0) | extra;
        flags |= q->avail_wrap ? DESC_AVAIL : DESC_USED;
        struct virtq_desc *d = &q->desc[q->next_avail];
        if (i == 0) { /* last of all, so that the device sees the whole chain or none of it */
            volatile struct virtq_desc *v = d;
            v->bus = s[i].bus;
            v->len = s[i].len;
            v->id_or_flags = id;
            first_flags = flags;
        } else {
            write_desc(d, s[i].bus, s[i].len, id, flags);
        }
        if (++q->next_avail == q->size) {
            q->next_avail = 0;
            q->avail_wrap = !q->avail_wrap;
        }
    }
    store(&q->desc[first].next_or_flags, first_flags);
    q->added += n;
    return id;
}

status_t virtq_add(struct virtq *q, const struct virtq_segment *segments, uint16_t n_out, uint16_t n_in,
                   const struct virtq_indirect *indirect, uint64_t token)
{
    uint32_t n = (uint32_t)n_out + n_in, writable = 0;
    struct virtq_segment table;
    bool use_table = n > 1 && q->indirect && indirect != nullptr && indirect->room >= n;
    if (q->broken)
        return ERR_PEER_CLOSED;
    if (n == 0)
        return ERR_BAD_ARGUMENT;
    if (!use_table && n > q->size)
        return ERR_TOO_BIG;
    for (uint32_t i = n_out; i < n; i++)
        if (__builtin_add_overflow(writable, segments[i].len, &writable))
            return ERR_TOO_BIG;
    uint16_t takes = use_table ? 1 : (uint16_t)n;
    if (q->n_free < takes)
        return ERR_WOULD_BLOCK;
    /* --- commit: nothing below can fail --- */
    uint16_t extra = 0;
    if (use_table) {
        write_table(q, indirect, segments, n_out, (uint16_t)n);
        table = (struct virtq_segment){ indirect->bus, n * (uint32_t)sizeof(struct virtq_desc) };
        segments = &table;
        n_out = 1;
        extra = DESC_INDIRECT;
    }
    uint16_t head = (q->packed ? add_packed : add_split)(q, segments, n_out, takes, extra);
    q->n_free -= takes;
    q->n_busy++;
    struct virtq_slot *slot = &q->slot[head];
    slot->token = token;
    slot->writable = writable;
    slot->n = takes;
    return OK;
}

/* True when `event` lies in the `added` steps that ended at `now`, all modulo 2^16. */
static bool passed(uint16_t event, uint16_t now, uint16_t added)
{
    return (uint16_t)(now - event - 1) < added;
}

static bool notify_packed(const struct virtq *q, uint16_t added)
{
    uint16_t flags = q->used[EVENT_FLAGS] & 3, event = q->used[EVENT_OFFSET];
    if (flags != EVENT_DESC)
        return flags != EVENT_DISABLE;
    /* Places count from the start of the round that next_avail is in. */
    uint16_t place = event & (uint16_t)~EVENT_WRAP;
    if (((event & EVENT_WRAP) != 0) != q->avail_wrap)
        place = (uint16_t)(place - q->size);
    return passed(place, q->next_avail, added);
}

bool virtq_should_notify(struct virtq *q)
{
    uint16_t added = q->added;
    if (added == 0)
        return false;
    /* seq_cst: our index before its wish, against its wish before our index */
    atomic_thread_fence(memory_order_seq_cst);
    q->added = 0;
    if (q->packed)
        return notify_packed(q, added);
    if (q->event_index)
        return passed(q->used[RING_FIRST + 4 * q->size], q->next_avail, added);
    return (q->used[RING_FLAGS] & NO_SIGNAL) == 0;
}

/* --- taking --- */

/* True when the device has used a buffer that we have not taken. */
static bool is_waiting(const struct virtq *q)
{
    if (!q->packed)
        return load(&q->used[RING_INDEX]) != q->next_used;
    uint16_t flags = load(&q->desc[q->next_used].next_or_flags);
    bool avail = (flags & DESC_AVAIL) != 0, used = (flags & DESC_USED) != 0;
    return avail == used && used == q->used_wrap;
}

static status_t broken(struct virtq *q)
{
    q->broken = true;
    return ERR_PEER_CLOSED;
}

/* Back to the free list: the slots of a chain (split), or its one id (packed). */
static void free_slots(struct virtq *q, uint16_t head, uint16_t n)
{
    uint16_t last = head;
    for (uint16_t i = 1; !q->packed && i < n; i++)
        last = q->slot[last].next;
    q->slot[last].next = q->free_head;
    q->free_head = head;
    q->slot[head].n = 0;
    q->n_free += n;
    q->n_busy--;
}

status_t virtq_take(struct virtq *q, uint64_t *token, uint32_t *written)
{
    uint32_t id, len;
    if (q->broken)
        return ERR_PEER_CLOSED;
    if (!is_waiting(q))
        return ERR_WOULD_BLOCK;
    if (q->n_busy == 0)
        return broken(q);
    if (q->packed) {
        const volatile struct virtq_desc *d = &q->desc[q->next_used];
        id = d->id_or_flags;
        len = d->len;
    } else {
        const volatile uint16_t *e = &q->used[RING_FIRST + 4 * (q->next_used & (q->size - 1))];
        id = (uint32_t)e[0] | (uint32_t)e[1] << 16;
        len = (uint32_t)e[2] | (uint32_t)e[3] << 16;
    }
    if (id >= q->size || q->slot[id].n == 0 || len > q->slot[id].writable)
        return broken(q); /* invariant 3 */
    *token = q->slot[id].token;
    *written = len;
    uint16_t n = q->slot[id].n;
    if (!q->packed) {
        q->next_used++;
    } else if ((q->next_used += n) >= q->size) {
        q->next_used -= q->size;
        q->used_wrap = !q->used_wrap;
    }
    free_slots(q, (uint16_t)id, n);
    return OK;
}

bool virtq_listen(struct virtq *q, uint16_t after)
{
    if (q->packed)
        q->avail[EVENT_FLAGS] = EVENT_ENABLE;
    else if (q->event_index)
        q->avail[RING_FIRST + q->size] = (uint16_t)(q->next_used + after);
    else
        q->avail[RING_FLAGS] = 0;
    /* seq_cst: our wish before its index, against its index before our wish */
    atomic_thread_fence(memory_order_seq_cst);
    if (!q->packed && q->event_index)
        return q->broken || (uint16_t)(load(&q->used[RING_INDEX]) - q->next_used) <= after;
    return q->broken || !is_waiting(q);
}

void virtq_deafen(struct virtq *q)
{
    if (q->packed)
        q->avail[EVENT_FLAGS] = EVENT_DISABLE;
    else if (q->event_index)
        q->avail[RING_FIRST + q->size] = (uint16_t)(q->next_used - 1); /* an event long past */
    else
        q->avail[RING_FLAGS] = NO_SIGNAL;
}
