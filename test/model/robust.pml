// broken: 1 2 3 4 5
/* SPDX-License-Identifier: MIT
 * Robust mutexes that processes share, when whoever holds one is killed: wait_robust, owner_died
 * (lib/libposix/futex.c), px_is_dead (lib/libposix/proc.c), pthread_mutex_timedlock, pthread_mutex_trylock and
 * pthread_mutex_unlock of the C library with ports/musl/patches/0008, proc_ended and proc_of_thread
 * (srv/procd/table.c).
 *
 * Three processes take the mutex. Two of them may be killed, at any step. The process service knows of it
 * some time later. A wait ends by a wake-up, or after a while; a while after which nothing is found is left out, so a
 * waiter that would look for ever stands still here. Properties: one process that lives is inside at most; each that
 * lives comes to its end.
 *
 * BROKEN=1 A waiter does not look: it relies on being woken. 2 OWNER_DIED is stored without an exchange. 3 The number of
 * one process is another's as well, as when a thread's was its own only in its process. 4 The exchange is with what the
 * word holds after the service was asked, not with what was asked about. 5 The service says that a process has ended
 * while it still runs. */
#ifndef BROKEN
#define BROKEN 0
#endif
#define N 3
#define HOLDER(w) ((w) & 3)
#define AWAITED 4
#define DIED 8

byte word;
byte waiters;     /* _m_waiters; one that was killed stays counted */
bit dead[4], known[4];
bit inside[4];
bit asleep[4];
byte deaths;

#if BROKEN == 3
#define NUMBER(i) ((i) == 3 -> 1 : (i))
#define GONE(n) ((n) == 1 -> (known[1] && known[3]) : known[n])
#else
#define NUMBER(i) (i)
#define GONE(n) known[n]
#endif

inline wake_one()
{
    if
    :: atomic { asleep[1] && !dead[1] -> asleep[1] = 0 }
    :: atomic { asleep[2] && !dead[2] -> asleep[2] = 0 }
    :: atomic { asleep[3] && !dead[3] -> asleep[3] = 0 }
    :: atomic { !(asleep[1] && !dead[1]) && !(asleep[2] && !dead[2]) && !(asleep[3] && !dead[3]) -> skip }
    fi
}

proctype process(byte me)
{
    byte seen, now, rounds;
    bit several;
    {
        do
        :: rounds == 1 -> break
        :: else ->
again:
            seen = word;
            if
            :: HOLDER(seen) == 0 -> /* trylock: free, or OWNER_DIED */
                several = (waiters != 0);
                atomic {
                    if
                    :: word == seen -> word = NUMBER(me) | (seen & DIED) | (several -> AWAITED : 0)
                    :: else -> goto again
                    fi
                }
            :: else ->
                waiters++;
                atomic {
                    if
                    :: word == seen -> word = seen | AWAITED
                    :: else
                    fi
                }
                seen = seen | AWAITED;
                atomic {
                    if
                    :: word == seen -> asleep[me] = 1
                    :: else
                    fi
                }
                if
                :: !asleep[me]
#if BROKEN != 1
                :: asleep[me] && (word != seen || GONE(HOLDER(seen))) ->
                    asleep[me] = 0;
                    if
                    :: GONE(HOLDER(seen)) ->
#if BROKEN == 2
                        word = (seen & AWAITED) | DIED
#else
#if BROKEN == 4
                        seen = word;
#endif
                        atomic {
                            if
                            :: word == seen -> word = (seen & AWAITED) | DIED
                            :: else
                            fi
                        }
#endif
                    :: else
                    fi
#endif
                fi;
                waiters--;
                goto again
            fi;
            atomic {
                inside[me] = 1;
                assert(inside[1] + inside[2] + inside[3] == 1)
            }
            atomic { inside[me] = 0; word = word & ~DIED } /* pthread_mutex_consistent */
            several = (waiters != 0);
            atomic { now = word; word = 0 }
            if
            :: several || (now & AWAITED) != 0 -> wake_one()
            :: else
            fi;
            rounds++
        od
    } unless { dead[me] }
}

/* Somebody's SIGKILL, and what the service hears of it. */
active proctype killer()
{
    byte whom;
    do
    :: deaths == 2 -> break
    :: break
    :: deaths < 2 ->
        select(whom : 1 .. 2);
        if
        :: dead[whom]
        :: else ->
            deaths++;
#if BROKEN == 5
            known[whom] = 1;
            atomic { dead[whom] = 1; inside[whom] = 0 }
#else
            atomic { dead[whom] = 1; inside[whom] = 0 }
            known[whom] = 1
#endif
        fi
    od
}

init
{
    atomic { run process(1); run process(2); run process(3) }
}
