// SPDX-License-Identifier: MIT
//! The signal mask: 64 bits of a Task, and one operation, to wait until any of some is set.
use crate::abi::{raw, Error, Task};
use crate::cap::number;
use crate::time::Deadline;

/// One bit of the mask, 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal(pub(crate) u8);

impl Signal {
    /// Bit number `bit`; none of 64 and above.
    pub const fn new(bit: u8) -> Option<Self> {
        if bit < 64 { Some(Self(bit)) } else { None }
    }
    /// As a mask.
    pub const fn mask(self) -> u64 {
        1 << self.0
    }
}

/// Waits until any bit of the mask is set: those that are, which are clear then.
pub fn wait(mask: u64, deadline: Deadline) -> Result<u64, Error> {
    unsafe { raw::signal_wait(mask, deadline.0) }.map(|(bits, _)| bits)
}

/// Sets bits of a Task; of this one without a capability.
pub fn post(task: Option<&Task>, mask: u64) -> Result<(), Error> {
    unsafe { raw::signal_post(number(task), mask) }.map(|_| ())
}
