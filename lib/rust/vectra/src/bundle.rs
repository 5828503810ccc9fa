// SPDX-License-Identifier: MIT
//! Bundles: what this Task was given, and what a child is to get. The layout is that of abi/bundle.h.
use crate::abi::{limits, raw, Error, Mem, Task};
use crate::cap::{made, AnyCap, Capability, Narrow, Rights};
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU32, Ordering};

const ADDRESS: usize = 0x20000; // VX_BUNDLE_ADDRESS
const MAGIC: u32 = 0x4c44_4256;
const VERSION: u16 = 1;
const NAME_MAX: usize = 24; // with the NUL
const CAP: u8 = 1;
const INT: u8 = 2;
const BYTES: u8 = 3;

#[derive(Clone, Copy)]
#[repr(C)]
struct Slot {
    name: [u8; NAME_MAX],
    kind: u8,
    moves: u8,
    rights: u16,
    length: u32,
    value: u64,
}
const _: () = assert!(size_of::<Slot>() == 40);

#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    magic: u32,
    version: u16,
    n_slots: u16,
    bytes: u32,
    slots_at: u32,
    task_id: u32,
    band: u32,
    stack: [u64; 2],
    image_base: u64,
    phdr_address: u64,
    phdr_count: u32,
    reserved: u32,
}
const _: () = assert!(size_of::<Header>() == 64);

/// This Task's Bundle: all the authority and all the arguments that it began with.
#[derive(Debug)]
pub struct Bundle(());

/// Which capabilities somebody has taken, a bit for each slot.
static TAKEN: [AtomicU32; limits::BUNDLE_MAX_SLOTS / 32] = [const { AtomicU32::new(0) }; limits::BUNDLE_MAX_SLOTS / 32];

impl Bundle {
    /// It lies at one place in every Task, read-only; the kernel wrote it.
    pub const fn own() -> Self {
        Self(())
    }

    fn header(&self) -> &'static Header {
        unsafe { &*(ADDRESS as *const Header) }
    }

    fn slots(&self) -> &'static [Slot] {
        let header = self.header();
        unsafe { core::slice::from_raw_parts((ADDRESS + header.slots_at as usize) as *const Slot, header.n_slots.into()) }
    }

    fn find(&self, name: &str, kind: u8) -> Option<(usize, &'static Slot)> {
        let wanted = name_of(name).ok()?;
        self.slots().iter().enumerate().find(|(_, slot)| slot.name == wanted && slot.kind == kind)
    }

    /// The number of this Task, for people.
    pub fn task_id(&self) -> u32 {
        self.header().task_id
    }

    /// The capability of that name, if there is one of that type and nobody has taken it yet. What the C library uses
    /// itself (`reticle`, `tty`, `vfs` and their like) is not to be taken in a program that has it.
    pub fn take<C: Capability>(&self, name: &str) -> Option<C> {
        let (index, slot) = self.find(name, CAP)?;
        let handle = NonZeroU32::new(slot.value as u32)?;
        if slot.length != u32::from(C::TYPE) {
            return None;
        }
        let bit = 1 << (index % 32);
        let before = TAKEN[index / 32].fetch_or(bit, Ordering::Relaxed);
        if before & bit != 0 { None } else { Some(unsafe { C::from_handle(handle) }) }
    }

    /// The capability `name` + `part`.
    pub(crate) fn take_part<C: Capability>(&self, name: &str, part: &str) -> Option<C> {
        let mut whole = [0; NAME_MAX];
        whole.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        whole.get_mut(name.len()..name.len() + part.len())?.copy_from_slice(part.as_bytes());
        self.take(core::str::from_utf8(&whole[..name.len() + part.len()]).ok()?)
    }

    /// The number of that name.
    pub fn int(&self, name: &str) -> Option<u64> {
        self.find(name, INT).map(|(_, slot)| slot.value)
    }

    /// The bytes of that name.
    pub fn bytes(&self, name: &str) -> Option<&'static [u8]> {
        let (_, slot) = self.find(name, BYTES)?;
        Some(unsafe { core::slice::from_raw_parts((ADDRESS + slot.value as usize) as *const u8, slot.length as usize) })
    }

    /// The arguments, the program's name first.
    pub fn args(&self) -> impl Iterator<Item = &'static [u8]> {
        let all = self.bytes("argv").unwrap_or_default();
        all.strip_suffix(b"\0").unwrap_or(all).split(|byte| *byte == 0).take(if all.is_empty() { 0 } else { usize::MAX })
    }
}

fn name_of(name: &str) -> Result<[u8; NAME_MAX], Error> {
    let mut bytes = [0; NAME_MAX];
    if name.is_empty() || name.len() >= NAME_MAX || name.contains('\0') {
        return Err(Error::BadArgument);
    }
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytes)
}

/// What a child is to get: slots grow from the front, bytes from the back. What was given with [`Spec::give`] moves when the
/// child starts; if it does not start, it is dropped with the specification.
#[derive(Debug)]
pub struct Spec<const ROOM: usize = 4096> {
    buffer: Aligned<ROOM>,
    n_slots: usize,
    bytes_from: usize,
    given: [Option<AnyCap>; Spec::<0>::GIVEN_MAX],
}

#[derive(Debug)]
#[repr(C, align(16))]
struct Aligned<const ROOM: usize>([u8; ROOM]);

impl Spec<4096> {
    /// One of the usual size.
    pub fn new() -> Self {
        Self::with_room()
    }
}

impl Default for Spec<4096> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const ROOM: usize> Spec<ROOM> {
    /// So many capabilities can move in one specification; one more is [`Error::TooBig`].
    pub const GIVEN_MAX: usize = 16;

