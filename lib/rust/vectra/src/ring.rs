// SPDX-License-Identifier: MIT
//! Rings: a queue of messages with two ends, each the capability of one owner. An end belongs to one thread at a time, so
//! what uses it takes `&mut`.
use crate::abi::{raw, Error, Reticle, RingRx, RingTx};
use crate::cap::{made, number, AnyCap, Capability};
use crate::signal::Signal;
use crate::time::Deadline;

/// 64 bytes, of which the kernel looks at none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C, align(64))]
pub struct Message {
    /// What it says.
    pub word: [u64; 8],
}
const _: () = assert!(size_of::<Message>() == 64);

/// A Ring whose messages are bytes alone.
pub const PLAIN: u32 = 0;
/// A Ring whose messages may carry a capability each.
pub const WITH_CAPS: u32 = 1;

/// A Ring of that many messages, a power of two or 0 for the usual number; the payer's Reticle, or one's own, has it.
pub fn create(payer: Option<&Reticle>, slots: u32, flags: u32) -> Result<(RingTx, RingRx), Error> {
    let (tx, rx) = unsafe { raw::ring_create(number(payer), slots, flags) }?;
    unsafe { Ok((made(tx)?, made(rx)?)) }
}

/// A capability that was not sent, and why.
#[derive(Debug)]
pub struct Refused<C> {
    /// Why.
    pub error: Error,
    /// It is still here.
    pub cap: C,
}

impl RingTx {
    /// Appends a message; waits for room.
    pub fn send(&mut self, message: &Message, deadline: Deadline) -> Result<(), Error> {
        unsafe { raw::ring_send(self.handle(), message, deadline.0) }.map(|_| ())
    }

    /// Appends a message that takes a capability along. It is the receiver's then.
    pub fn send_cap<C: Capability>(&mut self, message: &Message, cap: C, deadline: Deadline) -> Result<(), Refused<C>> {
        match self.send_handle(message, cap.handle(), deadline) {
            Ok(()) => Ok(()),
            Err(error) => Err(Refused { error, cap }),
        }
    }

    pub(crate) fn send_any(&mut self, message: &Message, cap: AnyCap, deadline: Deadline) -> Result<(), Refused<AnyCap>> {
        match self.send_handle(message, cap.handle(), deadline) {
            Ok(()) => Ok(()),
            Err(error) => Err(Refused { error, cap }),
        }
    }

    /// A capability that could be copied has stayed, and is dropped by who owned it: what was sent is derived and lives on.
    fn send_handle(&mut self, message: &Message, handle: u32, deadline: Deadline) -> Result<(), Error> {
        unsafe { raw::ring_send_cap(self.handle(), message, handle, deadline.0) }.map(|_| ())
    }
}

impl RingRx {
    /// Takes the oldest message; waits for one. One that brings a capability is [`Error::WrongType`] and stays.
    pub fn recv(&mut self, deadline: Deadline) -> Result<Message, Error> {
        let mut message = Message::default();
        unsafe { raw::ring_recv(self.handle(), (&raw mut message).cast(), deadline.0) }?;
        Ok(message)
    }

    /// Takes the oldest message and what it brings.
    pub fn recv_cap(&mut self, deadline: Deadline) -> Result<(Message, Option<AnyCap>), Error> {
        let mut message = Message::default();
        let (handle, _) = unsafe { raw::ring_recv_cap(self.handle(), (&raw mut message).cast(), deadline.0) }?;
        Ok((message, unsafe { AnyCap::from_result(handle) }))
    }

    /// Sets the signal whenever a message comes, or the other end goes.
    pub fn bind(&self, signal: Signal) -> Result<(), Error> {
        unsafe { raw::bind(self.handle(), u32::from(signal.0)) }.map(|_| ())
    }
}

/// Sends on one Ring and receives on another, entering the kernel once: the hart goes straight to who waits for the request.
pub fn call(tx: &mut RingTx, message: &Message, rx: &mut RingRx, deadline: Deadline) -> Result<(Message, Option<AnyCap>), Error> {
    let (mut question, mut answer) = (*message, Message::default());
    let (to, from) = (&raw mut question, &raw mut answer);
    let (handle, _) = unsafe { raw::ring_call(tx.handle(), to.cast(), rx.handle(), from.cast(), deadline.0) }?;
    Ok((answer, unsafe { AnyCap::from_result(handle) }))
}
