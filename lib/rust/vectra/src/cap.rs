// SPDX-License-Identifier: MIT
//! Capabilities. Each is a handle with one owner; it leaves the Task's table when it is dropped.
use crate::abi::{raw, Error};
use core::fmt;
use core::num::NonZeroU32;

/// What a capability allows.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(pub(crate) u16);

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// All that the producer's end of a Ring can have.
    pub const OF_TX: Self = Self(Self::SEND.0 | Self::SIGNAL.0 | Self::MOVE.0 | Self::INSPECT.0);
    /// All that the consumer's end of a Ring can have.
    pub const OF_RX: Self =
        Self(Self::RECV.0 | Self::SIGNAL.0 | Self::BIND.0 | Self::WAIT.0 | Self::MOVE.0 | Self::INSPECT.0);

    /// True when all of the other's are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl core::ops::BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for (bit, name) in Self::NAMES.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                list.entry(&format_args!("{name}"));
            }
        }
        list.finish()
    }
}

/// What [`Capability::inspect`] tells; what `facts` mean depends on the type (abi/types.h).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Facts {
    handle: u32,
    kind: u8,
    destroyed: u8,
    rights: u16,
    /// Equal for two capabilities to the same object. A number for people, no authority.
    pub object_id: u32,
    /// Capabilities derived directly from this one.
    pub children: u32,
    /// By type.
    pub facts: [u64; 4],
    parent: u32,
    reserved: u32,
    reserved2: u64,
}
const _: () = assert!(size_of::<Facts>() == 64);

impl Facts {
    /// What it allows.
    pub fn rights(&self) -> Rights {
        Rights(self.rights)
    }
    /// True when the object is gone and the capability a tombstone.
    pub fn is_destroyed(&self) -> bool {
        self.destroyed != 0
    }
}

pub(crate) fn inspect(handle: u32) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    unsafe { raw::cap_inspect(handle, &raw mut facts) }?;
    Ok(facts)
}

/// Any capability. Those of this crate are all there are.
pub trait Capability: Sized + Into<AnyCap> + sealed::Sealed {
    /// The number of its type (abi/cap.def).
    const TYPE: u8;

    /// The number by which calls name it. It stays this value's.
    fn handle(&self) -> u32;
    /// The number alone: nobody drops the capability any more.
    fn into_handle(self) -> u32;
    /// The capability that a number names.
    ///
    /// # Safety
    /// It must be of this type, and nobody else's to use or to drop.
    unsafe fn from_handle(handle: NonZeroU32) -> Self;

    /// What it is and allows.
    fn inspect(&self) -> Result<Facts, Error> {
        inspect(self.handle())
    }
    /// Takes back everything that was derived from it, in every Task; how many there were.
    fn revoke(&self) -> Result<u64, Error> {
        unsafe { raw::cap_revoke(self.handle()) }.map(|(count, _)| count)
    }
    /// Ends the object itself; every other capability to it is a tombstone from then on.
    fn destroy(self) -> Result<(), Error> {
        unsafe { raw::destroy(self.handle()) }.map(|_| ())
    }
}