    /// One of ROOM bytes.
    pub fn with_room() -> Self {
        Self { buffer: Aligned([0; ROOM]), n_slots: 0, bytes_from: ROOM, given: [const { None }; Spec::<0>::GIVEN_MAX] }
    }

    fn slots_end(&self) -> usize {
        size_of::<Header>() + self.n_slots * size_of::<Slot>()
    }

    fn slot_at(&self, index: usize) -> &[u8] {
        let at = size_of::<Header>() + index * size_of::<Slot>();
        &self.buffer.0[at..at + size_of::<Slot>()]
    }

    /// Room for a further slot and so many bytes: everything that can be refused.
    fn room_for(&self, name: &str, bytes: usize) -> Result<[u8; NAME_MAX], Error> {
        let name = name_of(name)?;
        if (0..self.n_slots).any(|i| self.slot_at(i)[..NAME_MAX] == name) {
            return Err(Error::BadArgument);
        }
        let needed = self.slots_end().saturating_add(size_of::<Slot>()).saturating_add(bytes);
        if needed > self.bytes_from || self.n_slots == limits::BUNDLE_MAX_SLOTS {
            return Err(Error::TooBig);
        }
        Ok(name)
    }

    fn put(&mut self, slot: &Slot) {
        let at = self.slots_end();
        let bytes = unsafe { core::slice::from_raw_parts((slot as *const Slot).cast::<u8>(), size_of::<Slot>()) };
        self.buffer.0[at..at + size_of::<Slot>()].copy_from_slice(bytes);
        self.n_slots += 1;
    }

    /// A number. The kernel itself understands `memory`, `stack`, `capslots` and `band`.
    pub fn int(&mut self, name: &str, value: u64) -> Result<&mut Self, Error> {
        let name = self.room_for(name, 0)?;
        self.put(&Slot { name, kind: INT, moves: 0, rights: 0, length: 0, value });
        Ok(self)
    }

    /// Bytes. The kernel itself understands `name`.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<&mut Self, Error> {
        self.strings(name, &[bytes], false)
    }

    /// Arguments: their bytes, each with a NUL behind it.
    pub fn args(&mut self, args: &[&str]) -> Result<&mut Self, Error> {
        let mut bytes: [&[u8]; 64] = [&[]; 64];
        let bytes = bytes.get_mut(..args.len()).ok_or(Error::TooBig)?;
        bytes.iter_mut().zip(args).for_each(|(to, from)| *to = from.as_bytes());
        self.strings("argv", bytes, true)
    }

    fn strings(&mut self, name: &str, parts: &[&[u8]], ended: bool) -> Result<&mut Self, Error> {
        let length: usize = parts.iter().map(|part| part.len() + usize::from(ended)).sum();
        let name = self.room_for(name, length)?;
        self.bytes_from -= length;
        let mut at = self.bytes_from;
        for part in parts {
            self.buffer.0[at..at + part.len()].copy_from_slice(part);
            at += part.len() + usize::from(ended); // the byte between is 0
        }
        // Where the bytes are in the end, spawn() knows: until then it is counted from the end of the buffer.
        let value = (ROOM - self.bytes_from) as u64;
        self.put(&Slot { name, kind: BYTES, moves: 0, rights: 0, length: length as u32, value });
        Ok(self)
    }

    /// A further capability to the same object, with these rights.
    pub fn copy<C: Narrow>(&mut self, name: &str, cap: &C, rights: Rights) -> Result<&mut Self, Error> {
        let name = self.room_for(name, 0)?;
        self.put(&Slot { name, kind: CAP, moves: 0, rights: rights.0, length: 0, value: cap.handle().into() });
        Ok(self)
    }

    /// The capability itself, with these of its rights.
    pub fn give<C: Capability>(&mut self, name: &str, cap: C, rights: Rights) -> Result<&mut Self, Error> {
        let name = self.room_for(name, 0)?;
        let place = self.given.iter_mut().find(|place| place.is_none()).ok_or(Error::TooBig)?;
        let value = cap.handle().into();
        *place = Some(cap.into());
        self.put(&Slot { name, kind: CAP, moves: 1, rights: rights.0, length: 0, value });
        Ok(self)
    }

    /// Starts a Task from the image of a program. On an error nothing was made.
    pub fn spawn(mut self, image: &Mem) -> Result<Task, Error> {
        let (slots_end, tail) = (self.slots_end(), ROOM - self.bytes_from);
        let bytes = slots_end + tail;
        for i in 0..self.n_slots {
            let at = size_of::<Header>() + i * size_of::<Slot>();
            if self.buffer.0[at + 24] == BYTES {
                let from_end = u64::from_le_bytes(self.buffer.0[at + 32..at + 40].try_into().map_err(|_| Error::BadArgument)?);
                let place = bytes as u64 - from_end;
                self.buffer.0[at + 32..at + 40].copy_from_slice(&place.to_le_bytes());
            }
        }
        self.buffer.0.copy_within(self.bytes_from.., slots_end);
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            n_slots: self.n_slots as u16,
            bytes: bytes as u32,
            slots_at: size_of::<Header>() as u32,
            task_id: 0,
            band: 0,
            stack: [0; 2],
            image_base: 0,
            phdr_address: 0,
            phdr_count: 0,
            reserved: 0,
        };
        let head = unsafe { core::slice::from_raw_parts((&raw const header).cast::<u8>(), size_of::<Header>()) };
        self.buffer.0[..head.len()].copy_from_slice(head);
        let (task, _) = unsafe { raw::spawn(image.handle(), self.buffer.0.as_ptr(), bytes as u64) }?;
        unsafe { made(task) } // what was given is gone: dropping its old number does nothing
    }
}
