//! How the numbers of a state are packed into as few bits as they need.
//!
//! Numbers are given out in the order in which things are met, so they are small. Only where processes stand is
//! numbered over all processes together: each such column has codes of its own, given out in the order in which its
//! numbers are met in it. A column of which there is one value takes no bits.

/// Where a column of a state stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Column {
    word: u32,
    shift: u32,
    bits: u32,
}

impl Column {
    #[inline]
    fn read(self, key: &[u64]) -> u32 {
        (key[self.word as usize] >> self.shift) as u32 & mask(self.bits)
    }
}

/// The codes of a column.
#[derive(Debug, Default)]
struct Codes {
    /// By number, from the lowest on: its code and 1, or 0.
    given: Vec<u32>,
    lowest: u32,
    /// By code: its number.
    numbers: Vec<u32>,
}

impl Codes {
    #[inline]
    fn of(&self, number: u32) -> Option<u32> {
        let at = number.checked_sub(self.lowest)?;
        self.given.get(at as usize).and_then(|code| code.checked_sub(1))
    }

    /// Gives a code to a number that has none.
    fn give(&mut self, number: u32) -> u32 {
        if self.numbers.is_empty() {
            self.lowest = number;
        }
        let before = self.lowest.saturating_sub(number) as usize;
        self.lowest = self.lowest.min(number);
        self.given.splice(0..0, std::iter::repeat_n(0, before));
        let at = (number - self.lowest) as usize;
        if self.given.len() <= at {
            self.given.resize(at + 1, 0);
        }
        self.numbers.push(number);
        self.given[at] = self.numbers.len() as u32;
        self.numbers.len() as u32 - 1
    }
}

/// How states are packed.
#[derive(Debug)]
pub(crate) struct Layout {
    columns: Vec<Column>,
    /// Of the first columns.
    codes: Vec<Codes>,
    words: usize,
}

impl Layout {
    /// For states of that many numbers, the first of them coded.
    pub(crate) fn new(width: usize, coded: usize) -> Self {
        let codes = (0..coded.min(width)).map(|_| Codes::default()).collect();
        Self { columns: vec![Column::default(); width], codes, words: 1 }
    }

    /// Words a state takes.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.codes.iter().map(|codes| (codes.given.len() + codes.numbers.len()) * 4).sum()
    }

    /// Where the columns stand.
    pub(crate) fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }

    /// Reads a packed state.
    #[inline]
    pub(crate) fn unpack(&self, key: &[u64], row: &mut [u32]) {
        self.unpack_as(&self.columns, key, row);
    }

    /// Reads a state that was packed when the columns stood so.
    #[inline]
    pub(crate) fn unpack_as(&self, columns: &[Column], key: &[u64], row: &mut [u32]) {
        let (coded, plain) = columns.split_at(self.codes.len());
        for ((column, codes), place) in coded.iter().zip(&self.codes).zip(row.iter_mut()) {
            *place = codes.numbers[column.read(key) as usize];
        }
        for (column, place) in plain.iter().zip(row.iter_mut().skip(coded.len())) {
            *place = column.read(key);
        }
    }

    /// Packs a state. False where it does not fit.
    #[inline]
    pub(crate) fn pack(&self, row: &[u32], key: &mut [u64]) -> bool {
        key.fill(0);
        let (coded, plain) = self.columns.split_at(self.codes.len());
        for ((column, codes), number) in coded.iter().zip(&self.codes).zip(row) {
            let Some(code) = codes.of(*number) else { return false };
            key[column.word as usize] |= u64::from(code) << column.shift;
        }
        for (column, number) in plain.iter().zip(&row[coded.len()..]) {
            if *number > mask(column.bits) {
                return false;
            }
            key[column.word as usize] |= u64::from(*number) << column.shift;
        }
        true
    }

    /// Changes one number of a packed state. False where it does not fit.
    #[inline]
    pub(crate) fn patch(&self, key: &mut [u64], column: usize, number: u32) -> bool {
        let Column { word, shift, bits } = self.columns[column];
        let mask = mask(bits);
        let code = match self.codes.get(column) {
            Some(codes) => codes.of(number),
            None => Some(number).filter(|number| *number <= mask),
        };
        let Some(code) = code else { return false };
        let word = &mut key[word as usize];
        *word = *word & !(u64::from(mask) << shift) | u64::from(code) << shift;
        true
    }

    /// Makes a state fit. Whether columns stand elsewhere then.
    pub(crate) fn admit(&mut self, row: &[u32]) -> bool {
        let mut wider = false;
        for (place, (column, number)) in self.columns.iter_mut().zip(row).enumerate() {
            let mut code = *number;
            if let Some(codes) = self.codes.get_mut(place) {
                code = codes.of(*number).unwrap_or_else(|| codes.give(*number));
            }
            let bits = 32 - code.leading_zeros();
            if bits > column.bits {
                column.bits = bits;
                wider = true;
            }
        }
        if wider {
            self.lay_out();
        }
        wider
    }

    /// Gives every column a bit to spare: a coded one twice the codes that it has.
    pub(crate) fn widen(&mut self) {
        for (place, column) in self.columns.iter_mut().enumerate() {
            let bits = match self.codes.get(place) {
                Some(codes) => 33 - (codes.numbers.len() as u32).saturating_sub(1).leading_zeros(),
                None => column.bits + 1,
            };
            column.bits = column.bits.max(bits.min(32));
        }
        self.lay_out();
    }

    fn lay_out(&mut self) {
        let (mut word, mut shift) = (0, 0);
        for column in &mut self.columns {
            if column.bits == 0 {
                continue;
            }
            if shift + column.bits > 64 {
                (word, shift) = (word + 1, 0);
            }
            (column.word, column.shift) = (word, shift);
            shift += column.bits;
        }
        self.words = word as usize + 1;
    }
}

fn mask(bits: u32) -> u32 {
    if bits >= 32 { u32::MAX } else { (1 << bits) - 1 }
}
