// refused: E0599
// SPDX-License-Identifier: MIT
//! No weaker second of a Ring end either.
use vectra::{Narrow, Rights};
fn main() -> Result<(), vectra::Error> {
    let (tx, _rx) = vectra::ring::create(None, 4, 0)?;
    let _second = tx.narrow(Rights::SEND)?;
    Ok(())
}
