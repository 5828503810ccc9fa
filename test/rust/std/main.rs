// SPDX-License-Identifier: MIT
//! What std does on VectraOS: compiled with `--test` and run inside, on four harts. Some tests start this program again, to
//! see it end in ways that end a process: `helper` is what such a child does.

#![cfg_attr(target_has_atomic = "128", feature(integer_atomics))]
#![allow(clippy::all)]

mod files;
mod failing;
mod processes;
mod sync;
mod system;
mod threads;

use std::process::{Command, Output};

/// This program once more, as a child that does just `what`.
fn child(what: &str) -> Command {
    let mut command = Command::new(std::env::args().next().expect("a name"));
    command.args(["--exact", "helper", "--nocapture", "--test-threads=1"]).env("VECTRA_TEST_CHILD", what);
    command
}

/// The child's output.
fn run_child(what: &str) -> Output {
    child(what).output().expect("the child starts")
}

/// A child's way in; as a test of its own it has nothing to do.
#[test]
fn helper() {
    if let Ok(what) = std::env::var("VECTRA_TEST_CHILD") {
        processes::child_main(&what);
    }
}
