//! What was found out about tokens, so that a token that comes again costs little.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A map that holds at most twice a number of entries. Entries that are not asked for go first.
pub(super) struct Cache<K, V> {
    half: usize,
    halves: Mutex<Halves<K, V>>,
}

struct Halves<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash + Copy, V: Clone> Cache<K, V> {
    /// Holds at most twice this many entries.
    pub(super) fn of(half: usize) -> Self {
        let halves = Mutex::new(Halves {
            young: HashMap::new(),
            old: HashMap::new(),
        });
        Self { half, halves }
    }

    /// What is known under a key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = halves.young.get(key) {
            return Some(value.clone());
        }
        let value = halves.old.remove(key)?;
        halves.put(self.half, *key, value.clone());
        Some(value)
    }

    /// Remembers something under a key.
    pub(super) fn put(&self, key: K, value: V) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.put(self.half, key, value);
    }

    /// Forgets what is known under a key.
    pub(super) fn remove(&self, key: &K) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.remove(key);
        halves.old.remove(key);
    }
}

impl<K: Eq + Hash, V> Halves<K, V> {
    fn put(&mut self, half: usize, key: K, value: V) {
        if self.young.len() >= half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_no_more_than_it_may_and_keeps_what_is_asked_for() {
        let cache = Cache::of(10);
        for number in 0..1_000 {
            cache.put(number, number);
            assert!(
                number < 5 || cache.get(&5) == (number >= 5).then_some(5),
                "{number}"
            );
        }
        let left = (0..1_000).filter(|number| cache.get(number).is_some());
        assert!(left.count() <= 20);
        let halves = cache.halves.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= 20);
    }
}
