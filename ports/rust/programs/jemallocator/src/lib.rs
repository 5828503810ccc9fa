// SPDX-License-Identifier: MIT
//! The C library's allocator.
pub use std::alloc::System as Jemalloc;
