// SPDX-License-Identifier: MIT
//! Deadlines: absolute times on the clock that counts since the machine's start.
use crate::abi::{raw, Error};
use core::time::Duration;

/// Until when to wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Deadline(pub(crate) u64);

const MONOTONIC: u32 = 0;

impl Deadline {
    /// Does not wait: [`Error::WouldBlock`].
    pub const NOW: Self = Self(0);
    /// Waits as long as it takes.
    pub const FOREVER: Self = Self(u64::MAX);

    /// That long from now; for ever if that is beyond the clock.
    pub fn after(time: Duration) -> Self {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(now_ns().saturating_add(ns).max(1))
    }
}

/// Nanoseconds since the machine's start.
pub fn now_ns() -> u64 {
    unsafe { raw::clock_get_time(MONOTONIC) }.map_or(0, |(ns, _)| ns)
}

/// Waits until then.
pub fn sleep_until(deadline: Deadline) -> Result<(), Error> {
    unsafe { raw::nanosleep(deadline.0) }.map(|_| ())
}
