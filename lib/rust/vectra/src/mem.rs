// SPDX-License-Identifier: MIT
//! Memory that can be shared: a capability, and where it is mapped.
use crate::abi::{raw, Error, Mem, Reticle};
use crate::cap::{made, number, Capability};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU8, Ordering};

/// Memory comes in pages of this size.
pub const PAGE: usize = 4096;

const READ: u32 = 1;
const WRITE: u32 = 2;
const COMMIT: u32 = 0x40;
const HANDLE: u32 = 0x80;
const NO_MAP: u32 = 0x200;

impl Mem {
    /// Zeroed memory of that many bytes, rounded up to whole pages, from the payer's Reticle or one's own.
    pub fn alloc(payer: Option<&Reticle>, bytes: usize) -> Result<Self, Error> {
        let bytes = bytes.checked_next_multiple_of(PAGE).ok_or(Error::TooBig)? as u64;
        unsafe { made(raw::mem_alloc(number(payer), bytes, READ | WRITE | COMMIT | HANDLE | NO_MAP, 0)?.0) }
    }

    /// Memory with a copy of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mem = Self::alloc(None, bytes.len())?;
        mem.map(Access::Write)?.write(0, bytes);
        Ok(mem)
    }

    /// A file's content, for example the image of a program that is to be started.
    #[cfg(feature = "std")]
    pub fn read_file(path: impl AsRef<std::path::Path>) -> std::io::Result<Self> {
        Ok(Self::of_bytes(&std::fs::read(path)?)?)
    }

    /// How many bytes it names.
    pub fn bytes(&self) -> Result<usize, Error> {
        self.inspect().map(|told| told.facts[1] as usize)
    }

    /// Makes it visible in this Task, whole.
    pub fn map(&self, access: Access) -> Result<Mapping<'_>, Error> {
        let bytes = self.bytes()?;
        let length = bytes.checked_next_multiple_of(PAGE).ok_or(Error::TooBig)? as u64;
        let prot = if access == Access::Write { READ | WRITE } else { READ };
        let (address, _) = unsafe { raw::mem_map(self.handle(), 0, length, 0, prot) }?;
        Ok(Mapping { address: address as usize, bytes, access, handle: self.handle(), of: PhantomData })
    }
}

/// What a mapping is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// To read.
    Read,
    /// To read and write.
    Write,
}

/// Memory as this Task sees it, until this is dropped. Others may change it at any time, so what it holds is copied and never
/// lent as a slice. If its capability is revoked, the next access ends the Task by a fault.
#[derive(Debug)]
pub struct Mapping<'a> {
    address: usize,
    bytes: usize,
    access: Access,
    handle: u32,
    of: PhantomData<&'a Mem>,
}

impl Mapping<'_> {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes
    }
    /// True when it has none.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
    /// Where it begins.
    pub fn as_ptr(&self) -> *mut u8 {
        self.address as *mut u8
    }

    fn part(&self, at: usize, len: usize) -> &[AtomicU8] {
        assert!(at <= self.bytes && len <= self.bytes - at, "{len} bytes at {at} of {}", self.bytes);
        unsafe { core::slice::from_raw_parts((self.address + at) as *const AtomicU8, len) }
    }

    /// Copies from `at` on. Panics beyond the end.
    pub fn read(&self, at: usize, to: &mut [u8]) {
        let part = self.part(at, to.len());
        for (byte, from) in to.iter_mut().zip(part) {
            *byte = from.load(Ordering::Relaxed);
        }
    }

    /// Copies to `at` and on. Panics beyond the end, and when it was mapped to be read.
    pub fn write(&self, at: usize, from: &[u8]) {
        assert!(self.access == Access::Write, "mapped to be read");
        for (byte, to) in from.iter().zip(self.part(at, from.len())) {
            to.store(*byte, Ordering::Relaxed);
        }
    }
}

impl Drop for Mapping<'_> {
    fn drop(&mut self) {
        let length = self.bytes.next_multiple_of(PAGE) as u64;
        // NOT_FOUND: the capability was revoked, and with it this went.
        let _ = unsafe { raw::mem_free(self.handle, self.address, length) };
    }
}
