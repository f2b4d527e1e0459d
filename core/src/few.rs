//! A set of few elements.

use std::collections::BTreeSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// A set of few elements, in order and each once. A ledger holds such sets for each person, so one
/// takes no more memory than its elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeSet<T>", bound(deserialize = "T: Deserialize<'de> + Ord"))]
pub struct Few<T>(Box<[T]>);

impl<T> Few<T> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord + Clone> Few<T> {
    /// Adds an element in place of those for which `replaced` holds.
    pub(crate) fn replace(&mut self, replaced: impl Fn(&T) -> bool, with: T) {
        let others = self.0.iter().filter(|it| !replaced(it)).cloned();
        *self = others.chain([with]).collect();
    }

    /// Removes the elements for which `removed` holds.
    pub(crate) fn remove_all(&mut self, removed: impl Fn(&T) -> bool) {
        *self = self.0.iter().filter(|it| !removed(it)).cloned().collect();
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Ord> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self::from(BTreeSet::from_iter(elements))
    }
}

impl<T> From<BTreeSet<T>> for Few<T> {
    fn from(elements: BTreeSet<T>) -> Self {
        Self(elements.into_iter().collect())
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_in_order_and_has_each_element_once() {
        let few: Few<_> = [3, 1, 2, 3].into_iter().collect();
        assert_eq!(&*few, [1, 2, 3]);
        let read: Few<u8> = serde_json::from_str("[2,1,2]").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "[1,2]");
    }

    #[test]
    fn an_element_takes_the_place_of_others_or_they_go() {
        let mut few: Few<_> = [1, 2, 3].into_iter().collect();
        few.replace(|it| *it == 1, 9);
        assert_eq!(&*few, [2, 3, 9]);
        few.remove_all(|it| *it > 2);
        assert_eq!(&*few, [2]);
        few.remove_all(|_| true);
        assert!(few.is_empty());
    }
}
