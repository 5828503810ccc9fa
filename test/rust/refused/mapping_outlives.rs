// refused: E0505
// SPDX-License-Identifier: MIT
//! A mapping does not outlive the capability that it was made through.
use vectra::mem::Access;
fn main() -> Result<(), vectra::Error> {
    let mem = vectra::Mem::alloc(None, 1)?;
    let mapping = mem.map(Access::Read)?;
    drop(mem);
    mapping.read(0, &mut [0]);
    Ok(())
}
