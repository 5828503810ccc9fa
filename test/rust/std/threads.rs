// SPDX-License-Identifier: MIT
//! std::thread and thread-locals.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_join_brings_the_value() {
    let words = vec!["a".to_string(), "b".to_string()];
    assert_eq!(thread::spawn(move || words.concat()).join().unwrap(), "ab");
}

#[test]
fn a_scope_borrows() {
    let (mut left, right) = (vec![1, 2, 3], [4, 5]);
    let total = thread::scope(|s| {
        let sum = s.spawn(|| right.iter().sum::<i32>());
        s.spawn(|| left.push(10));
        sum.join().unwrap()
    });
    assert_eq!((total, left.len()), (9, 4));
}

#[test]
fn a_panic_crosses_join() {
    let by_str = thread::spawn(|| panic!("as a word")).join().unwrap_err();
    assert_eq!(by_str.downcast_ref::<&str>(), Some(&"as a word"));
    let by_string = thread::spawn(|| panic!("number {}", std::hint::black_box(7))).join().unwrap_err();
    assert_eq!(by_string.downcast_ref::<String>().map(String::as_str), Some("number 7"));
    let by_value = thread::spawn(|| panic::panic_any(42_u64)).join().unwrap_err();
    assert_eq!(by_value.downcast_ref::<u64>(), Some(&42));
}

#[test]
fn a_panic_leaves_a_scope_after_all_have_ended() {
    let ended = AtomicUsize::new(0);
    let result = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        thread::scope(|s| {
            s.spawn(|| panic!("one of them"));
            s.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                ended.fetch_add(1, Ordering::Relaxed);
            });
        })
    }));
    assert!(result.is_err());
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[test]
fn park_and_unpark() {
    thread::current().unpark();
    thread::park(); // the token was there before
    let sleeper = thread::spawn(|| {
        let start = Instant::now();
        thread::park_timeout(Duration::from_secs(60));
        start.elapsed()
    });
    thread::sleep(Duration::from_millis(10));
    sleeper.thread().unpark();
    assert!(sleeper.join().unwrap() < Duration::from_secs(50));
    let start = Instant::now();
    thread::park_timeout(Duration::from_millis(20));
    assert!(start.elapsed() >= Duration::from_millis(15));
}

#[test]
fn names_and_ids() {
    let named = thread::Builder::new().name("the named one".into()).spawn(|| {
        (thread::current().name().map(str::to_string), thread::current().id())
    });
    let (name, id) = named.unwrap().join().unwrap();
    assert_eq!(name.as_deref(), Some("the named one"));
    assert_ne!(id, thread::current().id());
    assert_eq!(thread::spawn(|| thread::current().name().map(str::to_string)).join().unwrap(), None);
}

#[test]
fn many_threads_one_after_the_other() {
    let mut total = 0;
    for i in 0..50 {
        total += thread::spawn(move || i).join().unwrap();
    }
    assert_eq!(total, 1225);
}

fn at_once(n: usize) {
    let gate = Arc::new(Barrier::new(n + 1));
    let threads: Vec<_> = (0..n)
        .map(|i| {
            let gate = gate.clone();
            thread::Builder::new().stack_size(64 << 10).spawn(move || {
                gate.wait(); // none goes on before all are there
                (i, thread::current().id())
            })
        })
        .map(|made| made.expect("a thread"))
        .collect();
    gate.wait();
    let answers: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    assert_eq!(answers.iter().map(|(i, _)| i).sum::<usize>(), n * (n - 1) / 2);
    assert_eq!(answers.iter().map(|(_, id)| *id).collect::<HashSet<_>>().len(), n);
}

#[test]
fn many_threads_at_once() {
    at_once(50);
}

/// On one hart: where the harts are threads of a busy machine, a birth can cost milliseconds (docs/rust.md).
#[test]
fn a_thousand_threads_at_once() {
    at_once(1000);
}

#[test]
fn a_stack_is_as_large_as_asked_for() {
    #[inline(never)]
    fn deep(n: usize) -> usize {
        let room = std::hint::black_box([n; 128]);
        if n == 0 { room[0] } else { 1 + deep(n - 1) }
    }
    let made = thread::Builder::new().stack_size(16 << 20).spawn(|| deep(8000)).unwrap();
    assert_eq!(made.join().unwrap(), 8000);
}

#[test]
fn all_harts_are_counted() {
    let wanted = std::env::var("HARTS").expect("who starts the tests says how many").parse().unwrap();
    assert_eq!(thread::available_parallelism().unwrap().get(), wanted);
}

struct Told(&'static AtomicUsize, Arc<std::sync::Mutex<Vec<u32>>>, u32);
impl Drop for Told {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.lock().unwrap().push(self.2);
    }
}

#[test]
fn thread_locals_are_own_and_are_dropped() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static KEPT: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
        static COUNT: Cell<u32> = const { Cell::new(5) };
        static LAZY: Cell<usize> = Cell::new(std::hint::black_box(11));
    }
    let log = Arc::new(std::sync::Mutex::new(Vec::new()));
    COUNT.set(9);
    let threads: Vec<_> = (0..16)
        .map(|i| {
            let log = log.clone();
            thread::spawn(move || {
                assert_eq!((COUNT.get(), LAZY.get()), (5, 11));
                COUNT.set(i);
                KEPT.with_borrow_mut(|kept| kept.push(Told(&DROPPED, log, i)));
                assert_eq!(COUNT.get(), i);
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    assert_eq!(COUNT.get(), 9);
    assert_eq!(DROPPED.load(Ordering::SeqCst), 16);
    let mut seen = log.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, (0..16).collect::<Vec<_>>());
}

#[test]
fn thread_locals_of_a_panicking_thread_are_dropped() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static KEPT: RefCell<Option<Told>> = const { RefCell::new(None) });
    let log = Arc::default();
    let ended = thread::spawn(move || {
        KEPT.replace(Some(Told(&DROPPED, log, 0)));
        panic!("with something kept");
    });
    assert!(ended.join().is_err());
    assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
}

#[test]
fn sleep_takes_its_time() {
    for ms in [1, 7, 30] {
        let start = Instant::now();
        thread::sleep(Duration::from_millis(ms));
        assert!(start.elapsed() >= Duration::from_millis(ms));
    }
}
