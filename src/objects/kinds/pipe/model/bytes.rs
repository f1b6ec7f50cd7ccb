//! One way of a pipe that carries bytes.
//!
//! A pipe's bytes lie in pages. What a write(2) has over whole pages goes behind the last page's bytes where it fits
//! there, and each other part into a page of its own: so a write of up to a page is whole or not at all. The bytes of a
//! pair of sockets lie in the pieces in which they were written.

use std::collections::VecDeque;

use super::room::Room;

/// The bytes under way.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) room: Room,
    pieces: VecDeque<Piece>,
    /// Bytes that went in and that came out.
    pub(super) sent: u64,
    pub(super) received: u64,
}

#[derive(Clone)]
struct Piece {
    bytes: Vec<u8>,
    /// What it takes of the room, all of it until its last byte is taken.
    cost: u64,
    /// How many bytes fit behind it.
    behind: usize,
}

impl Line {
    pub(super) fn new(room: Room) -> Self {
        Self { room, pieces: VecDeque::new(), sent: 0, received: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Writes as much as there is room for, and gives how much that is. `anew` where a call begins: one that continues
    /// does not look again whether its bytes fit behind the last.
    pub(super) fn write(&mut self, data: &[u8], anew: bool) -> usize {
        let mut gone = 0;
        if anew && !self.room.sockets {
            let over = data.len() % self.room.piece(usize::MAX);
            if let Some(last) = self.pieces.back_mut().filter(|last| over > 0 && over <= last.behind) {
                last.bytes.extend(&data[..over]);
                last.behind -= over;
                gone = over;
            }
        }
        let mut used = self.used();
        while gone < data.len() && used < self.room.limit {
            let length = self.room.piece(data.len() - gone);
            let behind = if self.room.sockets { 0 } else { self.room.piece(usize::MAX) - length };
            let piece = Piece { bytes: data[gone..gone + length].to_vec(), cost: self.room.cost(length), behind };
            used += piece.cost;
            gone += length;
            self.pieces.push_back(piece);
        }
        self.sent += gone as u64;
        gone
    }

    /// How much of the room is used.
    pub(super) fn used(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.cost).sum()
    }

    /// Takes at most that many bytes.
    pub(super) fn read(&mut self, max: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some(first) = self.pieces.front_mut().filter(|_| taken.len() < max) {
            let length = first.bytes.len().min(max - taken.len());
            taken.extend(first.bytes.drain(..length));
            if first.bytes.is_empty() {
                self.pieces.pop_front();
            }
        }
        self.received += taken.len() as u64;
        taken
    }

    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.pieces.iter().flat_map(|piece| piece.bytes.iter().copied())
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
    }

    pub(super) fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.room.limit.to_le_bytes());
        key.extend((self.pieces.len() as u32).to_le_bytes());
        for piece in &self.pieces {
            key.extend((piece.bytes.len() as u32).to_le_bytes());
            key.extend((piece.behind as u32).to_le_bytes());
            key.extend((piece.cost as u32).to_le_bytes());
            key.extend(&piece.bytes);
        }
    }
}
