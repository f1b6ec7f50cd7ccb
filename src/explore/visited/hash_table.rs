//! A table from packed states to their numbers: open addressing in regions, each of which ends where it begins again,
//! so that several threads can each have some of them.
//!
//! A slot holds the number of a state and 1, and in the bits that are left above it a part of the state's hash, so that
//! another state is mostly distinguished without comparing it; or 0.

use crate::explore::base::workers;
use crate::os::prefetch;

const LEAST: usize = 1 << 10;
/// Regions there are at most, and slots that each has at least.
const REGIONS: usize = 64;
const REGION: usize = 1 << 10;

/// How a table of a certain size is addressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    size: usize,
    /// Slots of a region.
    region: usize,
    /// By how much a hash is shifted to give its region's number.
    shift: u32,
    /// Bits that a number takes.
    bits: u32,
}

impl Shape {
    fn new(size: usize) -> Self {
        let mut regions = 1;
        while regions < REGIONS && size / (regions * 2) >= REGION {
            regions *= 2;
        }
        let bits = usize::BITS - size.leading_zeros();
        Self { size, region: size / regions, shift: 64 - regions.trailing_zeros(), bits: bits.min(32) }
    }

    fn regions(self) -> usize {
        self.size / self.region
    }

    /// The region of a state.
    #[inline]
    fn region(self, hash: u64) -> usize {
        // There is no shift by all bits.
        if self.shift == 64 { 0 } else { (hash >> self.shift) as usize }
    }

    /// Where a state would stand, were there no others.
    #[inline]
    fn home(self, hash: u64) -> usize {
        ((u128::from(hash) * self.size as u128) >> 64) as usize
    }

    /// What a slot holds for a state.
    #[inline]
    fn entry(self, hash: u64, number: u32) -> u32 {
        self.tag(hash) | (number + 1)
    }

    #[inline]
    fn tag(self, hash: u64) -> u32 {
        ((hash & 0xffff_ffff) << self.bits) as u32
    }

    /// The number in a slot that is not empty.
    #[inline]
    fn number(self, entry: u32) -> u32 {
        (entry & self.mask()) - 1
    }

    #[inline]
    fn mask(self) -> u32 {
        ((1u64 << self.bits) - 1) as u32
    }
}

/// How regions are dealt out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Deal {
    shift: u32,
    /// Regions of a part.
    each: usize,
    /// How many parts there are.
    pub(crate) parts: usize,
    /// By region: its part.
    of: [u8; REGIONS],
}

impl Deal {
    fn new(shape: Shape, count: usize) -> Self {
        let each = shape.regions().div_ceil(count.max(1));
        let of = std::array::from_fn(|region| (region / each) as u8);
        Self { shift: shape.shift, each, parts: shape.regions().div_ceil(each), of }
    }

    /// The part that a state belongs to.
    #[inline]
    pub(crate) fn part(self, hash: u64) -> usize {
        if self.parts == 1 { 0 } else { self.of[(hash >> self.shift) as usize % REGIONS].into() }
    }
}

/// What was found for a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    Known(u32),
    /// The slot in which it would stand.
    Empty(usize),
    /// There is no room for it.
    Full,
}

/// Some of a table's regions, all in a row.
pub(crate) struct Part<'t> {
    shape: Shape,
    slots: &'t mut [u32],
    /// The place of the first slot in the table.
    first: usize,
}

impl Part<'_> {
    /// Looks for a state; `same` says whether it is the one of that number.
    #[inline]
    pub(crate) fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Found {
        find(self.shape, self.slots, self.first, self.shape.home(hash), hash, same)
    }

    /// The number in the first slot of the probe sequence that may be the state.
    #[inline]
    pub(crate) fn likely(&self, hash: u64) -> Option<u32> {
        match self.find(hash, |_| true) {
            Found::Known(number) => Some(number),
            _ => None,
        }
    }

    /// Enters a state into the slot that was found for it.
    #[inline]
    pub(crate) fn enter(&mut self, slot: usize, hash: u64, number: u32) {
        self.slots[slot - self.first] = self.shape.entry(hash, number);
    }

    /// Gives a state that was entered another number.
    pub(crate) fn renumber(&mut self, slot: usize, number: u32) {
        let entry = &mut self.slots[slot - self.first];
        *entry = *entry & !self.shape.mask() | (number + 1);
    }

    /// Fetches the slot from which on a state is looked for.
    #[inline]
    pub(crate) fn expect(&self, hash: u64) {
        prefetch::read(self.slots, self.shape.home(hash) - self.first);
    }

    /// Takes out what was entered last of all.
    pub(crate) fn clear(&mut self, slot: usize) {
        self.slots[slot - self.first] = 0;
    }

    /// Enters a state that is not there. Whether there was room for it.
    fn place(&mut self, hash: u64, number: u32) -> bool {
        match self.find(hash, |_| false) {
            Found::Empty(slot) => {
                self.enter(slot, hash, number);
                true
            }
            _ => false,
        }
    }
}

