// SPDX-License-Identifier: MIT
//! A service of a few kilobytes: it counts words. All it can do is in its Bundle: two Ring ends. It ends when its client does.
#![no_std]
#![no_main]

use vectra::mem::{Access, PAGE};
use vectra::rpc::{Payload, Request, Server};
use vectra::{Bundle, Error, Mem};

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

fn main() -> u32 {
    let bundle = Bundle::own();
    let (Some(requests), Some(replies)) = (bundle.take("requests.rx"), bundle.take("replies.tx")) else {
        return 2; // started by somebody who knows nothing of it
    };
    let mut tally = Tally::default();
    match Server::new(requests, replies).serve(|request| tally.answer(request)) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}
