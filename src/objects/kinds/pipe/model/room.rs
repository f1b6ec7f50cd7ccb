//! How much fits into a pipe or a pair of sockets, and what of it a write takes.
//!
//! A pipe is a ring of slots of one page each. A socket has a send buffer of that many bytes: a write goes in as long
//! as less than that is used, whatever it takes itself, and takes what the kernel allocates for it. That is counted
//! here as Linux 6 does it with pages of 4 KiB; other versions differ by some messages.

use crate::objects::kinds::pipe::message::HEADER;
use crate::objects::kinds::pipe::{Framing, Pipe, SOCKET_PACKET};
use crate::os::pipe::{PACKET, page};

/// The slots of a pipe for which no capacity is asked.
pub(crate) const SLOTS: u64 = 16;
/// The send buffer of a socket for which none is asked: what net.core.wmem_default is by default.
const BUFFER: u64 = 212_992;
/// The least send buffer that the kernel gives.
const LEAST_BUFFER: u64 = 4608;

/// What the kernel adds to a block of bytes behind it, and what it counts for the block's description.
const TAIL: u64 = 320;
const DESCRIPTION: u64 = 256;
/// How much of a packet, and of a piece of a stream, stands in one block before pages are used.
const PACKET_BLOCK: u64 = 16_384 - TAIL;
const PIECE_BLOCK: u64 = 4096 - TAIL;
/// The most that stands in the pages of a piece of a stream.
const PIECE_PAGES: u64 = 32_768;
const PAGE: u64 = 4096;

/// The room of one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Slots, or bytes of a send buffer.
    pub(super) limit: u64,
    pub(super) sockets: bool,
}

impl Room {
    pub(super) fn new(pipe: &Pipe) -> Self {
        let limit = match (pipe.duplex, pipe.framing, pipe.capacity) {
            (true, _, asked) => asked.map_or(BUFFER, |bytes| (2 * bytes).max(LEAST_BUFFER)),
            (false, _, None) => SLOTS,
            (false, Framing::Message, Some(packets)) => packets,
            (false, Framing::Bytes, Some(bytes)) => Self::slots(bytes),
        };
        Self { limit, sockets: pipe.duplex }
    }

    /// The slots of a pipe that has room for that many bytes.
    pub(super) fn slots(bytes: u64) -> u64 {
        (bytes / page()).max(1)
    }

    /// The bytes that a pipe of that many slots has room for.
    pub(super) fn bytes(self) -> u64 {
        self.limit * page()
    }

    /// How many bytes of a message go into one packet.
    pub(super) fn content(self) -> u64 {
        let packet = if self.sockets { SOCKET_PACKET.min((self.limit / 4) as usize) } else { PACKET };
        (packet - HEADER) as u64
    }

    /// What a packet of that many bytes takes.
    pub(super) fn packet(self, length: u64) -> u64 {
        if self.sockets { allocated(length.min(PACKET_BLOCK), length.saturating_sub(PACKET_BLOCK)) } else { 1 }
    }

    /// How many of that many bytes go into the next piece of a stream.
    pub(super) fn piece(self, length: usize) -> usize {
        let most = if self.sockets { (self.limit / 2 - 64).min(PIECE_BLOCK + PIECE_PAGES) } else { page() };
        length.min(most as usize)
    }

    /// What a piece of that many bytes takes.
    pub(super) fn cost(self, length: usize) -> u64 {
        let length = length as u64;
        let paged = length.min(length.saturating_sub(PIECE_BLOCK).next_multiple_of(PAGE));
        if self.sockets { allocated(length - paged, paged) } else { 1 }
    }
}

/// What the kernel counts for that many bytes in one block and the rest in pages.
fn allocated(block: u64, paged: u64) -> u64 {
    (block + TAIL).next_power_of_two().max(512) + DESCRIPTION + paged.next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_is_in_powers_of_two_and_pages() {
        let room = Room { limit: BUFFER, sockets: true };
        for (length, packet, piece) in [
            (17, 768, 768),
            (300, 1280, 1280),
            (1000, 2304, 2304),
            (2000, 4352, 4352),
            (4000, 8448, 4864),
            (8000, 16_640, 8960),
            (20_000, 20_736, 20_736),
            (30_000, 33_024, 30_000 / PAGE * PAGE + 2304),
        ] {
            assert_eq!((room.packet(length), room.cost(length as usize)), (packet, piece), "{length}");
        }
        assert_eq!(Room { limit: 16, sockets: false }.packet(4096), 1);
    }
}
