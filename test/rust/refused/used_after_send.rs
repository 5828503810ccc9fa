// refused: E0382
// SPDX-License-Identifier: MIT
//! What was sent cannot be used.
use vectra::{ring, Deadline, Mem, Message};
fn main() -> Result<(), vectra::Error> {
    let (mut tx, _rx) = ring::create(None, 4, ring::WITH_CAPS)?;
    let mem = Mem::alloc(None, 1)?;
    let _ = tx.send_cap(&Message::default(), mem, Deadline::FOREVER);
    mem.bytes().map(|_| ())
}
