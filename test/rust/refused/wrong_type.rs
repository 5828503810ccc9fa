// refused: E0308
// SPDX-License-Identifier: MIT
//! A Ring end is no memory.
use vectra::Spec;
fn main() -> Result<(), vectra::Error> {
    let (tx, _rx) = vectra::ring::create(None, 4, 0)?;
    Spec::new().spawn(&tx).map(|_| ())
}
