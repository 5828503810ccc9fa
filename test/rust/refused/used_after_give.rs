// refused: E0382
// SPDX-License-Identifier: MIT
//! What a child is given cannot be used.
use vectra::{Deadline, Rights, Spec};
fn main() -> Result<(), vectra::Error> {
    let (_tx, mut rx) = vectra::ring::create(None, 4, 0)?;
    let mut spec = Spec::new();
    spec.give("rx", rx, Rights::OF_RX)?;
    rx.recv(Deadline::FOREVER).map(|_| ())
}
