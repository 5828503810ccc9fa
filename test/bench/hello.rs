// SPDX-License-Identifier: MIT
//! As small as a program with std gets: `rust_hello_size`, and that a panic which aborts does.
fn main() {
    println!("Hello, world!");
    if std::env::args().len() > 1 {
        panic!("as asked");
    }
}
