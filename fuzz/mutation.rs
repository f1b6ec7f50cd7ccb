//! How an input becomes another one: by bytes, by words and lines, by words of the formats, by a piece of a second input.

/// The words that the formats know, and values at the edges of their ranges.
const WORDS: &str = include_str!("words.txt");

/// The longest input.
pub(crate) const LONGEST: usize = 1 << 15;

/// Pseudo-random numbers, the same for the same seed: xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) as usize % bound
    }
}

/// Makes a new input from one of the corpus, in `out`.
pub(crate) fn mutate(corpus: &[Vec<u8>], random: &mut Random, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&corpus[random.below(corpus.len())]);
    for _ in 0..=random.below(4) {
        match random.below(10) {
            0..3 => byte(out, random),
            3 => splice(out, &corpus[random.below(corpus.len())], random),
            4 | 5 => line(out, random),
            _ => word(out, random),
        }
    }
    out.truncate(LONGEST);
}

fn byte(text: &mut Vec<u8>, random: &mut Random) {
    if text.is_empty() {
        text.push(random.below(256) as u8);
        return;
    }
    let at = random.below(text.len());
    match random.below(4) {
        0 => text[at] ^= 1 << random.below(8),
        1 => text[at] = random.below(256) as u8,
        2 => text.insert(at, random.below(256) as u8),
        _ => {
            text.remove(at);
        }
    }
}

/// Puts a piece of another input where a piece of this one was.
fn splice(text: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let (from, to) = range(text.len(), random);
    let (begin, end) = range(other.len(), random);
    text.splice(from..to, other[begin..end].iter().copied());
}

fn range(length: usize, random: &mut Random) -> (usize, usize) {
    let from = random.below(length + 1);
    (from, (from + random.below(256)).min(length))
}

/// Leaves out a line, moves it or doubles it.
fn line(text: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let (first, second) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(3) {
        0 => {
            lines.remove(first);
        }
        1 => lines.swap(first, second),
        _ => lines.insert(first, lines[second]),
    }
    *text = lines.join(&b'\n');
}

/// Replaces a word, puts one in, or leaves some out.
fn word(text: &mut Vec<u8>, random: &mut Random) {
    let spans = words(text);
    if spans.is_empty() {
        return;
    }
    let (from, to) = spans[random.below(spans.len())];
    let known: Vec<&str> = WORDS.lines().collect();
    let known = known[random.below(known.len())].as_bytes();
    match random.below(4) {
        0 => drop(text.splice(from..to, known.iter().copied())),
        1 => drop(text.splice(from..from, known.iter().copied())),
        2 => {
            let (begin, end) = spans[random.below(spans.len())];
            let copied = text[begin..end].to_vec();
            text.splice(from..to, copied);
        }
        _ => {
            let last = spans.iter().filter(|span| span.0 >= from).nth(random.below(8));
            text.drain(from..last.map_or(to, |last| last.1));
        }
    }
}

/// Where words begin and end: runs of letters and digits, and single other bytes.
fn words(text: &[u8]) -> Vec<(usize, usize)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match spans.last_mut() {
            Some(span) if span.1 == at && is_word(*byte) && is_word(text[at - 1]) => span.1 = at + 1,
            _ => spans.push((at, at + 1)),
        }
    }
    spans
}
