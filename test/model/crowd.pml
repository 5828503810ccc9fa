// broken: 1 2 3 4 5 6
/* SPDX-License-Identifier: MIT
 * Crowds, woken in steps: wake_step, futex_wake_some, sys_futex_wake, sem_grant_some, sys_sem_signal
 * (kernel/sync.c), signal_raise, sys_signal_wait (kernel/signal.c), frame (kernel/task_control.c), end_some
 * (kernel/object.c); Y1 of sync.c, G1 of signal.c. A step is one that holds the lock, and wakes one thread.
 *
 * Three threads wait, or come to wait. In the first world for a semaphore: a caller signals four, and may be ended with its
 * Task wherever it holds no lock. In the second for a signal's bit, which is posted twice: who was woken for it may be
 * made to do something else. In the third for a futex: the caller wakes all, and those that it woke come back and wait
 * again, as often as they like. Properties: when nothing more happens, nobody waits for a semaphore that has a count, nor
 * for a bit that is pending; who waited for the futex before the call began is woken by it, and the call is over after
 * as many steps as there were threads, and one.
 *
 * BROKEN=1 The caller carries what is left of a crowd, and not the graveyard. 2 The graveyard forgets the semaphore after
 * a step, although there may be more. 3 Who comes to wait looks at the count before it has the lock. 4 Who is made to do something else keeps what
 * it was woken for. 5 Who wakes in steps does not draw a turn. 6 Who comes to wait takes the turn of the last. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define N 3

byte world;
bit locked;
bit waiting[N], on_its_way[N];
byte count;    /* of the semaphore; or the bit is pending */
bit crowd;     /* END_CROWD */
bit ended;     /* the caller */
byte turn = 1, came[N];
bit before[N]; /* it waited when the call began */
byte steps;
bit over;

inline take() { atomic { !locked -> locked = 1 } }
inline release() { locked = 0 }

inline wake(t) { d_step { waiting[t] = 0; on_its_way[t] = 1 } }

/* Wakes the first that `may`. */
inline one(may0, may1, may2)
{
    if
    :: waiting[0] && may0 -> wake(0); woken = 0
    :: !(waiting[0] && may0) && waiting[1] && may1 -> wake(1); woken = 1
    :: !(waiting[0] && may0) && !(waiting[1] && may1) && waiting[2] && may2 -> wake(2); woken = 2
    :: else -> woken = N
    fi
}

/* grant(): what it takes is taken for the waiter. */
inline grant()
{
    if
    :: count != 0 ->
        one(true, true, true);
        if
        :: woken != N -> count--; on_its_way[woken] = 0
        :: else
        fi
    :: else -> woken = N
    fi
}

proctype sem_waiter(byte me)
{
    byte seen;
#if BROKEN == 3
    seen = count;
#endif
end:
    !waiting[me]; /* the one before it has been let go */
    if
    :: skip /* it comes to wait */
    :: goto done
    fi;
    take();
#if BROKEN != 3
    seen = count;
#endif
    if
    :: seen != 0 -> count--
    :: else -> waiting[me] = 1
    fi;
    release();
done:
    skip
}

proctype sem_signaller()
{
    byte woken, left;
    if
    :: ended -> goto out
    :: else
    fi;
    take(); /* alone: nothing ends it here */
    count = count + 4;
    grant();
#if BROKEN != 1
    crowd = (woken != N);
#else
    left = (woken != N);
#endif
    release();
#if BROKEN == 1
    do
    :: left ->
        if
        :: ended -> goto out
        :: else
        fi;
        take();
        grant();
        left = (woken != N);
        release()
    :: else -> break
    od;
#endif
out:
    skip
}

proctype graveyard()
{
    byte woken;
end:
    do
    :: crowd ->
        take();
        grant();
#if BROKEN == 2
        crowd = 0;
#else
        if
        :: woken == N -> crowd = 0
        :: else
        fi;
#endif
        release()
    od
}

/* signal_raise(): pending or not, somebody is on the way afterwards. By the holder of the lock. */
inline raise()
{
    if
    :: count != 0 -> one(true, true, true)
    :: else
    fi
}

proctype signal_waiter(byte me)
{
    byte woken;
again:
    take();
    on_its_way[me] = 0;
    if
    :: count != 0 -> count = 0; release(); goto done
    :: else -> waiting[me] = 1
    fi;
    release();
end:
    on_its_way[me];
    if
    :: goto again
    :: me == 0 -> /* its frame is written: alone, so nobody is inside meanwhile */
        take();
        on_its_way[me] = 0;
#if BROKEN != 4
        raise();
#endif
        release()
    fi;
done:
    skip
}

proctype poster()
{
    byte woken;
    take();
    count = 1;
    raise();
    release();
    take();
    count = 1;
    raise();
    release()
}

proctype futex_waiter(byte me)
{
end:
    do
    :: on_its_way[me] ->
        if
        :: break
        :: take();
#if BROKEN != 6
           came[me] = turn;
#else
           came[me] = 1;
#endif
           d_step { on_its_way[me] = 0; waiting[me] = 1 }
           release()
        fi
    od
}

#define MAY(t) (BROKEN == 5 || came[t] <= mine)

proctype futex_waker()
{
    byte woken, mine;
    do
    :: take();
        if
        :: steps == 0 ->
            mine = turn;
            turn++;
            d_step { before[0] = waiting[0]; before[1] = waiting[1]; before[2] = waiting[2] }
        :: else
        fi;
        one(MAY(0), MAY(1), MAY(2));
        if
        :: woken != N -> before[woken] = 0
        :: else
        fi;
        steps++;
        assert(steps <= N + 1);
        release();
        if
        :: woken == N -> break
        :: else
        fi
    od;
    over = 1;
    assert(!before[0] && !before[1] && !before[2])
}

proctype killer()
{
    ended = 1
}

init
{
    atomic {
        if
        :: world = 0; waiting[0] = 1; waiting[1] = 1; waiting[2] = 1;
            run sem_waiter(0); run sem_signaller(); run graveyard(); run killer()
        :: world = 1;
            run signal_waiter(0); run signal_waiter(1); run signal_waiter(2); run poster()
        :: world = 2; waiting[0] = 1; waiting[1] = 1; came[0] = 1; came[1] = 1; on_its_way[2] = 1;
            run futex_waiter(0); run futex_waiter(1); run futex_waiter(2); run futex_waker()
        fi
    }
}

active proctype nothing_more()
{
end:
    timeout;
    assert(world == 2 || count == 0 || (!waiting[0] && !waiting[1] && !waiting[2]))
}
