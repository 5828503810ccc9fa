// accepted
// SPDX-License-Identifier: MIT
//! What the others are variations of.
use vectra::{ring, Deadline, Mem, Message, Narrow, Rights};

fn main() -> Result<(), vectra::Error> {
    let (mut tx, _rx) = ring::create(None, 4, ring::WITH_CAPS)?;
    let mem = Mem::of_bytes(b"text")?;
    let mapping = mem.map(vectra::mem::Access::Read)?;
    mapping.read(0, &mut [0; 4]);
    let loan = mem.narrow(Rights::READ)?;
    let _ = tx.send_cap(&Message::default(), loan, Deadline::FOREVER);
    Ok(())
}
