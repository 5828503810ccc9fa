// refused: E0499
// SPDX-License-Identifier: MIT
//! An end belongs to one thread at a time.
use vectra::{Deadline, Message};
fn main() -> Result<(), vectra::Error> {
    let (mut tx, _rx) = vectra::ring::create(None, 4, 0)?;
    std::thread::scope(|scope| {
        scope.spawn(|| tx.send(&Message::default(), Deadline::FOREVER));
        scope.spawn(|| tx.send(&Message::default(), Deadline::FOREVER));
    });
    Ok(())
}
