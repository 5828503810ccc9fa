// broken: 1 2 3 4 5 6 7 8
/* SPDX-License-Identifier: MIT
 * Threads that are sent from hart to hart: send, claim_idle, open_inbox, share, ask_around, idle, pick,
 * sched_set_urgency, sched_arm_slice in kernel/sched.c, sched_switch in kernel/sched_switch.h; invariants S1, S4, S5.
 *
 * Three threads; 0 is more urgent than 1 and 2. A thread in user mode goes on for ever, so that only an interrupt makes
 * its hart look at anything. Wakers are harts of which the model knows nothing but their memory operations. There are
 * three worlds. In the first, hart 0 has all threads: 0 runs and may wait once, 1 is on the queue and may wait too, or
 * waits for ever, 2 waits and is woken, and 0 or nobody else. In the second, 0 never leaves hart 0, 1 waits there and is
 * woken by it or by another hart, and 2 runs on hart 1 and may wait: then that hart idles. In the third, 1 runs on hart
 * 0, may wait and is woken, and hart 1 idles. Property: when nothing more happens, no thread lies in an inbox or on a
 * queue of a hart that idles or runs something less urgent (S5), nor anywhere while a hart idles (S4); and no hart runs
 * what another one has (T5: on_hart is set while a thread is `cur` somewhere).
 *
 * Memory: `urgency` and `mask` have a store buffer of one entry, and so has an inbox in the twin that needs it: what
 * was written may stay unseen by others until a fence, a read-modify-write, an interrupt sent, or any later time.
 *
 * BROKEN=1 send() is relaxed: its look at urgency may come before the thread is in the inbox. 2 sched_set_urgency() is
 * relaxed: its look at the inbox may come before urgency is seen. 3 idle() does not look once more. 4
 * sched_set_urgency() does not look when urgency falls. 5 sched_arm_slice() looks for idle harts without a fence after
 * the change of `mask`. 6 Mail in inboxes is no work to be shared: ask_around() looks at `mask` alone, and send() does
 * not look for idle harts after the thread is in the inbox. With 5 and 6, which is what sched.c did when this was
 * written, no thread is lost, but one can wait for its home while another hart idles. 7 Who wakes a thread gives it to an
 * idle hart before its own has left it. 8 sched_ipi() opens the inbox and does not share: the bit of a hart that idles is
 * its request, and the interrupt has others look at it. */
#ifndef BROKEN
#define BROKEN 0
#endif

#define NONE 3
#define BAND(t) ((t) != 0)
#define IDLE 2 /* VX_BAND_COUNT */

#define BLOCKED 0
#define RUNNING 1
#define QUEUED 2
#define INBOX 3
#define ELSE 4 /* READY, and only one hart's */
#define SENT 5 /* on the way to the inbox, in the store buffer of the sender */

byte place[3], home[3];
byte cur[2]; /* hart->current; its on_hart is set */
byte urgency[2], urgency_stored[2];
bit mask[2], mask_stored[2];
bit idles[2], ipi[2], need_switch[2], armed[2];
bit waited[3];
bit off;   /* there is no hart 1 */
bit wakes; /* thread 0 is to wake thread 1 */

#define MAIL(h) ((place[0] == INBOX && home[0] == h) || (place[1] == INBOX && home[1] == h) || (place[2] == INBOX && home[2] == h))
#define WAITS(t, h) (place[t] == QUEUED && home[t] == h)

active proctype memory()
{
end:
    do
    :: atomic { urgency[0] != urgency_stored[0] -> urgency[0] = urgency_stored[0] }
    :: atomic { urgency[1] != urgency_stored[1] -> urgency[1] = urgency_stored[1] }
    :: atomic { mask[0] != mask_stored[0] -> mask[0] = mask_stored[0] }
    :: atomic { mask[1] != mask_stored[1] -> mask[1] = mask_stored[1] }
    :: atomic { place[0] == SENT -> place[0] = INBOX }
    :: atomic { place[1] == SENT -> place[1] = INBOX }
    :: atomic { place[2] == SENT -> place[2] = INBOX }
    od
}

inline set_mask(h)
{
    if
    :: WAITS(0, h) || WAITS(1, h) || WAITS(2, h) -> mask_stored[h] = 1
    :: else -> mask_stored[h] = 0
    fi
}

inline interrupt(to, t)
{
    d_step {
        if
        :: t != NONE && place[t] == SENT -> place[t] = INBOX
        :: else
        fi;
        ipi[to] = 1
    }
}

