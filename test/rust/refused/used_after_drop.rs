// refused: E0382
// SPDX-License-Identifier: MIT
//! What was dropped cannot be used.
use vectra::{Deadline, Message};
fn main() -> Result<(), vectra::Error> {
    let (mut tx, _rx) = vectra::ring::create(None, 4, 0)?;
    drop(tx);
    tx.send(&Message::default(), Deadline::FOREVER)
}
