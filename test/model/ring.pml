// broken: 1 2 3 4
/* SPDX-License-Identifier: MIT
 * The sleep/publish protocol of abi/ring.h: no wake-up is lost, no message is lost or taken twice, whatever the
 * interleaving. The C functions are vx_ring_push and vx_ring_sleep_begin (lib/include/vectra/ring.h,
 * lib/libvectra/ring.c) and wait_for_message, receive, ring_bell, sys_signal_post (kernel/sys_ring.c, kernel/signal.c).
 * The consumer sleeps in one of two ways: it waits for the bit that the Ring is bound to, or in a receive that only waits,
 * which whoever rings ends, under the Ring's lock, if there is a message.
 *
 * Each side has a store buffer of one entry (what x86 and Arm both may do): a store can stay unseen by the other side
 * until a fence, or until the hardware feels like it. BROKEN=1 leaves out the producer's fence, 2 the consumer's, 3 the
 * consumer's second look, 4 lets the bell end a wait without looking for a message. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define MESSAGES 3
#define SLOTS 2

byte head = 0;          /* as memory shows it */
byte tail = 0;
bit asleep = 0;
byte head_stored = 0;   /* the producer's store buffer: what it has written, seen or not */
bit asleep_stored = 0;  /* the consumer's */
bit parked = 0;         /* the consumer is in the kernel's queue */
bit posted = 0;         /* the signal bit that the ring is bound to: it stays up until the consumer has waited for it */
byte published = 0, taken = 0;
byte patience = 2;      /* so often a wait in the kernel ends without a message */

/* A store may become visible at any time; a fence makes the own one visible now. */
active proctype memory()
{
end:
    do
    :: atomic { head != head_stored -> head = head_stored }
    :: atomic { asleep != asleep_stored -> asleep = asleep_stored }
    od
}

inline fence_producer() { head = head_stored }
inline fence_consumer() { asleep = asleep_stored }

/* SIGNAL_POST(tx, 0), or RING_CALL without a message: entering the kernel is a fence too, but the decision to enter came
 * before. */
inline post()
{
    atomic {
        posted = 1;
        if
#if BROKEN == 4
        :: parked -> parked = 0; asleep_stored = 0; asleep = 0
#else
        :: parked && head != tail -> parked = 0; asleep_stored = 0; asleep = 0
#endif
        :: else -> skip
        fi
    }
}

active proctype producer()
{
    do
    :: published == MESSAGES -> break
    :: published < MESSAGES ->
        (head_stored - tail < SLOTS); /* room: the full case is the same protocol with the roles swapped */
        atomic { head_stored++; published++ }
#if BROKEN != 1
        fence_producer();
#endif
        if
        :: asleep -> post()
        :: else -> skip
        fi
    od
}

inline take() { atomic { assert(head != tail); tail++; taken++ } }

active proctype consumer()
{
    do
    :: taken == MESSAGES -> break
    :: taken < MESSAGES ->
        if
        :: head != tail -> take()
        :: head == tail ->
            asleep_stored = 1;
#if BROKEN != 2
            fence_consumer();
#endif
            if
#if BROKEN != 3
            :: head != tail -> asleep_stored = 0
#endif
#if BROKEN == 3
            :: true ->
#else
            :: head == tail ->
#endif
                if
                :: true -> /* SIGNAL_WAIT. RING_RECV looks at the ring once more; the protocol must hold without that. */
                    atomic { posted -> posted = 0 }
                    asleep_stored = 0
                :: true -> /* RING_RECV without a place, and its own mark and look; or gives up, as when its time has passed */
                    atomic {
                        asleep_stored = 1; asleep = 1;
                        if
                        :: head != tail -> asleep_stored = 0
                        :: else -> parked = 1
                        fi
                    }
                    if
                    :: atomic { parked == 0 -> skip }
                        assert(head != tail)
                    :: atomic { parked == 1 && patience > 0 -> patience--; parked = 0; asleep_stored = 0 }
                    fi
                fi
            fi
        fi
    od;
    assert(taken == published && taken == MESSAGES)
}