inline send(to, t)
{
#if BROKEN == 1
    d_step { home[t] = to; place[t] = SENT }
#else
    d_step { home[t] = to; place[t] = INBOX }
#endif
    if
    :: BAND(t) <= urgency[to] -> interrupt(to, t)
    :: else
#if BROKEN != 6
        ->
        if
        :: idles[1 - (to)] -> interrupt(to, t)
        :: else
        fi
#endif
    fi
}

inline arm_slice(h)
{
#if BROKEN != 5
    mask[h] = mask_stored[h];
    urgency[h] = urgency_stored[h];
#endif
    armed[h] = idles[1 - h]
}

inline queue_mail(t, h)
{
    if
    :: place[t] == INBOX && home[t] == h -> place[t] = QUEUED
    :: else
    fi
}

/* Read-modify-write of the own inbox; it is relaxed for what was stored before. */
inline open_inbox(h)
{
    queue_mail(0, h);
    queue_mail(1, h);
    queue_mail(2, h);
    set_mask(h);
    if
    :: cur[h] != NONE && place[cur[h]] == RUNNING ->
        if
        :: cur[h] != 0 && WAITS(0, h) -> need_switch[h] = 1
        :: !(cur[h] != 0 && WAITS(0, h)) && !armed[h] && mask_stored[h] -> arm_slice(h)
        :: else
        fi
    :: else
    fi
}

inline share_one(t, h)
{
    if
    :: !WAITS(t, h)
    :: WAITS(t, h) && (cur[h] == t || !runs_one) -> runs_one = 1 /* it goes on here */
    :: else ->
        d_step {
            give = idles[1 - h]; /* claim_idle() */
            idles[1 - h] = 0;
            if
            :: give -> place[t] = ELSE; set_mask(h)
            :: else
            fi
        }
        if
        :: give -> send(1 - h, t); give = 0
        :: else
        fi
    fi
}

inline share(h)
{
    runs_one = (cur[h] != NONE && place[cur[h]] == RUNNING && home[cur[h]] == h);
    share_one(0, h);
    share_one(1, h);
    share_one(2, h);
    runs_one = 0
}

inline set_urgency(h, band)
{
    d_step {
        before = urgency_stored[h];
        urgency_stored[h] = band;
#if BROKEN != 2
        urgency[h] = urgency_stored[h]
#endif
    }
#if BROKEN != 4
    if
    :: band > before && MAIL(h) -> need_switch[h] = 1
    :: else
    fi;
#endif
    before = 0
}

/* sched_ipi() */
inline take_ipi(h)
{
    d_step {
        if
        :: MAIL(h) -> open_inbox(h)
        :: else
        fi
    }
    if
#if BROKEN != 8
    :: mask_stored[h] && idles[1 - h] -> share(h)
#endif
    :: else
    fi
}

