// SPDX-License-Identifier: MIT
//! std::sync under contention: four threads, as many as there are harts.

use std::sync::atomic::*;
use std::sync::{mpsc, Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 4;
const ROUNDS: usize = 5000;

/// Runs `what` on four threads at once, each with its number.
fn on_four(what: impl Fn(usize) + Sync) {
    let start = Barrier::new(THREADS);
    thread::scope(|s| {
        for i in 0..THREADS {
            let (start, what) = (&start, &what);
            s.spawn(move || {
                start.wait();
                what(i);
            });
        }
    });
}

#[test]
fn mutex() {
    let sum = Mutex::new((0_usize, 0_usize));
    on_four(|_| {
        for _ in 0..ROUNDS {
            let mut both = sum.lock().unwrap();
            both.0 += 1;
            both.1 += 1;
            assert_eq!(both.0, both.1);
        }
    });
    assert_eq!(sum.into_inner().unwrap().0, THREADS * ROUNDS);
}

#[test]
fn a_panic_poisons_a_mutex() {
    let lock = Arc::new(Mutex::new(1));
    let other = lock.clone();
    assert!(thread::spawn(move || {
        let _held = other.lock().unwrap();
        panic!("with the lock held");
    })
    .join()
    .is_err());
    assert!(lock.is_poisoned());
    assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(_))));
    lock.clear_poison();
    assert_eq!(*lock.lock().unwrap(), 1);
}

#[test]
fn rwlock() {
    let pair = RwLock::new((0_usize, 0_usize));
    let reads = AtomicUsize::new(0);
    on_four(|i| {
        for round in 0..ROUNDS {
            if (round + i) % 8 == 0 {
                let mut both = pair.write().unwrap();
                both.0 += 1;
                both.1 += 1;
            } else {
                let both = pair.read().unwrap();
                assert_eq!(both.0, both.1);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    assert_eq!(pair.read().unwrap().0 + reads.load(Ordering::Relaxed), THREADS * ROUNDS);
}

#[test]
fn condvar_wakes_in_turn() {
    let turn = (Mutex::new(0_usize), Condvar::new());
    on_four(|i| {
        for round in 0..250 {
            let mine = round * THREADS + i;
            let mut now = turn.1.wait_while(turn.0.lock().unwrap(), |now| *now != mine).unwrap();
            *now += 1;
            turn.1.notify_all();
        }
    });
    assert_eq!(*turn.0.lock().unwrap(), 250 * THREADS);
}

#[test]
fn condvar_gives_up_in_time() {
    let (lock, never) = (Mutex::new(()), Condvar::new());
    let start = Instant::now();
    let (_held, result) = never.wait_timeout_while(lock.lock().unwrap(), Duration::from_millis(25), |_| true).unwrap();
    assert!(result.timed_out());
    assert!(start.elapsed() >= Duration::from_millis(25));
}

#[test]
fn once_is_once() {
    static DONE: Once = Once::new();
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    static VALUE: OnceLock<usize> = OnceLock::new();
    static LAZY: LazyLock<String> = LazyLock::new(|| {
        TIMES.fetch_add(100, Ordering::Relaxed);
        "made".to_string()
    });
    on_four(|i| {
        DONE.call_once(|| {
            thread::sleep(Duration::from_millis(5)); // the others have to wait
            TIMES.fetch_add(1, Ordering::Relaxed);
        });
        assert!(DONE.is_completed());
        assert!(*VALUE.get_or_init(|| i) < THREADS);
        assert_eq!(*LAZY, "made");
    });
    assert_eq!(TIMES.load(Ordering::Relaxed), 101);
}

#[test]
fn barrier_has_one_leader_each_time() {
    let (gate, leaders) = (Barrier::new(THREADS), AtomicUsize::new(0));
    on_four(|_| {
        for _ in 0..200 {
            if gate.wait().is_leader() {
                leaders.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    assert_eq!(leaders.load(Ordering::Relaxed), 200);
}

#[test]
fn mpsc_from_many() {
    let (to, from) = mpsc::channel();
    let senders: Vec<_> = (0..THREADS)
        .map(|i| {
            let to = to.clone();
            thread::spawn(move || (0..ROUNDS).for_each(|n| to.send((i, n)).unwrap()))
        })
        .collect();
    drop(to);
    let mut next = [0; THREADS];
    for (i, n) in from {
        assert_eq!(next[i], n, "in the order in which one thread sent them");
        next[i] += 1;
    }
    senders.into_iter().for_each(|s| s.join().unwrap());
    assert_eq!(next, [ROUNDS; THREADS]);
}

#[test]
fn mpsc_bounded_and_ended() {
    let (to, from) = mpsc::sync_channel(0);
    let sender = thread::spawn(move || (0..200).map(|n| to.send(n)).filter(Result::is_ok).count());
    assert_eq!(from.iter().take(100).sum::<i32>(), 4950);
    drop(from);
    assert_eq!(sender.join().unwrap(), 100);
    let (to, from) = mpsc::channel::<u8>();
    assert_eq!(from.recv_timeout(Duration::from_millis(5)), Err(mpsc::RecvTimeoutError::Timeout));
    drop(to);
    assert_eq!(from.recv_timeout(Duration::from_secs(9)), Err(mpsc::RecvTimeoutError::Disconnected));
}

macro_rules! counted {
    ($name:ident, $atomic:ty, $number:ty) => {
        #[test]
        fn $name() {
            let (sum, raised) = (<$atomic>::new(0), <$atomic>::new(0));
            on_four(|_| {
                for _ in 0..ROUNDS {
                    sum.fetch_add(1, Ordering::Relaxed);
                    let mut seen = raised.load(Ordering::Relaxed);
                    while let Err(now) =
                        raised.compare_exchange_weak(seen, seen.wrapping_add(1), Ordering::AcqRel, Ordering::Relaxed)
                    {
                        seen = now;
                    }
                }
            });
            let wanted = (THREADS * ROUNDS) as $number;
            assert_eq!((sum.into_inner(), raised.into_inner()), (wanted, wanted));
        }
    };
}
counted!(atomics_of_8_bits, AtomicU8, u8);
counted!(atomics_of_16_bits, AtomicU16, u16);
counted!(atomics_of_32_bits, AtomicU32, u32);
counted!(atomics_of_64_bits, AtomicU64, u64);

#[cfg(target_arch = "aarch64")]
#[test]
fn atomics_of_128_bits() {
    const STEP: u128 = (1 << 100) + 1; // both halves change, and must change together
    let sum = AtomicU128::new(0);
    on_four(|i| {
        for _ in 0..ROUNDS {
            if i == 0 {
                let seen = sum.load(Ordering::Acquire);
                assert_eq!((seen >> 100) as u64, seen as u64);
            }
            sum.fetch_add(STEP, Ordering::AcqRel);
        }
    });
    assert_eq!(sum.into_inner(), STEP * (THREADS * ROUNDS) as u128);
    let swapped = AtomicU128::new(7);
    assert_eq!(swapped.compare_exchange(8, 9, Ordering::SeqCst, Ordering::SeqCst), Err(7));
    assert_eq!(swapped.swap(u128::MAX, Ordering::SeqCst), 7);
}