#[inline]
fn find(shape: Shape, slots: &[u32], first: usize, from: usize, hash: u64, same: impl Fn(u32) -> bool) -> Found {
    let (tag, above) = (shape.tag(hash), !shape.mask());
    let region = shape.region(hash) * shape.region;
    let mut slot = from;
    loop {
        let entry = slots[slot - first];
        if entry == 0 {
            return Found::Empty(slot);
        }
        if entry & above == tag {
            let number = shape.number(entry);
            if same(number) {
                return Found::Known(number);
            }
        }
        slot += 1;
        if slot == region + shape.region {
            slot = region;
        }
        if slot == from {
            return Found::Full;
        }
    }
}

pub(crate) struct Table {
    shape: Shape,
    slots: Vec<u32>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { shape: Shape::new(LEAST), slots: vec![0; LEAST] }
    }

    /// The bytes that it needs for that many states. It has more only where it was about to grow.
    pub(crate) fn bytes(count: usize) -> usize {
        let mut size = LEAST;
        while is_full(size, count) {
            size = larger(size);
        }
        size * 4
    }

    /// Whether it is to grow before it holds that many.
    #[inline]
    pub(crate) fn is_full(&self, count: usize) -> bool {
        is_full(self.slots.len(), count)
    }

    /// Its slots, to fetch what stands there.
    #[inline]
    pub(crate) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Where a state would stand, were there no others.
    #[inline]
    pub(crate) fn home(&self, hash: u64) -> usize {
        self.shape.home(hash)
    }

    /// The number in the first slot of the probe sequence that may be the state.
    #[inline]
    pub(crate) fn likely(&self, hash: u64) -> Option<u32> {
        match find(self.shape, &self.slots, 0, self.shape.home(hash), hash, |_| true) {
            Found::Known(number) => Some(number),
            _ => None,
        }
    }

    /// Looks for a state; `same` says whether it is the one of that number.
    #[inline]
    pub(crate) fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Found {
        find(self.shape, &self.slots, 0, self.shape.home(hash), hash, same)
    }

    /// Enters a state into the slot that was found for it.
    #[inline]
    pub(crate) fn enter(&mut self, slot: usize, hash: u64, number: u32) {
        self.slots[slot] = self.shape.entry(hash, number);
    }

    /// How its regions are dealt out into that many parts, or fewer.
    pub(crate) fn deal(&self, count: usize) -> Deal {
        Deal::new(self.shape, count)
    }

    /// Its regions, dealt out so.
    pub(crate) fn parts(&mut self, deal: Deal) -> Vec<Part<'_>> {
        let shape = self.shape;
        let size = deal.each * shape.region;
        let parts = self.slots.chunks_mut(size).enumerate();
        parts.map(|(place, slots)| Part { shape, slots, first: place * size }).collect()
    }

    /// Empties it, and makes it larger or not. What it held is given up first, since both together are too much.
    fn clear(&mut self, size: usize) {
        self.slots = Vec::new();
        self.slots = vec![0; size];
        self.shape = Shape::new(size);
    }

    /// Enters all states anew, `larger` into more slots, by that many threads. `hash` gives those of some states in a
    /// row.
    pub(crate) fn fill(
        &mut self,
        grow: bool,
        count: usize,
        threads: usize,
        hash: impl Fn(std::ops::Range<usize>, &mut Vec<u64>) + Sync,
    ) {
        const SOME: usize = 256;
        let mut size = self.slots.len();
        let mut grow = grow;
        loop {
            if grow {
                size = larger(size);
            }
            self.clear(size);
            let deal = self.deal(threads);
            let mut parts: Vec<_> = self.parts(deal).into_iter().enumerate().map(|part| (part, true)).collect();
            workers::together(&mut parts, |((at, part), fits)| {
                let mut hashes = Vec::new();
                let mut own = vec![(0, 0); SOME];
                for first in (0..count).step_by(SOME) {
                    let some = first..(first + SOME).min(count);
                    hash(some.clone(), &mut hashes);
                    let mut count = 0;
                    for (hash, number) in hashes.iter().zip(some) {
                        own[count] = (*hash, number as u32);
                        count += usize::from(deal.part(*hash) == *at);
                    }
                    for (hash, _) in &own[..count] {
                        part.expect(*hash);
                    }
                    for (hash, number) in &own[..count] {
                        *fits &= part.place(*hash, *number);
                    }
                }
            });
            grow = parts.iter().any(|(_, fits)| !fits);
            if !grow {
                return;
            }
        }
    }
}

/// Whether a table of that size is to grow before it holds that many.
#[inline]
fn is_full(size: usize, count: usize) -> bool {
    count * 5 > size * 4
}

fn larger(size: usize) -> usize {
    (size + size / 2).next_multiple_of(REGIONS)
}
