// SPDX-License-Identifier: MIT
//! Remote calls over two Rings, one for requests and one for replies, as abi/rpc.h lays them out. The services' own calls are
//! in [`crate::protocols`].
use crate::abi::{Error, RingRx, RingTx};
use crate::bundle::Bundle;
use crate::cap::AnyCap;
use crate::protocols::naming;
use crate::ring::{self, Message};
use crate::time::Deadline;

const PAYLOAD: usize = 56;
const SLOTS: u32 = 8;
const OP_REPLIES: u16 = 0xffff; // the first message of a connection that was made in halves

/// The arguments or results of one call: 56 bytes, laid out as C does.
#[derive(Clone, Copy, Debug)]
pub struct Payload([u8; PAYLOAD]);

/// Up to N bytes that came with a message.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> core::ops::Deref for Bytes<N> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len.into()]
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl Payload {
    /// All zero.
    pub const fn new() -> Self {
        Self([0; PAYLOAD])
    }
    /// Puts a number, as its bytes.
    pub fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self.0[at..at + N].copy_from_slice(&bytes);
    }
    /// A number's bytes.
    pub fn get<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[at..at + N]);
        bytes
    }
    /// Puts up to N bytes and how many they are. [`Error::TooBig`]: there are more.
    pub fn put_bytes<const N: usize>(&mut self, at: usize, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > N {
            return Err(Error::TooBig);
        }
        self.0[at] = bytes.len() as u8;
        self.0[at + 1..at + 1 + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
    /// Up to N bytes. [`Error::PeerClosed`]: who sent them broke the protocol.
    pub fn bytes<const N: usize>(&self, at: usize) -> Result<Bytes<N>, Error> {
        let len = self.0[at];
        if usize::from(len) > N {
            return Err(Error::PeerClosed);
        }
        Ok(Bytes { len, bytes: self.get(at + 1) })
    }

    fn message(&self, op: u16, sequence: u16, status: i32) -> Message {
        let mut message = Message::default();
        message.word[0] = u64::from(status as u32) << 32 | u64::from(sequence) << 16 | u64::from(op);
        for (word, bytes) in message.word[1..].iter_mut().zip(self.0.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        }
        message
    }

    fn of(message: &Message) -> Self {
        let mut payload = Self::new();
        for (bytes, word) in payload.0.chunks_exact_mut(8).zip(&message.word[1..]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        payload
    }
}

fn op_of(message: &Message) -> u16 {
    message.word[0] as u16
}

fn sequence_of(message: &Message) -> u16 {
    (message.word[0] >> 16) as u16
}

/// A client's side of a connection: one call at a time.
#[derive(Debug)]
pub struct Client {
    tx: RingTx,
    rx: RingRx,
    sequence: u16,
}

impl Client {
    /// Over two Ring ends.
    pub fn new(tx: RingTx, rx: RingRx) -> Self {
        Self { tx, rx, sequence: 0 }
    }

    /// Both sides of a connection; the server's is to be given away.
    pub fn pair() -> Result<(Self, Server), Error> {
        let (tx, requests) = ring::create(None, SLOTS, ring::WITH_CAPS)?;
        let (replies, rx) = ring::create(None, SLOTS, ring::WITH_CAPS)?;
        Ok((Self::new(tx, rx), Server { requests, replies: Some(replies) }))
    }

    /// The Bundle's connection `name`: its slots `name.tx` and, unless it was made in halves, `name.rx`.
    pub fn from_bundle(name: &str) -> Result<Self, Error> {
        let mut tx: RingTx = Bundle::own().take_part(name, ".tx").ok_or(Error::NotFound)?;
        if let Some(rx) = Bundle::own().take_part(name, ".rx") {
            return Ok(Self::new(tx, rx));
        }
        let (replies, rx) = ring::create(None, SLOTS, ring::WITH_CAPS)?;
        let note = Payload::new().message(OP_REPLIES, 0, 0);
        tx.send_cap(&note, replies, Deadline::FOREVER).map_err(|refused| refused.error)?;
        Ok(Self::new(tx, rx))
    }

    /// A connection to the service of that name, by the naming service.
    pub fn connect(naming: &mut Self, name: &str) -> Result<Self, Error> {
        let (client, server) = Self::pair()?;
        naming::connect_requests(naming, name.as_bytes(), server.requests)?;
        naming::connect_replies(naming, server.replies.ok_or(Error::BadArgument)?)?;
        Ok(client)
    }

    /// Sends a request and waits for its reply. What was to be sent along is gone, whatever the outcome.
    pub fn call(&mut self, op: u16, question: &Payload, cap: Option<AnyCap>) -> Result<(Payload, Option<AnyCap>), Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let message = question.message(op, self.sequence, 0);
        let mut came = match cap {
            None => ring::call(&mut self.tx, &message, &mut self.rx, Deadline::FOREVER)?,
            Some(cap) => {
                self.tx.send_any(&message, cap, Deadline::FOREVER).map_err(|refused| refused.error)?;
                self.rx.recv_cap(Deadline::FOREVER)?
            }
        };
        while sequence_of(&came.0) != self.sequence {
            came = self.rx.recv_cap(Deadline::FOREVER)?; // a late reply to a call that was given up
        }
        match Error::from_number((came.0.word[0] >> 32) as i32) {
            None => Ok((Payload::of(&came.0), came.1)),
            Some(error) => Err(error),
        }
    }
}

/// A server's side of a connection.
#[derive(Debug)]
pub struct Server {
    /// Where requests come.
    pub requests: RingRx,
    /// Where replies go; it comes with the first request if the connection was made in halves.
    pub replies: Option<RingTx>,
}

/// A request, to be answered.
#[derive(Debug)]
pub struct Request {
    /// Which call.
    pub op: u16,
    /// Its arguments.
    pub payload: Payload,
    /// What came along.
    pub cap: Option<AnyCap>,
    sequence: u16,
}

impl Server {
    /// Over two Ring ends.
    pub fn new(requests: RingRx, replies: RingTx) -> Self {
        Self { requests, replies: Some(replies) }
    }

    /// Waits for the next request. [`Error::PeerClosed`]: there will be no more.
    pub fn next(&mut self) -> Result<Request, Error> {
        loop {
            let (message, cap) = self.requests.recv_cap(Deadline::FOREVER)?;
            if op_of(&message) != OP_REPLIES {
                let (op, sequence) = (op_of(&message), sequence_of(&message));
                return Ok(Request { op, payload: Payload::of(&message), cap, sequence });
            }
            if self.replies.is_none() {
                self.replies = cap.and_then(|cap| cap.downcast().ok());
            }
        }
    }

    /// Answers a request: with results, or with an error.
    pub fn answer(&mut self, request: &Request, answer: Result<Payload, Error>) -> Result<(), Error> {
        let replies = self.replies.as_mut().ok_or(Error::PeerClosed)?;
        let message = match answer {
            Ok(payload) => payload.message(request.op, request.sequence, 0),
            Err(error) => Payload::new().message(request.op, request.sequence, error as i32),
        };
        replies.send(&message, Deadline::FOREVER)
    }

    /// Answers every request with what `answer` makes of it, until the client is gone.
    pub fn serve(&mut self, mut answer: impl FnMut(&mut Request) -> Result<Payload, Error>) -> Result<(), Error> {
        loop {
            let mut request = match self.next() {
                Err(Error::PeerClosed) => return Ok(()),
                Err(Error::Interrupted) => continue,
                other => other?,
            };
            let said = answer(&mut request);
            match self.answer(&request, said) {
                Err(Error::PeerClosed) => return Ok(()),
                other => other?,
            }
        }
    }
}
