// broken: 1 2 3 4 5 6 7 8 9
/* SPDX-License-Identifier: MIT
 * Futexes, and the end of any wait: sys_futex_wait, sys_futex_wake, wake_some, requeue (kernel/sync.c), thread_block_call
 * (kernel/syscall.h, kernel/thread.c), thread_wake (kernel/thread.c, kernel/sched.c), sched_ready, open_inbox,
 * kernel_timer and expire (kernel/sched.c).
 *
 * A thread waits for word 0, whose chain is 0, with or without a deadline; hart 0 is its home and has its timer. Another
 * thread, on another hart, sets the word and wakes one, or lets whoever waits go on to word 1 (requeue) and then wakes
 * one there. A third wakes one at either word for no reason. When the first goes on it may wait once more, without a
 * deadline and for something else (chain 1). Properties: the thread is on at most one chain, and on the one that its wait_lock
 * says; it is never woken twice for one wait; nobody touches a chain without its lock; its first wait ends, by the wake
 * or by the deadline, whichever comes.
 *
 * A waker that finds the chain unused does not take its lock. Waiter and waker each store one of `used` and the word
 * and then look at the other, with a fence in between on both sides: that order is what the model has.
 *
 * BROKEN=1 The word is compared before the chain is locked. 2 Requeue does not change wait_lock. 3 Requeue takes the
 * lock of one chain only. 4 expire() does not begin anew when wait_lock changed before it had the lock: the deadline is
 * lost. 5 The timer is taken out of the tree before the lock is held: a waker then takes the thread for one without
 * a deadline and gives it to another hart, where it may wait for something else while expire() still looks at it. 6
 * expire() wakes without a lock. At the time of writing sched.c did what 4 and 5 say. 7 The waiter looks at the word before
 * it says that the chain is used. 8 Requeue does not say that the second chain is used. 9 A waker that found nobody says
 * so after it let the lock go. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define NONE 2

bit word[2];
bit locked[2];
bit used[2];           /* perhaps somebody is in the chain */
byte chain = NONE;     /* on which chain the thread hangs */
byte key;              /* futex_key: the word; word k hangs in chain k */
byte wait_lock = NONE; /* NONE: nullptr */
bit blocked;           /* its state */
bit in_tree, in_inbox, ready;
bit woken;             /* FUTEX_WAKE reached it */
bit forever;           /* its first wait has no deadline */
bit second;            /* it makes its second wait */
byte wakes;            /* since it last parked */
byte holder[2];

inline take(l)
{
    atomic { !locked[l] -> locked[l] = 1; holder[l] = _pid }
}
inline release(l) { atomic { holder[l] = 0; locked[l] = 0 } }

/* thread_wake(); the hart is the thread's home, or another one. */
inline wake(is_home)
{
    if
    :: blocked ->
        atomic {
            wakes++;
            assert(wakes <= 1);
            assert(chain == NONE || holder[chain] == _pid); /* stop_waiting() */
            chain = NONE;
            blocked = 0
        }
        if
        :: is_home -> in_tree = 0; ready = 1
        :: !is_home && in_tree -> in_inbox = 1 /* send(home) */
        :: else -> ready = 1                   /* a hart that idles takes it, or the waker itself */
        fi
    :: else
    fi
}

/* The thread, while it runs on some hart. */
active proctype waiter()
{
    bit same;
    if
    :: forever = 1
    :: skip
    fi;
    if
    :: used[0] = 1 /* as an earlier waiter left it */
    :: skip
    fi;
#if BROKEN == 1
    same = (word[0] == 0);
#endif
    take(0);
#if BROKEN == 7
    same = (word[0] == 0);
#endif
    used[0] = 1;
#if BROKEN != 1 && BROKEN != 7
    same = (word[0] == 0);
#endif
    if
    :: woken -> woken = 0; release(0); goto other
    :: !woken && !same -> release(0); goto other
    :: else
    fi;
    atomic { in_tree = !forever; wakes = 0; key = 0; wait_lock = 0; blocked = 1; chain = 0 } /* under the lock: only wait_lock is read without */
    release(0);
    atomic { ready -> ready = 0 }
    /* The re-run: by a wake, or the deadline has passed. */
    if
    :: woken -> woken = 0
    :: else
    fi;
other: /* something else, without a deadline; the word that the second waker wakes */
    take(1);
    if
    :: true -> release(1); goto done
    :: true ->
        atomic { wakes = 0; key = 1; wait_lock = 1; used[1] = 1 }
        atomic { blocked = 1; chain = 1; second = 1 }
        release(1);
        atomic { ready -> ready = 0 }
    fi;
done:
    skip
}

/* FUTEX_WAKE(word k, 1) */
inline wake_one(k)
{
    seen = used[k];
    if
    :: !seen -> skip
    :: seen ->
        take(k);
        seen = (chain == k);
        if
        :: seen && key == k -> woken = 1; wake(0)
        :: seen && key != k -> skip
#if BROKEN == 9
        :: !seen -> skip
#else
        :: !seen -> used[k] = 0
#endif
        fi;
        release(k);
#if BROKEN == 9
        if
        :: !seen -> used[k] = 0
        :: seen -> skip
        fi;
#endif
        seen = 0
    fi
}

active proctype waker()
{
    bit seen;
    word[0] = 1;
    if
    :: wake_one(0); goto done
    :: skip
    fi;
    /* FUTEX_WAKE(0, count 0, requeue to 1): the locks in the order of their addresses */
    take(0);
#if BROKEN != 3
    take(1);
#endif
    if
    :: chain == 0 && key == 0 ->
        atomic { assert(holder[0] == _pid && (holder[1] == _pid || BROKEN == 3)); chain = NONE }
        key = 1;
#if BROKEN != 8
        used[1] = 1;
#endif
#if BROKEN != 2
        wait_lock = 1;
#endif
        atomic { assert(holder[1] == _pid); chain = 1 }
    :: else
    fi;
#if BROKEN != 3
    release(1);
#endif
    release(0);
    if
    :: wake_one(1)
    :: !forever /* nobody wakes those at word 1: their deadline must */
    fi;
done:
    skip
}

active proctype somebody()
{
    bit seen;
    if
    :: wake_one(0)
    :: wake_one(1)
    :: skip
    fi;
end: /* for the second wait, which has no deadline */
    second;
    do
    :: blocked -> wake_one(1)
    :: else -> break
    od
}

/* Hart 0: its timer, and its inbox. Its interrupts come one after the other. */
active proctype home()
{
    byte l;
end:
    do
    :: atomic { in_inbox -> in_inbox = 0; in_tree = 0; ready = 1 } /* open_inbox() */
    :: in_tree -> /* kernel_timer(): the deadline has passed */
#if BROKEN == 5
        in_tree = 0;
#endif
        do
        :: l = wait_lock;
#if BROKEN != 6
           take(l);
#endif
           if
           :: wait_lock == l -> break
           :: else
           fi;
#if BROKEN != 6
           release(l);
#endif
#if BROKEN == 4
           goto out
#endif
        od;
#if BROKEN == 5
        if
        :: wait_lock == l -> /* read once more, as it was read after the lock, and before the lists */
#endif
        if
        :: chain != NONE -> in_tree = 0; wake(1)
        :: else -> in_tree = 0
        fi;
#if BROKEN == 5
        :: else
        fi;
#endif
#if BROKEN != 6
        release(l);
#endif
out:
        in_tree = 0
    od
}
