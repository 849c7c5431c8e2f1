//! Mutations of examples, deterministic for a seed.

use std::{fs, path::Path};

use fastrand::Rng;

/// Examples, and inputs derived from them.
pub(crate) struct Mutator {
    corpus: Vec<Vec<u8>>,
    rng: Rng,
}

/// Bytes that often change the meaning of a length, a tag or a number.
const BYTES: [u8; 16] =
    [0, 1, 2, 0x0c, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff, b':', b'"', b'{', b'/', b'='];

/// Maximum length of an input.
const MAX_LEN: usize = 20_000;

impl Mutator {
    /// The files of a folder as examples, sorted by name.
    ///
    /// # Panics
    /// The folder has no files.
    pub(crate) fn new(folder: &Path, seed: u64) -> Self {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        let corpus: Vec<_> = paths.iter().map(|path| fs::read(path).expect("a file")).collect();
        assert!(!corpus.is_empty(), "{folder:?} is empty");
        Self { corpus, rng: Rng::with_seed(seed) }
    }

    /// The examples as they are.
    pub(crate) fn corpus(&self) -> &[Vec<u8>] {
        &self.corpus
    }

    /// The next mutated input.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.example();
        for _ in 0..=self.rng.usize(..4) {
            self.mutate(&mut input);
        }
        input.truncate(MAX_LEN);
        input
    }

    fn example(&mut self) -> Vec<u8> {
        self.corpus[self.rng.usize(..self.corpus.len())].clone()
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let place = self.rng.usize(..=input.len());
        let end = (place + self.rng.usize(1..=16)).min(input.len());
        match self.rng.u32(..10) {
            0 if place < input.len() => input[place] ^= 1 << self.rng.u32(..8),
            1 if place < input.len() => input[place] = BYTES[self.rng.usize(..BYTES.len())],
            2 if place < input.len() => input[place] = self.rng.u8(..),
            3 => input.insert(place, BYTES[self.rng.usize(..BYTES.len())]),
            4 => drop(input.drain(place..end)),
            5 => input.truncate(place),
            6 => {
                let piece = input[place..end].to_vec();
                for _ in 0..self.rng.usize(1..40) {
                    input.splice(place..place, piece.iter().copied());
                }
            }
            7 => {
                let other = self.example();
                let from = self.rng.usize(..=other.len());
                let to = (from + self.rng.usize(..64)).min(other.len());
                input.splice(place..end, other[from..to].iter().copied());
            }
            8 => input.splice(place..place, "\u{202e}é\0".bytes()).for_each(drop),
            _ => {
                let other = self.example();
                input.truncate(place);
                input.extend_from_slice(&other[self.rng.usize(..=other.len())..]);
            }
        }
    }
}
