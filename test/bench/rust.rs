// SPDX-License-Identifier: MIT
//! The rows of `./vectra bench rust`, as `bench rust NAME instructions VALUE MIN MAX RUNS`. Under QEMU's instruction counter a
//! nanosecond of the monotonic clock is an instruction. Plain std: the same source builds for Linux. `rust NAME...` runs those
//! rows alone.
use std::hint::black_box;
use std::sync::{mpsc, Mutex};
use std::thread;
use std::time::Instant;

const SAMPLES: usize = 51;
const MESSAGES: u64 = 1000;

static LOCK: Mutex<u64> = Mutex::new(0);

fn spawn_join() {
    black_box(thread::spawn(|| black_box(1)).join().expect("it does not panic"));
}

fn lock_unlock() {
    *LOCK.lock().expect("nobody panicked") += 1;
}

/// A thousand messages from another thread; its birth and end are in it, a thousandth of them in each.
fn messages() {
    let (to, from) = mpsc::channel();
    let sender = thread::spawn(move || (0..MESSAGES).try_for_each(|n| to.send(n)));
    let sum: u64 = from.iter().sum();
    assert_eq!(sum, MESSAGES * (MESSAGES - 1) / 2);
    sender.join().expect("it does not panic").expect("all are received");
}

fn timed(each: u32, operation: fn()) -> u64 {
    let start = Instant::now();
    for _ in 0..each {
        operation();
    }
    start.elapsed().as_nanos() as u64
}

/// Samples of `each` operations; the first is not counted. What an empty loop and reading the clock cost is taken off.
fn measure(name: &str, samples: usize, each: u32, divisor: u64, operation: fn()) {
    let operation = black_box(operation);
    let empty = {
        let nothing: fn() = || {};
        let mut all: Vec<_> = (0..SAMPLES).map(|_| timed(each, black_box(nothing))).collect();
        all.sort_unstable();
        all[SAMPLES / 2]
    };
    timed(each, operation);
    let mut all: Vec<_> = (0..samples)
        .map(|_| timed(each, operation).saturating_sub(empty) / u64::from(each) / divisor)
        .collect();
    all.sort_unstable();
    println!("bench rust {name} instructions {} {} {} {samples}", all[samples / 2], all[0], all[samples - 1]);
}

fn main() {
    let wanted: Vec<_> = std::env::args().skip(1).collect();
    let rows: [(&str, usize, u32, u64, fn()); 3] = [
        ("rust_thread_spawn_join", SAMPLES, 8, 1, spawn_join),
        ("rust_mutex_uncontended", SAMPLES, 64, 1, lock_unlock),
        ("rust_mpsc_message", 11, 1, MESSAGES, messages),
    ];
    for (name, samples, each, divisor, operation) in rows {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            measure(name, samples, each, divisor, operation);
        }
    }
}