/// A capability of which a weaker one can be made: any but the ends of a Ring, which are one each.
pub trait Narrow: Capability {
    /// A further capability to the same object, with these of its rights.
    fn narrow(&self, rights: Rights) -> Result<Self, Error> {
        self.narrow_range(rights, 0, 0)
    }
    /// The same for a part of what it names: bytes of memory or registers, interrupt lines. Length 0: the rest.
    fn narrow_range(&self, rights: Rights, offset: u64, length: u64) -> Result<Self, Error> {
        let (handle, _) = unsafe { raw::cap_narrow(self.handle(), u32::from(rights.0), offset, length) }?;
        let handle = NonZeroU32::new(handle as u32).ok_or(Error::BadHandle)?;
        Ok(unsafe { Self::from_handle(handle) })
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A capability whose type is not known, as it comes with a message.
#[derive(Debug)]
#[must_use = "what is not kept is dropped"]
pub struct AnyCap(NonZeroU32);

impl AnyCap {
    pub(crate) unsafe fn from_result(handle: u64) -> Option<Self> {
        NonZeroU32::new(handle as u32).map(Self)
    }
    /// The number alone: nobody drops the capability any more.
    pub fn into_handle(self) -> u32 {
        let handle = self.0.get();
        core::mem::forget(self);
        handle
    }
    /// The number by which calls name it.
    pub fn handle(&self) -> u32 {
        self.0.get()
    }
    /// As what it is, or unchanged when it is something else.
    pub fn downcast<C: Capability>(self) -> Result<C, Self> {
        match inspect(self.0.get()) {
            Ok(facts) if facts.kind == C::TYPE => {
                let handle = self.0;
                core::mem::forget(self);
                Ok(unsafe { C::from_handle(handle) })
            }
            _ => Err(self),
        }
    }
}

impl Drop for AnyCap {
    fn drop(&mut self) {
        // BAD_HANDLE: it was moved into a child, or has travelled with a message.
        let _ = unsafe { raw::cap_drop(self.0.get()) };
    }
}

/// A type for each row of abi/cap.def.
macro_rules! capabilities {
    ($($text:literal $name:ident = $number:literal;)*) => {$(
        #[doc = $text]
        #[derive(Debug)]
        #[must_use = "what is not kept is dropped"]
        pub struct $name(crate::cap::AnyCap);

        impl crate::cap::sealed::Sealed for $name {}
        impl crate::cap::Capability for $name {
            const TYPE: u8 = $number;
            fn handle(&self) -> u32 {
                self.0.handle()
            }
            fn into_handle(self) -> u32 {
                self.0.into_handle()
            }
            unsafe fn from_handle(handle: core::num::NonZeroU32) -> Self {
                Self(unsafe { crate::cap::AnyCap::owning(handle) })
            }
        }
        impl From<$name> for crate::cap::AnyCap {
            fn from(cap: $name) -> Self {
                cap.0
            }
        }
    )*};
}
pub(crate) use capabilities;

impl AnyCap {
    pub(crate) unsafe fn owning(handle: NonZeroU32) -> Self {
        Self(handle)
    }
}

/// A typed capability of a result register.
///
/// # Safety
/// The kernel has just made it, of that type, for the caller.
pub(crate) unsafe fn made<C: Capability>(handle: u64) -> Result<C, Error> {
    let handle = NonZeroU32::new(handle as u32).ok_or(Error::BadHandle)?;
    Ok(unsafe { C::from_handle(handle) })
}

/// The number of an optional capability; 0 is "mine", or none.
pub(crate) fn number<C: Capability>(cap: Option<&C>) -> u32 {
    cap.map_or(0, C::handle)
}

macro_rules! narrows {
    ($($name:ident)*) => { $(impl Narrow for crate::abi::$name {})* };
}
narrows!(Task Reticle Mem Sem Surface Device Irq Console Entropy);

impl crate::abi::Reticle {
    /// Splits off a Reticle of that many bytes, rounded up to a power of two; it comes back when its last capability goes.
    pub fn carve(payer: Option<&Self>, bytes: u64) -> Result<Self, Error> {
        unsafe { made(raw::reticle_carve(number(payer), bytes)?.0) }
    }
    /// (total, free) bytes.
    pub fn bytes(&self) -> Result<(u64, u64), Error> {
        self.inspect().map(|told| (told.facts[0], told.facts[1]))
    }
}

impl crate::abi::Console {
    /// Writes some of the bytes to the serial line, unchanged; how many.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Error> {
        let bytes = &bytes[..bytes.len().min(crate::limits::CONSOLE_WRITE_MAX)];
        unsafe { raw::console_write(self.handle(), bytes.as_ptr(), bytes.len() as u64) }.map(|(n, _)| n as usize)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
impl core::error::Error for Error {}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind as Kind;
        let kind = match error {
            Error::NoRights => Kind::PermissionDenied,
            Error::NotFound => Kind::NotFound,
            Error::WouldBlock => Kind::WouldBlock,
            Error::TimedOut => Kind::TimedOut,
            Error::Interrupted => Kind::Interrupted,
            Error::PeerClosed => Kind::BrokenPipe,
            Error::NoMemory => Kind::OutOfMemory,
            Error::BadArgument => Kind::InvalidInput,
            Error::NotSupported => Kind::Unsupported,
            Error::Exists => Kind::AlreadyExists,
            _ => Kind::Other,
        };
        Self::new(kind, error)
    }
}
