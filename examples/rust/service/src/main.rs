// SPDX-License-Identifier: MIT
//! A service of a few kilobytes: it counts words. All it can do is in its Bundle. With two Ring ends there, it serves the one
//! client behind them and ends with it; started by initd from a graph (services.tally), it serves whoever connects to its name,
//! one after the other.
#![no_std]
#![no_main]

use vectra::mem::{Access, PAGE};
use vectra::protocols::{inbox, init};
use vectra::rpc::{Client, Payload, Request, Server};
use vectra::{Bundle, Error, Mem, RingRx, RingTx};

vectra::entry!(main);

/// The protocol, as the client knows it too. COUNT: (bytes.48 text) gives (u64 total). LEND: (cap.MEM text) the same.
const COUNT: u16 = 1;
const LEND: u16 = 2;

#[derive(Default)]
struct Tally {
    words: u64,
    inside: bool,
}

impl Tally {
    fn text(&mut self, text: &[u8]) {
        for byte in text {
            let inside = !byte.is_ascii_whitespace() && *byte != 0;
            self.words += u64::from(inside && !self.inside);
            self.inside = inside;
        }
    }

    fn memory(&mut self, lent: &Mem) -> Result<(), Error> {
        let mapping = lent.map(Access::Read)?;
        let mut page = [0; PAGE];
        for at in (0..mapping.len()).step_by(PAGE) {
            let part = &mut page[..PAGE.min(mapping.len() - at)];
            mapping.read(at, part);
            self.text(part);
        }
        Ok(())
    }

    fn answer(&mut self, request: &mut Request) -> Result<Payload, Error> {
        self.inside = false;
        match request.op {
            COUNT => self.text(&request.payload.bytes::<48>(0)?),
            LEND => {
                let lent: Mem = request.cap.take().and_then(|cap| cap.downcast().ok()).ok_or(Error::BadArgument)?;
                self.memory(&lent)?; // and here the loan ends
            }
            _ => return Err(Error::NotSupported),
        }
        let mut answer = Payload::new();
        answer.put(0, self.words.to_le_bytes());
        Ok(answer)
    }
}

/// Until its client goes.
fn serve(server: &mut Server) -> u32 {
    let mut tally = Tally::default();
    match server.serve(|request| tally.answer(request)) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// A service of the graph: clients come to the inbox, in two halves, until initd asks for the end.
fn serve_inbox(inbox: RingRx) -> Result<(), Error> {
    init::ready(&mut Client::from_bundle("init")?)?;
    let (mut notes, mut requests) = (Server { requests: inbox, replies: None }, None);
    loop {
        let mut note = notes.next()?;
        let cap = note.cap.take();
        match note.op {
            inbox::NOTE_ACCEPT_REQUESTS => requests = cap.and_then(|cap| cap.downcast::<RingRx>().ok()),
            inbox::NOTE_ACCEPT_REPLIES => {
                let replies = cap.and_then(|cap| cap.downcast::<RingTx>().ok());
                if let Some(requests) = requests.take() {
                    serve(&mut Server { requests, replies });
                }
            }
            inbox::NOTE_SHUTDOWN => return Ok(()),
            _ => {}
        }
    }
}

fn main() -> u32 {
    let bundle = Bundle::own();
    if let Some(inbox) = bundle.take("inbox.rx") {
        return u32::from(serve_inbox(inbox).is_err());
    }
    let (Some(requests), Some(replies)) = (bundle.take("requests.rx"), bundle.take("replies.tx")) else {
        return 2; // started by somebody who knows nothing of it
    };
    serve(&mut Server::new(requests, replies))
}
