// SPDX-License-Identifier: MIT
//! Panics, and other ways for things to go wrong.

use crate::{child, run_child};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::os::unix::process::ExitStatusExt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a child does that ends badly.
pub fn child_main(what: &str) {
    match what {
        "abort" => std::process::abort(),
        "panic-twice" => {
            struct Again;
            impl Drop for Again {
                fn drop(&mut self) {
                    panic!("a second time");
                }
            }
            let _again = Again;
            panic!("once");
        }
        "no-memory" => {
            let bytes = vec![1_u8; std::hint::black_box(1 << 45)];
            std::process::exit(i32::from(bytes[5]));
        }
        "deep" => std::process::exit(deeper(0) as i32),
        "deep-in-thread" => {
            let diver = std::thread::Builder::new().name("diver".into()).spawn(|| deeper(0));
            std::process::exit(diver.unwrap().join().unwrap() as i32);
        }
        "panic-with-names" => named_in_a_backtrace(std::hint::black_box(3)),
        "exit-in-thread" => {
            let other = std::thread::spawn(|| std::process::exit(17));
            let _ = other.join();
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
        other => panic!("no such child: {other}"),
    }
}

#[allow(unconditional_recursion)]
#[inline(never)]
fn deeper(n: usize) -> usize {
    std::hint::black_box([n; 64])[0] + deeper(n + 1)
}

#[inline(never)]
fn named_in_a_backtrace(n: usize) {
    if n == 0 {
        panic!("at the end");
    }
    named_in_a_backtrace(std::hint::black_box(n - 1));
    std::hint::black_box(n);
}

struct Counted<'a>(&'a AtomicUsize);
impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[inline(never)]
fn fall(depth: usize, dropped: &AtomicUsize) -> usize {
    let _counted = Counted(dropped);
    if depth == 0 {
        panic!("at the bottom");
    }
    1 + fall(std::hint::black_box(depth - 1), dropped)
}

#[test]
fn unwinding_drops_every_frame() {
    let dropped = AtomicUsize::new(0);
    let fell = panic::catch_unwind(AssertUnwindSafe(|| fall(100, &dropped)));
    assert_eq!(fell.unwrap_err().downcast_ref::<&str>(), Some(&"at the bottom"));
    assert_eq!(dropped.load(Ordering::Relaxed), 101);
}

#[test]
fn what_was_caught_can_go_on() {
    let outer = panic::catch_unwind(|| {
        let inner = panic::catch_unwind(|| panic!("within")).unwrap_err();
        panic::resume_unwind(inner)
    });
    let payload: Box<dyn std::any::Any + Send> = outer.map(|()| ()).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"within"));
}

#[test]
fn slices_and_numbers_panic() {
    let zero = std::hint::black_box(0_usize);
    assert!(panic::catch_unwind(|| [1, 2, 3][zero + 3]).is_err());
    assert!(panic::catch_unwind(|| 1 / zero).is_err());
    assert!(panic::catch_unwind(|| i32::from_str_radix("x", 10).unwrap()).is_err());
}

#[test]
fn unwinding_on_many_threads_at_once() {
    let dropped = AtomicUsize::new(0);
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                for _ in 0..50 {
                    assert!(panic::catch_unwind(AssertUnwindSafe(|| {
                        let _counted = Counted(&dropped);
                        panic::resume_unwind(Box::new(1)); // without a message
                    }))
                    .is_err());
                }
            });
        }
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 200);
}

#[test]
fn a_backtrace_has_frames() {
    #[inline(never)]
    fn nested(depth: usize) -> Backtrace {
        if depth == 0 { Backtrace::force_capture() } else { std::hint::black_box(nested(depth - 1)) }
    }
    let (short, long) = (nested(1), nested(std::hint::black_box(30)));
    assert_eq!(long.status(), BacktraceStatus::Captured);
    let is_frame = |line: &&str| line.split_once(':').is_some_and(|(n, _)| n.trim().parse::<u32>().is_ok());
    let frames = |trace: &Backtrace| format!("{trace:#}").lines().filter(is_frame).count();
    assert!(frames(&long) >= frames(&short) + 29, "{} and {}", frames(&short), frames(&long));
}

#[test]
fn a_backtrace_has_names() {
    let output = child("panic-with-names").env("RUST_BACKTRACE", "1").output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(words.matches("failing::named_in_a_backtrace").count(), 4, "{words}");
    assert!(words.contains("failing::child_main"), "{words}");
}

#[test]
fn abort_is_a_signal() {
    assert_eq!(run_child("abort").status.signal(), Some(6));
}

#[test]
fn a_panic_while_unwinding_aborts() {
    let output = run_child("panic-twice");
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("a second time"), "{output:?}");
}

#[test]
fn memory_that_is_not_there() {
    assert!(Vec::<u8>::new().try_reserve_exact(1 << 45).is_err());
    assert!(Vec::<u8>::new().try_reserve(usize::MAX).is_err());
    let output = run_child("no-memory");
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("memory allocation of 35184372088832 bytes failed"), "{words}");
}

fn reported_overflow(what: &str, thread: &str) {
    let output = run_child(what);
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains(&format!("thread '{thread}'")) && words.contains("has overflowed its stack"), "{words}");
}

#[test]
fn a_stack_that_overflows_is_reported() {
    reported_overflow("deep", "helper");
    reported_overflow("deep-in-thread", "diver");
}

#[test]
fn exit_ends_all_threads() {
    assert_eq!(run_child("exit-in-thread").status.code(), Some(17));
}
