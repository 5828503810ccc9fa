// SPDX-License-Identifier: MIT
//! Tasks: a child's end, and one's own.
use crate::abi::{raw, Error, Task};
use crate::cap::Capability;
use crate::signal::Signal;

/// How a Task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// What it said.
    pub status: u32,
    /// 0 when it ended itself; else why it was ended (abi/types.h, enum vx_cause).
    pub cause: u8,
}

impl Ended {
    /// By itself, with status 0.
    pub fn is_success(self) -> bool {
        self == Self { status: 0, cause: 0 }
    }
}

impl Task {
    /// Waits for its end.
    pub fn wait(&self) -> Result<Ended, Error> {
        loop {
            match unsafe { raw::waitpid(self.handle(), 0) } {
                Ok((status, cause)) => return Ok(Ended { status: status as u32, cause: cause as u8 }),
                Err(Error::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sets the signal when it ends.
    pub fn bind(&self, signal: Signal) -> Result<(), Error> {
        unsafe { raw::bind(self.handle(), u32::from(signal.0)) }.map(|_| ())
    }
}

/// Ends this Task with all its threads. Nothing is dropped, and what the C library has not written yet is lost.
pub fn exit(status: u32) -> ! {
    unsafe { raw::task_exit(status) }
}
