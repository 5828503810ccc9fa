// refused: E0599
// SPDX-License-Identifier: MIT
//! A Ring end is one.
fn main() -> Result<(), vectra::Error> {
    let (tx, _rx) = vectra::ring::create(None, 4, 0)?;
    let _second = tx.clone();
    Ok(())
}
