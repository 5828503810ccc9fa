// SPDX-License-Identifier: MIT
//! VectraOS for Rust programs: Tasks, capabilities, Rings, the signal mask, Bundles and Reticles as types.
//!
//! A capability is a value with one owner. It cannot be copied, what is sent is gone from the sender, what is dropped is
//! gone from the Task's table, and a thing of one type cannot be handed to a call that takes another: the kernel checks all
//! of that at run time, these types before. What is weaker than another capability is made with `narrow`.
//!
//! The crate needs nothing but the kernel: a program may be `#![no_std]` and link no C library ([`entry!`]), or use it beside
//! `std`. [`protocols`] speaks to the services, which are written in C.
//!
//! ```no_run
//! # fn main() -> Result<(), vectra::Error> {
//! use vectra::{ring, Deadline, Message, Rights, Spec};
//! let (mut to, for_child) = ring::create(None, 8, ring::PLAIN)?;
//! let image = vectra::Mem::read_file("/bin/child").unwrap();
//! let mut spec = Spec::new();
//! spec.give("requests", for_child, Rights::OF_RX)?;
//! let child = spec.spawn(&image)?;
//! to.send(&Message { word: [1, 2, 3, 0, 0, 0, 0, 0] }, Deadline::FOREVER)?;
//! let _ended = child.wait()?;
//! # Ok(()) }
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_docs)]

#[cfg(not(target_vendor = "vectra"))]
compile_error!("this crate is for VectraOS: build with `./vectra cargo` or `./vectra rustc`");

pub mod abi;
pub mod bundle;
pub mod cap;
mod entry;
#[doc(hidden)]
pub use entry::panicked;
pub mod mem;
pub mod protocols;
pub mod ring;
pub mod rpc;
pub mod signal;
mod sys;
pub mod task;
pub mod time;

pub use abi::{limits, Console, Device, Entropy, Error, Irq, Mem, Reticle, RingRx, RingTx, Sem, Surface, Task};
pub use bundle::{Bundle, Spec};
pub use cap::{AnyCap, Capability, Facts, Narrow, Rights};
pub use mem::Mapping;
pub use ring::Message;
pub use time::Deadline;