proctype hart(byte h)
{
    byte t, before;
    bit give, runs_one;
    if
    :: cur[h] == NONE -> goto schedule
    :: else
    fi;
user:
    assert(cur[h] != NONE && place[cur[h]] == RUNNING && home[cur[h]] == h);
end_user:
    if
    :: d_step { ipi[h] -> ipi[h] = 0 } take_ipi(h)
    :: d_step { armed[h] -> armed[h] = 0 } /* kernel_timer() */
        share(h);
        d_step {
            if
            :: mask_stored[h] && !armed[h] -> arm_slice(h)
            :: else
            fi
        }
    :: d_step { wakes && cur[h] == 0 -> wakes = 0; place[1] = QUEUED; set_mask(h) } /* ready_here() */
        if
        :: !armed[h] -> d_step { arm_slice(h) }
        :: else
        fi
    :: d_step { !waited[cur[h]] -> waited[cur[h]] = 1; place[cur[h]] = BLOCKED; need_switch[h] = 1 }
        goto schedule /* and from now on it may be woken, and sent elsewhere */
    fi;
    if
    :: !need_switch[h] -> goto user
    :: else
    fi;
schedule:
    atomic { /* pick() */
        need_switch[h] = 0;
        if
        :: MAIL(h) -> open_inbox(h)
        :: else
        fi;
        t = NONE;
        if
        :: cur[h] != NONE && place[cur[h]] == RUNNING && home[cur[h]] == h ->
            if
            :: cur[h] != 0 && WAITS(0, h) -> place[cur[h]] = QUEUED
            :: else -> t = cur[h]
            fi
        :: else
        fi;
        if
        :: t != NONE
        :: t == NONE && WAITS(0, h) -> t = 0
        :: t == NONE && !WAITS(0, h) && WAITS(1, h) -> t = 1
        :: t == NONE && !WAITS(0, h) && !WAITS(1, h) && WAITS(2, h) -> t = 2
        :: else
        fi;
        cur[h] = t;
        if
        :: t != NONE -> place[t] = RUNNING; set_mask(h); assert(off || cur[1 - h] != t) /* T5 */
        :: else
        fi
    }
    if
    :: t != NONE ->
        if
        :: BAND(t) != urgency_stored[h] -> set_urgency(h, BAND(t))
        :: else
        fi;
        d_step {
            if
            :: mask_stored[h] && !armed[h] -> arm_slice(h)
            :: else
            fi
        }
        if
        :: need_switch[h] -> goto schedule
        :: else -> goto user
        fi
    :: else
    fi;
    /* idle() */
    d_step { armed[h] = 0; mask[h] = mask_stored[h]; urgency[h] = urgency_stored[h]; idles[h] = 1 } /* a read-modify-write, and before it a locked one: leaving the thread */
    set_urgency(h, IDLE);
    /* ask_around() */
    if
#if BROKEN == 6
    :: mask[1 - h] -> interrupt(1 - h, NONE)
#else
    :: mask[1 - h] || MAIL(1 - h) -> interrupt(1 - h, NONE)
#endif
    :: else
    fi;
    if
#if BROKEN != 3
    :: MAIL(h)
    :: else ->
#else
    :: true ->
#endif
end_idle:
        atomic { ipi[h] -> ipi[h] = 0 }
        take_ipi(h)
    fi;
    idles[h] = 0;
    goto schedule
}

/* sched_ready() of a thread whose home is another hart. */
proctype waker(byte t)
{
    byte to;
    if
    :: t != 0
    :: t == 0
    :: t == 0 -> goto asleep
    fi;
end:
    atomic { place[t] == BLOCKED && waited[t] -> place[t] = ELSE; to = home[t] }
    if
#if BROKEN == 7
    :: urgency[to] <= BAND(t) ->
#else
    :: urgency[to] <= BAND(t) && cur[to] != t -> /* on_hart */
#endif
        if
        :: atomic { idles[1 - to] -> idles[1 - to] = 0; to = 1 - to }
        :: else
        fi
    :: else
    fi;
    send(to, t);
asleep:
    skip
}

#define SEEN_TO(t) \
    (place[t] == BLOCKED || (place[t] == RUNNING && cur[home[t]] == t) || \
     (cur[home[t]] != NONE && (off || cur[1 - home[t]] != NONE) && \
      (BAND(cur[home[t]]) < BAND(t) || (place[t] == QUEUED && BAND(cur[home[t]]) == BAND(t)))))

active proctype nothing_more()
{
end:
    timeout;
    if
    :: SEEN_TO(0) && SEEN_TO(1) && SEEN_TO(2)
    :: else -> assert(false)
    fi
}

init
{
    atomic {
        place[0] = RUNNING;
        if
        :: true ->
            off = 1;
            waited[2] = 1;
            if
            :: waited[0] = 1 /* it does not want to */
            :: skip
            fi;
            if
            :: waited[1] = 1 /* it waits, and for ever */
            :: place[1] = QUEUED; waited[1] = 1
            :: place[1] = QUEUED
            fi;
            mask[0] = (place[1] == QUEUED);
            mask_stored[0] = mask[0];
            run waker(0);
            run waker(2)
        :: true ->
            waited[2] = 1;
            place[0] = BLOCKED;
            place[1] = RUNNING;
            cur[0] = 1;
            cur[1] = NONE;
            urgency[0] = 1;
            urgency_stored[0] = 1;
            urgency[1] = IDLE;
            urgency_stored[1] = IDLE;
            run hart(1);
            run waker(1)
        :: true ->
            waited[0] = 1;
            waited[1] = 1;
            place[2] = RUNNING;
            home[2] = 1;
            cur[1] = 2;
            urgency[1] = 1;
            urgency_stored[1] = 1;
            if
            :: wakes = 1
            :: run waker(1)
            fi;
            run hart(1)
        fi;
        run hart(0)
    }
}
